"""Every write in the admin leaves one event, every refused one a refusal, every sign-in and sign-out its own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts import auditing, sealing, tokens
from accounts.models import AuditEvent, Membership, Project, SigningKey, User
from licensing.models import LicenseKey, LicensePolicy
from registry import products, retiring
from registry.mirrors.models import Mirror
from registry.models import Blob, Job, Release
from registry.upstreams.models import Errand, Offer, Shelf, Upstream
from registry.webhooks.delivering import PURPOSE
from registry.webhooks.models import Delivery, Message, Webhook
from scanning.models import AdvisorySource, ScanPolicy, Waiver
from tests import builders
from tests.authorization.watching import undone
from tests.builders import Cast

pytestmark = pytest.mark.django_db
VERBS = ("add", "change", "delete")
SAVED = 302


@dataclass(frozen=True)
class Written:
    """How a table is written: what is sent for a new row, what is changed in one, and a row to do it to."""

    row: Callable[[Cast], Model]
    add: dict[str, Any] | None = None
    change: dict[str, Any] | None = None
    deletes: bool = False
    actions: dict[str, int] = field(default_factory=dict)  # each with how many events it leaves for one row

    @property
    def verbs(self) -> list[str]:
        return [verb for verb, can in zip(VERBS, (self.add, self.change, self.deletes), strict=True) if can]


def soon() -> dict[str, str]:
    """Tomorrow, as the admin's two fields take it."""
    return {"expires_at_0": f"{timezone.now() + timedelta(days=1):%Y-%m-%d}", "expires_at_1": "12:00:00"}


def an_event(cast: Cast) -> Model:
    return auditing.record("x.done", "x:1", builders.actor(cast.alice))


def a_token(cast: Cast) -> Model:
    found = tokens.resolve(builders.token(cast.alice, "read"))
    assert found is not None
    return found


def a_key(cast: Cast) -> Model:
    words = {"name": "laptop", "algorithm": "ssh-ed25519", "fingerprint": "SHA256:x", "public_key": "ssh-ed25519 x"}
    return SigningKey.objects.create(user=cast.alice, **words)


def a_person(cast: Cast) -> Model:
    User.objects.filter(pk=cast.alice.pk).update(second_factor_since=timezone.now())
    return cast.alice


def a_dead_job(cast: Cast) -> Model:
    return Job.objects.create(kind="reconsider", ref="1", state=Job.State.DEAD)


def a_waiver(cast: Cast) -> Model:
    return Waiver.objects.create(
        owner=cast.bob, reason="known", identifier="CVE-1", ecosystem="npm", package="a", version_range="*",
        project=cast.acme, expires_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip


def a_webhook(cast: Cast) -> Webhook:
    return Webhook.objects.create(url="https://hooks.example/in", project=cast.acme, secret=sealing.seal("x", PURPOSE))


def a_delivery(cast: Cast) -> Model:
    message = Message.objects.create(event="release.approved", body="{}")
    return Delivery.objects.create(webhook=a_webhook(cast), message=message, state="failed")


def a_sold_key(cast: Cast) -> LicenseKey:
    return LicenseKey.objects.create(project=cast.acme, name="A customer", digest="d", sealed="s", ending="ABCDE")


def a_blob(cast: Cast) -> Model:
    return Blob.objects.create(sha256="a" * 64, size=1, state="quarantined", damage="missing")


def a_release(cast: Cast) -> Release:
    return builders.release(products.create("tool", builders.actor(cast.alice)), "1.0.0")


def a_product(cast: Cast) -> Model:
    return products.create("tool", builders.actor(cast.alice)).product


def a_region(cast: Cast) -> Model:
    return Mirror.objects.create(region="lyon", city="Lyon", country="FR", storage_url="file:mirrors/lyon")


def an_upstream(cast: Cast) -> Upstream:
    return Upstream.objects.create(name="shop", kind="npm", base_url="https://shop.example", project=cast.acme)


def an_offer(cast: Cast) -> Model:
    told = {"ecosystem": "npm", "name": "a", "version": "1.0.0", "filename": "a-1.0.0.tgz", "locator": "a"}
    return Offer.objects.create(upstream=an_upstream(cast), **told, state=Offer.State.REFUSED)


def an_errand(cast: Cast) -> Model:
    told = {"ecosystem": "npm", "name": "a", "normalized": "a", "version": "1.0.0", "canonical": "1.0.0"}
    return Errand.objects.create(upstream=an_upstream(cast), **told, state="failed")


def a_shelf(cast: Cast) -> Model:
    told = {"ecosystem": "npm", "normalized": "a", "due_at": timezone.now() + timedelta(hours=1)}
    return Shelf.objects.create(upstream=an_upstream(cast), **told)


TABLES: dict[str, Written] = {
    "accounts.auditevent": Written(
        an_event, actions={"export_csv": 0, "export_jsonl": 0}
    ),
    "accounts.apitoken": Written(a_token, actions={"revoke": 1}),
    "accounts.signingkey": Written(a_key, actions={"remove": 1}),
    "accounts.user": Written(
        a_person,
        {"username": "new", "email": "new@example.com", "role": "developer", "usable_password": "false"},
        {"role": "maintainer"},
        actions={"reset_second_factor": 1},
    ),
    "accounts.project": Written(
        lambda cast: cast.acme,
        {"slug": "new", "name": "New"},
        {
            "name": "Acme & Sons", "memberships-TOTAL_FORMS": "3", "memberships-2-user": "{mallory}",
            "memberships-2-role": "member",
        },
    ),
    "accounts.membership": Written(
        lambda cast: Membership.objects.get(project=cast.acme, user=cast.bob),
        {"project": "{acme}", "user": "{mallory}", "role": "member"},
        {"role": "reader"},
        True,
        {"delete_selected": 1},
    ),
    "registry.blob": Written(a_blob, actions={"read_again": 1}),
    "registry.job": Written(a_dead_job, actions={"retry": 1}),
    "registry.package": Written(lambda cast: builders.package(cast.acme), change={"project": "{elsewhere}"}),
    "registry.release": Written(a_release, actions={"unlist": 1, "pin": 1, "unpin": 0, "restore": 1}),
    "registry.product": Written(a_product, change={"keep_versions": "3"}),
    "mirrors.mirror": Written(
        a_region,
        {"region": "paris", "city": "Paris", "country": "FR", "storage_url": "file:mirrors/paris"},
        {"name": "Renamed"},
        actions={"pause": 1, "resume": 1, "verify": 1, "rebuild": 1},
    ),
    "upstreams.upstream": Written(
        an_upstream,
        {"name": "other", "kind": "npm", "base_url": "https://other.example", "project": "{acme}"},
        {"requests_per_second": "5"},
        actions={"sync_now": 1},
    ),
    "upstreams.offer": Written(an_offer, actions={"take_again": 1}),
    "upstreams.errand": Written(an_errand, actions={"bring_again": 1}),
    "upstreams.shelf": Written(a_shelf, actions={"ask_again": 1}),
    "webhooks.webhook": Written(
        a_webhook,
        {"url": "https://hooks.example/new"},
        {"description": "For the chat"},
        True,
        {"delete_selected": 1, "make_new_secret": 1},
    ),
    "webhooks.delivery": Written(a_delivery, actions={"send_again": 1}),
    "licensing.licensekey": Written(a_sold_key, actions={"suspend": 1, "resume": 1}),
    "licensing.licensepolicy": Written(
        lambda cast: LicensePolicy.objects.create(kind="license", key="Zlib", status="denied"),
        {"kind": "license", "key": "0BSD", "status": "denied"},
        {"status": "approved"},
        True,
        {"delete_selected": 1},
    ),
    "scanning.scanpolicy": Written(
        lambda cast: ScanPolicy.objects.create(project=cast.acme, breach="flag"),
        {"project": "{elsewhere}", "breach": "flag"},
        {"critical": "warn"},
        True,
        {"delete_selected": 1},
    ),
    "scanning.advisorysource": Written(
        lambda cast: AdvisorySource.objects.create(name="Feed", url="https://feeds.example/all.zip", is_enabled=False),
        {"name": "New", "url": "https://feeds.example/new.zip", "interval_hours": "24"},
        {"name": "Renamed"},
        True,
        {"delete_selected": 1, "refresh_now": 1},
    ),
    "scanning.waiver": Written(
        a_waiver,
        {
            "identifier": "CVE-2", "ecosystem": "npm", "package": "b", "version_range": "*", "project": "{acme}",
            "reason": "known",
        },
        actions={"end_now": 1},
    ),
}  # fmt: skip


@pytest.fixture
def browser(cast: Cast) -> Client:
    """Root's, in the admin."""
    client = Client()
    client.force_login(cast.root)
    return client


def offered(cast: Cast) -> dict[str, tuple[list[str], list[str]]]:
    """For each table that an admin can do something to: what, and which actions."""
    request = RequestFactory().get("/")
    request.user = cast.root
    found = {}
    for model, table in admin.site._registry.items():
        verbs = [verb for verb in VERBS if getattr(table, f"has_{verb}_permission")(request)]
        if verbs or table.get_actions(request):
            found[model._meta.label_lower] = verbs, sorted(table.get_actions(request))
    return found


def test_everything_that_can_be_written_in_the_admin_is_asked_here(cast: Cast):
    assert {label: (one.verbs, sorted(one.actions)) for label, one in TABLES.items()} == offered(cast)


@pytest.mark.parametrize("label", TABLES)
def test_every_write_in_the_admin_leaves_one_event(cast: Cast, browser: Client, label: str):
    row, base = TABLES[label].row(cast), address(label)
    asked = {
        "add": (f"{base}add/", TABLES[label].add),
        "change": (f"{base}{row.pk}/change/", TABLES[label].change),
        "delete": (f"{base}{row.pk}/delete/", {"post": "yes"}),
    }
    for verb in TABLES[label].verbs:
        path, said = asked[verb]
        form = filled(browser, path, said or {}, cast) if verb != "delete" else said
        with undone() as seen:
            answer = browser.post(path, form)
        assert seen.tables, f"{verb}: {answer.status_code} {complaints_of(answer)}"
        assert (seen.done, seen.refused) == (1, 0), verb


@pytest.mark.parametrize("label", [label for label, one in TABLES.items() if one.actions])
def test_every_action_of_a_table_leaves_one_event_to_a_row(cast: Cast, browser: Client, label: str):
    row = TABLES[label].row(cast)
    for action, events in TABLES[label].actions.items():
        if action == "restore":
            retiring.unlist(row, builders.actor(cast.root))
        if action == "resume":
            LicenseKey.objects.update(suspended=True)
            Mirror.objects.update(paused_at=timezone.now())
        form = {"action": action, "_selected_action": str(row.pk), "post": "yes"}
        with undone() as seen:
            answer = browser.post(address(label), form)
            assert b"".join(answer) is not None
        assert (seen.done, seen.refused) == (events, 0), action
        written = set(seen.statements) - {"django_session", "accounts_auditevent", "accounts_audithead"}
        assert bool(written) == bool(events), action


@pytest.mark.parametrize("label", TABLES)
def test_every_refused_write_in_the_admin_leaves_one_refusal(cast: Cast, label: str):
    """Maintainers may look at every table; they may give and end waivers and export the trail."""
    client, row, base = Client(), TABLES[label].row(cast), address(label)
    client.force_login(cast.bob)
    paths = [f"{base}add/", f"{base}{row.pk}/change/", f"{base}{row.pk}/delete/"]
    attempts = [(path, {"post": "yes"}) for path in paths]
    attempts += [
        (base, {"action": action, "_selected_action": str(row.pk), "post": "yes"}) for action in TABLES[label].actions
    ]
    theirs: dict[str, tuple[set[str], set[str]]] = {
        "scanning.waiver": ({f"{base}add/"}, {"end_now"}),
        "accounts.auditevent": (set(), {"export_csv", "export_jsonl"}),
    }
    may_post, may_act = theirs.get(label, (set(), set()))
    for path, form in attempts:
        if path in may_post or form.get("action") in may_act:
            continue
        with undone() as seen:
            answer = client.post(path, form)
        assert answer.status_code == 403, (path, form)
        assert (seen.done, seen.refused, seen.tables) == (0, 1, set()), (path, form)


def test_an_event_says_who_was_added_to_a_project_by_pseudonym(cast: Cast, browser: Client):
    path = f"{address('accounts.project')}{cast.acme.pk}/change/"
    browser.post(path, filled(browser, path, TABLES["accounts.project"].change or {}, cast))
    event = AuditEvent.objects.get(action="project.changed")
    (row,) = event.details["rows"]
    assert (row["did"], row["member"], row["role"]) == ("added", str(cast.mallory.pseudonym), "member")
    assert "mallory" not in str(event.details)


def test_a_new_person_from_the_admin_has_a_role_and_a_project(cast: Cast, browser: Client):
    path = f"{address('accounts.user')}add/"
    browser.post(path, filled(browser, path, TABLES["accounts.user"].add or {}, cast))
    new = User.objects.get(username="new")
    assert [group.name for group in new.groups.all()] == ["developer"]
    assert Project.objects.filter(memberships__user=new).exists()
    assert AuditEvent.objects.get(action="user.created").object == f"user:{new.pseudonym}"


def test_the_admin_has_no_way_of_its_own_to_another_password(cast: Cast, browser: Client):
    answer = browser.post("/admin/password_change/", {"old_password": builders.PASSWORD})
    assert answer.headers["Location"] == "/profile/password"
    with undone() as seen:
        phrase = "an other pass phrase 42"
        other = {"password1": phrase, "password2": phrase, "usable_password": "true"}
        answer = browser.post(f"{address('accounts.user')}{cast.alice.pk}/password/", other)
    assert answer.status_code == SAVED, complaints_of(answer)
    assert (seen.done, seen.refused) == (1, 0)


@pytest.mark.parametrize("door", ["/sign-in", "/admin/login/"])
@pytest.mark.parametrize(
    ("name", "password", "expected"),
    [
        ("bob", builders.PASSWORD, ["session.opened done"]),
        ("bob", "wrong", ["session.refused refused"]),
        ("nobody-at-all", "wrong", ["session.refused refused"]),
    ],
)
def test_every_sign_in_leaves_one_event(cast: Cast, door: str, name: str, password: str, expected: list[str]):
    Client().post(door, {"username": name, "password": password})
    assert told() == expected


@pytest.mark.parametrize("door", ["/sign-out", "/admin/logout/"])
def test_every_sign_out_leaves_one_event(cast: Cast, browser: Client, door: str):
    before = len(told())
    browser.post(door)
    assert told()[before:] == ["session.closed done"]
    assert AuditEvent.objects.latest("seq").actor == str(cast.root.pseudonym)
    Client().post(door)
    assert len(told()) == before + 1


def told() -> list[str]:
    """What the trail says of actions, in order."""
    return [f"{event.action} {event.outcome}" for event in AuditEvent.objects.order_by("seq")]


def address(label: str) -> str:
    return f"/admin/{label.replace('.', '/')}/"


def filled(browser: Client, path: str, said: dict[str, str], cast: Cast) -> dict[str, Any]:
    """The page's form as it stands, with what is said in it."""
    context = browser.get(path).context
    forms = [context["adminform"].form]
    for one in context["inline_admin_formsets"]:
        forms += [one.formset.management_form, *one.formset.forms]
    found = {key: value for form in forms for key, value in posted(form).items()}
    people = {name: str(getattr(cast, name).pk) for name in ("mallory", "acme", "elsewhere")}
    return found | {key: value.format(**people) for key, value in (said | soon_if_needed(found)).items()}


def soon_if_needed(found: dict[str, Any]) -> dict[str, str]:
    return soon() if "expires_at_0" in found else {}


def posted(form: Any) -> dict[str, Any]:
    """What a browser sends of the form when nothing is touched."""
    sent: dict[str, Any] = {}
    for bound in form:
        value, widget = bound.value(), bound.field.widget
        if hasattr(widget, "decompress"):
            parts = widget.decompress(value)
            sent |= {f"{bound.html_name}_{n}": "" if part is None else str(part) for n, part in enumerate(parts)}
        elif isinstance(value, list):
            sent[bound.html_name] = value
        elif value is not None and value is not False:
            sent[bound.html_name] = "on" if value is True else str(value)
    return sent


def complaints_of(answer: Any) -> str:
    """What the form says is wrong."""
    if not answer.context:
        return str(answer.status_code)
    return str(answer.context.get("errors") or answer.context["adminform"].form.errors)
