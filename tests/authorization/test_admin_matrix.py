"""Every (route, method, role) cell of the admin answers as its table declares; actions are for those who write."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.utils import timezone

from accounts import users
from registry import products
from registry.mirrors.models import Debt, Mirror, Replica
from registry.models import Artifact, DownloadCount, DownloadRecord, TrustedPublisher
from registry.upstreams.models import Errand, Offer, Shelf, Upstream
from scanning.models import AdvisorySource, Finding, Scan, Waiver
from tests import builders
from tests.authorization import routes, rules
from tests.authorization.callers import Caller
from tests.authorization.declared_admin import TABLES, admin_routes
from tests.authorization.rooms import Room
from tests.authorization.test_page_matrix import SIGN_IN_PAGES
from tests.authorization.watching import Seen, undone

CALLERS = (
    "anonymous", "developer:session", "developer:publish", "maintainer:session", "maintainer:review", "admin:session",
    "admin:admin",
)  # fmt: skip
FIXED = {
    "^(?P<app_label>accounts|auth|registry|mirrors|upstreams|webhooks|licensing|scanning)/$": "registry/",
    "(?P<url>.*)$": "nothing-here",
    "r/<path:content_type_id>/<path:object_id>/": "r/1/1/",
    "autocomplete/": "autocomplete/?app_label=registry&model_name=package&field_name=project",
}
SESSION_ROUTES = ("login/", "logout/")
MAINTAINERS_ACT = {"end_now"}  # ending a waiver is as much theirs as giving one


@pytest.fixture
def tables(room: Room) -> Room:
    """The room, with a row in every table."""
    release = room.waiting("own-private")
    scan = Scan.objects.create(release=release, status="failed", counts={"high": 1}, tools_used=["osv"])
    Finding.objects.create(scan=scan, identifier="CVE-1", ecosystem="npm", package="a", version="1", severity="high")
    DownloadCount.objects.create(release=release, package=release.package, day=timezone.now().date(), count=1)
    DownloadRecord.objects.create(release=release, day=timezone.now().date(), credential="token:1", count=1)
    TrustedPublisher.objects.create(package=release.package, subject="acme/tools", created_by=room.cast.alice)
    products.create("matrix", builders.actor(room.cast.root))
    Waiver.objects.create(
        owner=room.cast.bob, reason="known", identifier="CVE-1", ecosystem="npm", package="a", version_range="*",
        project=room.cast.acme, expires_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    frankfurt = Mirror.objects.get(region="frankfurt")
    Debt.objects.create(mirror=frankfurt, package=release.package)
    Replica.objects.create(mirror=frankfurt, artifact=Artifact.objects.earliest("pk"))
    AdvisorySource.objects.create(name="Feed", url="https://feeds.example/all.zip", is_enabled=False)
    upstream = Upstream.objects.earliest("pk")
    Offer.objects.create(upstream=upstream, name="a", version="1", state="refused")
    Errand.objects.create(upstream=upstream, name="a", version="1", state="failed")
    Shelf.objects.create(upstream=upstream, normalized="a", due_at=timezone.now() + timedelta(hours=1))
    users.sync_groups()
    return room


def test_every_route_of_the_admin_is_declared():
    assert sorted(routes.below("admin/")) == sorted(admin_routes())


def test_every_table_of_the_admin_is_declared():
    registered = {f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry}
    assert registered == set(TABLES)
    assert Group in admin.site._registry


def test_every_declared_cell_answers_as_declared(tables: Room):
    wrong, asked = [], 0
    for route, methods in admin_routes().items():
        for method, may in methods.items():
            for name in CALLERS:
                asked += 1
                wrong += complaints(route, method, may, tables, tables.callers[name])
    assert wrong == [], "\n".join(wrong)
    assert asked > 1_000


@pytest.mark.parametrize("name", ["anonymous", "developer:session", "maintainer:session", "admin:admin"])
def test_actions_of_tables_do_nothing_for_those_who_may_only_look(tables: Room, name: str):
    """Maintainers post the action that only an admin's list offers; nothing is written, whatever is answered."""
    wrong, asked = [], 0
    for model, table in admin.site._registry.items():
        first = model._default_manager.order_by("pk").first()
        actions = [one if isinstance(one, str) else one.__name__ for one in table.actions or ()]
        mine = MAINTAINERS_ACT if name == "maintainer:session" else set()
        for action in {*actions, "delete_selected"} - mine:
            form = {"action": action, "_selected_action": str(first.pk), "post": "yes"}
            with undone() as seen:
                tables.callers[name].ask("POST", f"/admin/{table_of(model)}/", **posted(form))
            asked += 1
            if seen.tables or seen.done:
                wrong.append(f"{table_of(model)} {action}: {seen.tables}")
    assert wrong == []
    assert asked >= len(TABLES)


def complaints(route: str, method: str, may: rules.May, room: Room, caller: Caller) -> list[str]:
    """What is wrong with the answer to one cell."""
    path, form = f"/admin/{address(route, room)}", forms(route, room) if method == "POST" else None
    with undone() as seen:
        answer = caller.ask(method, path, **(posted(form) if form is not None else {}))
        if answer.streaming:
            b"".join(answer.streaming_content)
    status, declared = status_of(answer, caller), rules.foretell(may, caller, "-")
    where = f"{method} /admin/{route} {caller.name}: "
    if status != declared:
        return [f"{where}{answer.status_code}, declared {declared}"]
    return [] if route in SESSION_ROUTES else [where + one for one in about_traces(status, method, caller, seen)]


def status_of(answer: Any, caller: Caller) -> int:
    """Being led to the sign-in page is a 401; to whoever is signed in that page says 403; else it is done."""
    if answer.status_code in (301, 302):
        led_away = rules.FORBIDDEN if caller.is_session else rules.SIGN_IN
        return led_away if answer["Location"].startswith(SIGN_IN_PAGES) else 200
    return int(answer.status_code)


def about_traces(status: int, method: str, caller: Caller, seen: Seen) -> list[str]:
    """Reading writes nothing; what is written leaves one event, and so does a write refused to someone signed in."""
    if status < 400 and method == "POST":
        return [f"wrote to {seen.tables}, and {seen.done} events tell of it"] if seen.tables and seen.done != 1 else []
    found = [f"{status}, and wrote to {seen.tables}"] if seen.tables or seen.done else []
    wanted = 1 if method == "POST" and status >= 400 and caller.is_session else 0
    return found + ([f"{status}, and {seen.refused} events tell of it"] if seen.refused != wanted else [])


def address(route: str, room: Room) -> str:
    """The address with the first row of its table, or the release that waits."""
    if route in FIXED:
        return FIXED[route]
    release = room.waiting("foreign-private")
    values: dict[str, Any] = {"release_id": release.pk, "id": room.carol.pk, "verb": "verify"}
    if "<path:object_id>" in route:
        model = apps.get_model(*route.split("/")[:2])
        values["object_id"] = model._default_manager.order_by("pk").values_list("pk", flat=True).first()
    query = {"path": "package/package.json"} if route.endswith("file/") else {}
    return routes.fill(route, values) + (f"?{urlencode(query)}" if query else "")


def forms(route: str, room: Room) -> dict[str, Any]:
    """What the page's form would send; empty forms come back with complaints to those who may send them."""
    release, reason = room.waiting("foreign-private"), "The matrix says so."
    if route == "queue/decide/":
        return {"decision": "reject", "reason": reason, "release": f"{release.pk}:{release.sha256}"}
    if route.endswith("/decide/"):
        return {"decision": "approve", "override": "on", "reason": reason, "sha256": release.sha256}
    if route == "login/":
        return {"username": "bob", "password": builders.PASSWORD}
    return {"post": "yes"} if route.endswith("delete/") else {}


def posted(form: dict[str, Any]) -> dict[str, Any]:
    """The form as a browser sends it."""
    return {"data": encode_multipart(BOUNDARY, form), "content_type": MULTIPART_CONTENT}


def table_of(model: Any) -> str:
    """`app/model`, as in addresses."""
    return f"{model._meta.app_label}/{model._meta.model_name}"
