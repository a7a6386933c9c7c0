"""One gate behind every door: what is not decided, withdrawn, removed or private leaves by no route of any client.

The routes are read from the URL table: one that nobody has declared in `ways.py` fails here, before it can leak.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from registry import documents
from registry.models import DistTag, Package, Release
from tests import builders
from tests.authorization import routes
from tests.builders import Cast, KeyPair
from tests.protocols import ways
from tests.protocols.ways import Way

pytestmark = pytest.mark.once  # what the databases could change is asked of both in test_undecided_bytes.py
BASES: dict[str, dict[str, Way]] = {"npm/": ways.NPM, "pypi/": ways.PYPI}
STATES = ("pending", "quarantined", "removed")
TIME = re.compile('"time":"[^"]*"')
FORMS: tuple[dict[str, str], ...] = (
    {"Range": "bytes=0-9"},
    {"If-None-Match": "*"},
    {"Accept": "application/vnd.npm.install-v1+json, application/vnd.pypi.simple.v1+json"},
)
MARK = "mark-of-the-archive"


@pytest.mark.parametrize("base", BASES)
def test_every_route_is_declared_as_a_way_or_as_silent(base: str):
    named = {route.removeprefix("<slug:project>/") for route in routes.below(base)}
    assert named == {*BASES[base], *ways.SILENT[base]}
    assert BASES[base].keys().isdisjoint(ways.SILENT[base])


def test_the_routes_of_the_api_are_where_they_are_said_to_be():
    assert ways.API.keys() <= routes.below("api/v1/").keys()


@pytest.fixture
def held(cast: Cast, tmp_path) -> dict[str, Release]:
    """A package of each ecosystem, approved and public."""
    pair: KeyPair = builders.key_pair(tmp_path)
    archives = {
        "npm": builders.npm_tarball("@acme/hidden", "7.8.9", {"mark.js": MARK}),
        "pypi": builders.wheel("acme-hidden", "7.8.9", summary=MARK),
    }
    made = {slug: builders.published(cast.alice, pair, body) for slug, body in archives.items()}
    for release in made.values():
        Release.objects.filter(pk=release.pk).update(stage_id=uuid4())
        release.refresh_from_db()
        assert release.status == "approved", release.held_because
        DistTag.objects.create(package=release.package, tag="sneaky", release=release)
        documents.rebuild(release.package)
    return made


def bring(release: Release, state: str) -> None:
    """The release in the state, its documents in line."""
    changes: dict[str, Any] = {"status": state, "held_because": "Not for you."}
    if state == "removed":
        past = timezone.now()
        changes = {"unlisted_at": past, "purge_at": past, "purged_at": past}
    Release.objects.filter(pk=release.pk).update(**changes)
    documents.rebuild(release.package)


@dataclass(frozen=True)
class Question:
    """One request about a package."""

    slug: str
    is_open: bool
    method: str
    path: str
    body: str = ""

    def ask(self, client: Client, **headers: str) -> tuple[Any, str]:
        answer = client.generic(self.method, self.path, self.body, "application/json", headers=headers)
        sent = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return answer, TIME.sub("", sent.decode("utf-8", "replace"))

    def in_every_form(self) -> Iterator[tuple["Question", dict[str, str]]]:
        """As it is, and, where it reads, for the headers alone, for a part, for a cache, for another format."""
        yield self, {}
        if self.method == "GET":
            yield replace(self, method="HEAD"), {}
            yield from ((self, headers) for headers in FORMS)

    def about(self, other: str) -> "Question":
        """The same about a name that nobody holds."""
        return replace(self, path=self.path.replace("hidden", other), body=self.body.replace("hidden", other))


def asked(held: dict[str, Release]) -> Iterator[Question]:
    """Every way, below both bases of each door."""
    for slug, release in held.items():
        own = ((base, BASES[f"{slug}/"]) for base in (f"{slug}/", f"{slug}/acme/"))
        for base, table in (*own, *((base, ways.API) for base in routes.BASES)):
            for way in table.values():
                yield from _spelled(slug, way, base, facts(release))


def _spelled(slug: str, way: Way, base: str, values: dict[str, str]) -> Iterator[Question]:
    body = "" if way.body is None else json.dumps(way.body)
    for key, value in values.items():
        body = body.replace("{" + key + "}", value)
    for path in way.paths:
        method = "GET" if way.body is None else "POST"
        yield Question(slug, way.is_open, method, f"/{base}{path.format(**values)}", body)


def facts(release: Release) -> dict[str, str]:
    name, file = release.package.name, release.artifacts.get().filename
    return {
        "name": name.replace("/", "%2f"), "slashed": name, "plain": name, "version": release.version, "file": file,
        "stage": str(release.stage_id), "word": "hidden",
    }  # fmt: skip


def callers(cast: Cast, *people: str) -> list[Client]:
    """Nobody, and tokens of these people that read."""
    known = [Client(headers=builders.bearer(builders.token(getattr(cast, one), "read"))) for one in people]
    return [Client(), *known]


def test_what_is_approved_is_had_on_every_way(cast: Cast, held: dict[str, Release]):
    """So that the refusals below are no accidents of a wrong address."""
    client = callers(cast, "alice")[1]
    wrong = [
        f"{one.path}: {answer.status_code}"
        for one in asked(held)
        if one.is_open and (answer := one.ask(client)[0]).status_code not in (200, 301)
    ]
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("state", STATES)
def test_what_may_not_be_had_leaves_on_no_way(cast: Cast, held: dict[str, Release], state: str):
    """Neither to its owner, who did not stage it, in whichever form, nor to a stranger or nobody."""
    for release in held.values():
        Release.objects.filter(pk=release.pk).update(submitted_by=cast.root)
        bring(release, state)
    nobody, alice, mallory = callers(cast, "alice", "mallory")
    wrong, count = [], 0
    for question in asked(held):
        hers = ((alice, *form) for form in question.in_every_form())
        for client, one, headers in (*hers, (nobody, question, {}), (mallory, question, {})):
            count += 1
            answer, said = one.ask(client, **headers)
            if _gives_away(answer, said, held[one.slug]):
                wrong.append(f"{one.method} {one.path} {headers}: {answer.status_code} {said[:80]!r}")
    assert wrong == [], "\n".join(wrong)
    assert count > 300


def _gives_away(answer: Any, said: str, release: Release) -> bool:
    """Bytes or headers of the file; or its version or a digest in an answer that offers something."""
    has_headers = any(name in answer for name in ("X-Checksum-Sha256", "Content-Disposition", "Content-Range"))
    file = release.artifacts.get()
    told = any(one in said for one in (release.version, file.sha1, file.sha256))
    offers = answer.status_code < 400 and told and not answer.get("Location")
    return has_headers or MARK in said or offers


def test_what_is_private_cannot_be_told_from_what_is_not_there(cast: Cast, held: dict[str, Release]):
    """The same status and the same words as for a name that nobody holds."""
    for release in held.values():
        Package.objects.filter(pk=release.package_id).update(visibility="private")
        release.package.refresh_from_db()
        documents.rebuild(release.package)
    wrong = []
    for client in callers(cast, "mallory"):
        for one in asked(held):
            answer, said = one.ask(client)
            other, otherwise = one.about("nobody").ask(client)
            if answer.status_code != other.status_code or said.replace("hidden", "nobody") != otherwise:
                wrong.append(f"{one.path}: {answer.status_code} {said[:80]!r}")
            if answer.status_code < 400 and "hidden" in said:
                wrong.append(f"{one.path}: names it")
    assert wrong == [], "\n".join(wrong)
