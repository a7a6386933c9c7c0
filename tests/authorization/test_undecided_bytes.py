"""What is pending, rejected, quarantined or removed leaves by no route, whoever asks who is not its reviewer."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from registry import approving, retiring, tasks
from registry.mirrors import following, stores
from registry.mirrors.models import Mirror
from registry.models import DistTag, Release
from tests import builders
from tests.authorization import rooms, routes
from tests.authorization.declared_api import API
from tests.authorization.declared_pages import PAGES
from tests.authorization.rooms import Room

STATES = ("pending", "rejected", "quarantined", "purged")
CALLERS = ("anonymous", "developer:session", "maintainer:review", "admin:admin")
STATUS = {"pending": 403, "rejected": 403, "quarantined": 403, "purged": 410}
TARGETS = ("own-public", "foreign-public", "own-private", "foreign-private")


@pytest.fixture
def withheld(room: Room, request: pytest.FixtureRequest) -> tuple[str, dict[str, Release]]:
    """In each package, one version in the state that the test is about."""
    return request.param, {target: bring(room, target, request.param) for target in TARGETS}


def bring(room: Room, target: str, state: str) -> Release:
    """The version that waits, or the approved one withdrawn or removed, by the real activities."""
    package, bob, root = room.packages[target], builders.actor(room.cast.bob), builders.actor(room.cast.root)
    release = package.releases.get(version=rooms.WAITING if state in ("pending", "rejected") else rooms.READY)
    match state:
        case "rejected":
            approving.reject(release, bob, reason="Not wanted.")
        case "quarantined":
            approving.quarantine(release, bob, reason="It is malicious.")
        case "purged":
            retiring.unlist(release, root)
            past = timezone.now() - timedelta(hours=1)
            Release.objects.filter(pk=release.pk).update(purge_at=past)
            tasks.enqueue("purge", release.pk, dedupe=f"purge-now:{release.pk}")
            tasks.drain()
    release.refresh_from_db()
    assert release.is_purged if state == "purged" else release.status == state
    return release


def ways(release: Release) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Every way to ask for the file: both bases, HEAD, ranges, what a cache may ask, tags, the file by its name."""
    name = release.package.name
    for base in routes.BASES:
        path = f"/{base}packages/{name}/versions/{release.version}/download"
        for other in (path.replace(release.version, f"v{release.version}"), path.replace(release.version, "sneaky")):
            yield "GET", other, {}
        yield "GET", path, {}
        yield "HEAD", path, {}
        yield "GET", path, {"Range": "bytes=0-9"}
        yield "GET", path, {"Range": "bytes=999999999-"}
        yield "GET", path, {"If-None-Match": f'"{release.sha256}"'}
        yield "GET", path, {"If-None-Match": "*"}
        filename = f"{name.partition('/')[2]}-{release.version}.tgz"
        yield "GET", f"{path}?file={filename}", {}
        named = f"{path.removesuffix('download')}files/{filename}"
        yield "GET", named, {}
        yield "HEAD", named, {"Range": "bytes=0-9"}
        yield "GET", named, {"If-None-Match": "*"}
        yield "GET", path.replace(name, name.replace("/", "%2F")), {}


@pytest.mark.parametrize("withheld", STATES, indirect=True)
def test_its_bytes_leave_by_no_route(room: Room, withheld: tuple[str, dict[str, Release]]):
    """Not even reviewers fetch it here: theirs is the review page. A tag that points at it opens nothing."""
    state, releases = withheld
    wrong, asked = [], 0
    for target, release in releases.items():
        DistTag.objects.update_or_create(package=release.package, tag="sneaky", defaults={"release": release})
        for name in CALLERS:
            caller = room.callers[name]
            for method, path, headers in ways(release):
                answer = caller.ask(method, path, headers=headers)
                asked += 1
                allowed = {404, STATUS[state]} if caller.sees(target) else {404}
                if answer.streaming or answer.status_code not in allowed or _carries(answer, release):
                    wrong.append(f"{method} {path} {headers} {name} {target}: {answer.status_code}")
    assert wrong == [], "\n".join(wrong)
    assert asked == len(TARGETS) * len(CALLERS) * 26


def _carries(answer: Any, release: Release) -> bool:
    """Whether the answer has the headers of the file."""
    return "X-Checksum-Sha256" in answer or "Content-Disposition" in answer or "Content-Range" in answer


@pytest.mark.parametrize("withheld", STATES, indirect=True)
def test_those_who_see_the_package_are_told_why_and_nobody_else(room: Room, withheld):
    state, releases = withheld
    for target, release in releases.items():
        for name in CALLERS:
            path = f"/api/v1/packages/{release.package.name}/versions/{release.version}/download"
            answer = room.callers[name].ask("GET", path)
            expected = STATUS[state] if room.callers[name].sees(target) else 404
            assert (answer.status_code, name, target) == (expected, name, target)
            if expected == 403:
                assert {one["answer"] for one in answer.json()["details"]["verdicts"]} - {"allow"}


@pytest.mark.parametrize("withheld", STATES, indirect=True)
def test_it_is_neither_latest_nor_resolved_nor_tagged_nor_in_a_tree(room: Room, withheld):
    """Where something approved is left it speaks for the package; else nothing resolves."""
    state, releases = withheld
    release, anonymous = releases["own-public"], room.callers["anonymous"]
    left = rooms.READY if state in ("pending", "rejected") else None
    DistTag.objects.update_or_create(package=release.package, tag="sneaky", defaults={"release": release})
    path = f"/v1/packages/{release.package.name}"
    resolved = anonymous.ask("GET", f"{path}/resolve?range=*")
    assert (resolved.json()["version"] if left else resolved.status_code) == (left or 404)
    assert anonymous.ask("GET", f"{path}/resolve?range={release.version}").status_code == 404
    assert release.version not in anonymous.ask("GET", path).json()["dist_tags"].values()
    assert anonymous.ask("GET", f"{path}/versions/sneaky").status_code == 404
    if left:
        assert anonymous.ask("GET", path).json()["version"] == left
        assert anonymous.ask("GET", f"{path}/versions/latest/download").status_code == 200


@pytest.mark.parametrize("withheld", STATES, indirect=True)
def test_its_file_stands_on_no_mirror(room: Room, withheld, tmp_path):
    state, releases = withheld
    mirror = Mirror.objects.create(region="fra", city="Frankfurt", country="DE", storage_url=f"file://{tmp_path}/fra")
    following.catch_up()
    tasks.drain()
    names = {path.name for path in stores.root_of(mirror).rglob("*") if path.is_file()}
    assert ("package.json" in names) == (state in ("pending", "rejected"))  # where an approved version is left
    assert names.isdisjoint(release.sha256 for release in releases.values())


def test_these_tests_ask_every_route_that_sends_a_file(room: Room):
    """A new route that sends files comes here first: none of the others answers with a stream or an attachment."""
    senders = set()
    for prefix, table in (("api/v1/", API), ("", PAGES)):
        for route in (one for one in table if "GET" in table[one]):
            path = f"/{prefix}" + routes.fill(route, _values(room))
            answer = room.callers["admin:session"].ask("GET", path)
            if answer.streaming or "Content-Disposition" in answer:
                senders.add(route)
    version = "packages/<package:name>/versions/<version:version>"
    named = f"{version}/files/<filename:filename>"
    assert senders == {f"{version}/download", named, f"{version}/signature"}


def _values(room: Room) -> dict[str, str]:
    scope, _, name = room.name("own-public").partition("/")
    return {
        "name": room.name("own-public"), "version": rooms.READY, "spdx": "MIT", "id": room.advisory, "scope": scope,
        "ecosystem": "npm", "filename": room.filename("own-public"), "slug": "acme",
        "webhook_id": str(room.webhooks["own"][0]), "delivery_id": str(room.webhooks["own"][1]),
        "login_id": str(uuid4()),
    } | ({"name": f"{scope}/{name}"})  # fmt: skip
