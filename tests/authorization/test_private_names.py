"""No route that names releases tells a stranger of a private package: by name, number, tag or what is kept."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from accounts.models import Membership, User
from registry import documents, tasks
from registry.mirrors import following, stores
from registry.mirrors.models import Mirror
from registry.models import Package
from tests import builders
from tests.authorization import asked_of_api, asked_of_pages, rooms, routes
from tests.authorization.callers import Caller
from tests.authorization.declared_api import API
from tests.authorization.declared_pages import PAGES
from tests.authorization.rooms import Room
from tests.authorization.watching import undone

STRANGERS = ("anonymous", "developer:session", "developer:publish")
SECRET = "foreign-private"
# Routes that read a package, and the words that give a private one away.
TELLING = (b"@elsewhere/private", b"%40elsewhere/private", b"hush, hush")
SEARCHES = (
    "packages", "packages?search=private", "packages?search=hush", "packages?q=elsewhere", "packages?ecosystem=npm",
    "packages?license=0BSD", "packages?category=SECURITY", "packages?status=approved", "packages?ordering=-updated",
    "packages?limit=1&offset=3", "packages/stats/categories", "advisories", "advisories/GHSA-aaaa-bbbb-cccc",
)  # fmt: skip


@pytest.fixture
def strangers(room: Room) -> list[Caller]:
    """Those who are not of `elsewhere`, before a private package there that only its licence and category name."""
    package = room.packages[SECRET]
    Package.objects.filter(pk=package.pk).update(category="SECURITY", description="hush, hush")
    rebuild(package)
    Package.objects.filter(pk=package.pk).update(license="0BSD")
    return [room.callers[name] for name in STRANGERS]


def rebuild(package: Package) -> None:
    package.refresh_from_db()
    with transaction.atomic():
        documents.rebuild(package)


def reading(route: str) -> bool:
    """Whether it reads a package."""
    return "GET" in API[route] and API[route]["GET"].sees and SECRET in API[route]["GET"].targets


def addresses(room: Room, caller: Caller, version: str = "") -> Iterator[str]:
    """Every address that reads the secret package, over both bases and the pages."""
    asked = (room, caller, SECRET)
    for base in routes.BASES:
        for route in filter(reading, API):
            yield asked_of_api.address(base, route, asked)
    for route in PAGES:
        if "GET" in PAGES[route] and PAGES[route]["GET"].sees and not PAGES[route]["GET"].scope:
            yield asked_of_pages.address(route, asked)


def variants(path: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """The ways around: HEAD, a range, what a cache may ask, a tag, a depth, an ecosystem, another file."""
    more = "&" if "?" in path else "?"
    yield "GET", path, {}
    if path.startswith("/v1/"):
        return  # the same views, as the matrix has seen
    yield "HEAD", path, {}
    yield "GET", path, {"If-None-Match": "*"}
    yield "GET", path, {"Range": "bytes=0-0"}
    yield "GET", path, {"Range": "bytes=999999999-"}
    yield "GET", path.replace("/1.0.0", "/latest"), {}
    yield "GET", f"{path}{more}depth=full", {}
    yield "GET", f"{path}{more}ecosystem=npm", {}
    yield "GET", f"{path}{more}file=private-1.0.0.tgz", {}


def test_nothing_that_reads_a_private_package_tells_a_stranger(room: Room, strangers: list[Caller]):
    """Each address answers as if the name had never been: 404, the same words as for a name nobody has."""
    wrong, asked = [], 0
    for caller in strangers:
        for path in addresses(room, caller):
            for method, address, headers in variants(path):
                answer = caller.ask(method, address, headers=headers)
                other = caller.ask(method, address.replace("private", "nothere"), headers=headers)
                asked += 1
                if answer.status_code != 404 or words(answer, "private") != words(other, "nothere"):
                    wrong.append(f"{method} {address} {headers} {caller.name}: {answer.status_code}")
    assert wrong == [], "\n".join(wrong)
    assert asked > 250


def test_pages_that_ask_for_a_role_first_tell_strangers_the_same_of_any_name(room: Room, strangers: list[Caller]):
    asked = 0
    for caller in strangers:
        for route in PAGES:
            if "GET" in PAGES[route] and PAGES[route]["GET"].sees and PAGES[route]["GET"].scope:
                path = asked_of_pages.address(route, (room, caller, SECRET))
                answer, other = (caller.ask("GET", one) for one in (path, path.replace("private", "nothere")))
                assert answer.status_code == other.status_code in (302, 403)
                assert b"hush, hush" not in answer.content
                asked += 1
    assert asked


def words(answer: Any, name: str) -> bytes:
    """The body without the name that was asked for and without what changes from page to page."""
    body: bytes = b"" if answer.streaming else answer.content
    return body.replace(name.encode(), b"NAME") if body.startswith(b"{") else b""


def test_lists_searches_facets_and_figures_leave_it_out(room: Room, strangers: list[Caller]):
    for caller in strangers:
        bodies = [caller.ask("GET", f"/{base}{path}") for base in routes.BASES for path in SEARCHES]
        bodies += [
            caller.ask("GET", path) for path in ("/", "/packages", "/packages?search=hush", "/packages?q=private")
        ]
        for answer in bodies:
            assert answer.status_code == 200
            told = [word for word in TELLING if word in answer.content]
            assert told == [], (caller.name, answer.wsgi_request.get_full_path(), told)
        figures = caller.ask("GET", "/api/v1/packages?search=hush").json()
        assert (figures["total"], figures["pages"]) == (0, 0)
        assert caller.ask("GET", "/api/v1/packages?license=0BSD").json()["total"] == 0


def test_totals_count_what_each_caller_sees_whoever_asked_before(room: Room):
    """Counts are kept by what one may see: neither the admin's count nor a member's reaches a stranger."""
    names = ("admin:session", "developer:session", "developer:publish", "anonymous", "maintainer:review")
    for order in (names, names[::-1]):
        totals = {name: room.callers[name].ask("GET", "/api/v1/packages").json()["total"] for name in order}
        figures = {name: room.callers[name].ask("GET", "/v1/packages/stats/categories").json() for name in order}
        assert totals == {
            "admin:session": 4, "maintainer:review": 4, "developer:session": 3, "developer:publish": 2, "anonymous": 2,
        }  # fmt: skip
        assert {name: figures[name]["total"] for name in names} == dict.fromkeys(names, 0)


def test_category_figures_are_not_shared_between_actors(room: Room, strangers: list[Caller]):
    for name in ("admin:session", "anonymous", "developer:read", "maintainer:session", "anonymous"):
        found = room.callers[name].ask("GET", "/api/v1/packages/stats/categories").json()
        sees = room.callers[name].sees(SECRET)
        assert found == {"categories": [{"category": "SECURITY", "count": 1}] if sees else [], "total": int(sees)}


def test_an_entity_tag_of_a_private_document_opens_nothing(room: Room, strangers: list[Caller]):
    path = f"/api/v1/packages/{room.name(SECRET)}"
    for address in (path, f"{path}/versions/1.0.0", f"{path}/versions/1.0.0/download"):
        tag = room.callers["admin:session"].ask("GET", address)["ETag"]
        for caller in strangers:
            assert caller.ask("GET", address, headers={"If-None-Match": tag}).status_code == 404
        again = room.callers["admin:session"].ask("GET", address, headers={"If-None-Match": tag})
        assert (again.status_code, again["Cache-Control"].split(",")[0]) == (304, "private")


def test_also_in_names_no_private_namesake_neither_before_nor_after_it_became_private(room: Room, keys):
    """The stored document of the public namesake follows when the other becomes private, and when it stays so."""
    cast = room.cast
    twin = builders.published(cast.alice, keys["alice"], builders.npm_tarball("twin")).package
    other = builders.published(cast.mallory, keys["mallory"], builders.sdist("twin"), access="private").package
    anonymous, root = Caller("anonymous"), session(cast.root)
    assert also_in(anonymous, "npm") == []
    assert also_in(root, "npm") == ["pypi"]
    for visibility, seen in (("public", ["pypi"]), ("private", [])):
        Package.objects.filter(pk=other.pk).update(visibility=visibility)
        rebuild(other)
        assert also_in(anonymous, "npm") == seen, visibility
    assert twin.ecosystem == "npm"


def also_in(caller: Caller, ecosystem: str) -> list[str]:
    found: list[str] = caller.ask("GET", f"/api/v1/packages/twin?ecosystem={ecosystem}").json()["also_in"]
    return found


def session(person: User) -> Caller:
    """The person, signed in."""
    caller = Caller("admin:session", person)
    caller.client.force_login(person)
    return Caller("admin:session", person, caller.client.cookies[settings.SESSION_COOKIE_NAME].value)


def test_a_tree_and_a_bill_of_materials_leave_private_dependencies_unresolved(room: Room, keys):
    """That a range is asked for is public; which version answers it is not."""
    archive = builders.npm_tarball("@acme/needy", "1.0.0", dependencies={room.name(SECRET): "^1.0.0"})
    builders.published(room.cast.alice, keys["alice"], archive)
    for name in ("anonymous", "developer:read"):
        caller = room.callers[name]
        tree = caller.ask("GET", "/api/v1/packages/@acme/needy?depth=full").json()["dependency_tree"]
        assert (tree["dependencies"][0]["version"], tree["dependencies"][0]["unresolved"]) == (None, True)
        bill = caller.ask("GET", "/v1/packages/@acme/needy/versions/1.0.0/sbom").json()
        assert all("hashes" not in one for one in bill["components"])
        page = caller.ask("GET", "/packages/npm/@acme/needy?tab=dependencies").content
        assert b"/packages/npm/@elsewhere/private" not in page
    tree = room.callers["maintainer:review"].ask("GET", "/api/v1/packages/@acme/needy?depth=full").json()
    assert tree["dependency_tree"]["dependencies"][0]["version"] == rooms.READY


def test_who_uses_a_public_package_privately_stays_unsaid(room: Room, keys):
    archive = builders.npm_tarball("@elsewhere/user", "1.0.0", dependencies={room.name("own-public"): "^1.0.0"})
    builders.published(room.cast.mallory, keys["mallory"], archive, access="private")
    path = "/packages/npm/@acme/public?tab=dependencies"
    assert b"@elsewhere/user" not in room.callers["anonymous"].ask("GET", path).content
    assert b"@elsewhere/user" not in room.callers["developer:session"].ask("GET", path).content
    assert b"@elsewhere/user" in room.callers["admin:session"].ask("GET", path).content


def test_mirrors_hold_nothing_private_and_drop_what_becomes_so(room: Room, tmp_path):
    mirror = Mirror.objects.create(region="fra", city="Frankfurt", country="DE", storage_url=f"file://{tmp_path}/fra")
    following.catch_up()
    tasks.drain()
    root = stores.root_of(mirror)
    assert sorted(path.parent.parent.name for path in root.rglob("package.json")) == ["@acme", "@elsewhere"]
    digests = set(Package.objects.filter(visibility="private").values_list("releases__sha256", flat=True))
    assert digests.isdisjoint(path.name for path in root.rglob("*"))
    public = room.packages["foreign-public"]
    Package.objects.filter(pk=public.pk).update(visibility="private")
    rebuild(public)
    following.catch_up()
    tasks.drain()
    left = {path.name for path in root.rglob("*") if path.is_file()}
    assert left.isdisjoint(public.releases.values_list("sha256", flat=True))
    assert [path.parent.parent.name for path in root.rglob("package.json")] == ["@acme"]
    assert [path.name for path in root.rglob("*") if "@elsewhere" in str(path.relative_to(root))] == []


def test_x_project_id_decides_whose_private_packages_are_seen(room: Room):
    """A member of both projects sees, under the header, the packages of the one that it names."""
    Membership.objects.create(project=room.cast.elsewhere, user=room.cast.alice, role=Membership.Role.READER)
    paths = {slug: f"/api/v1/packages/@{slug}/private" for slug in ("acme", "elsewhere")}
    for name in ("developer:session", "developer:read"):
        caller = room.callers[name]
        assert [caller.ask("GET", path).status_code for path in paths.values()] == [200, 200]
        for named in paths:
            headers = {"X-Project-ID": named}
            seen = [
                slug for slug, path in paths.items() if caller.ask("GET", path, headers=headers).status_code == 200
            ]
            assert seen == [named]
            assert caller.ask("GET", "/v1/packages", headers=headers).json()["total"] == 3


def test_watching_takes_everything_back(room: Room):
    """The matrix stands on this: what a cell does is gone before the next one asks."""
    before = Package.objects.count()
    with undone() as seen:
        builders.package(room.cast.acme, "gone-again")
    assert (seen.tables, Package.objects.count()) == ({"registry_package"}, before)
