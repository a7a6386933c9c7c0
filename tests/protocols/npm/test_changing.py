"""What npm's clients change of what is there: deprecations, dist-tags, versions taken away; and what they find."""

import json
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEvent
from registry import documents
from registry.models import DistTag, Package, Release
from tests import builders
from tests.builders import Cast, KeyPair
from tests.protocols.npm.conftest import Npm

NAME = "@acme-utils%2fcore"


@pytest.fixture
def versions(cast: Cast, core: Release, pair: KeyPair) -> Package:
    """1.2.0 and 1.3.0 of `@acme-utils/core` approved, 1.4.0 pending."""
    builders.published(cast.alice, pair, builders.npm_tarball("@acme-utils/core", "1.3.0"))
    held = builders.published(cast.alice, pair, builders.npm_tarball("@acme-utils/core", "1.4.0"))
    Release.objects.filter(pk=held.pk).update(status="pending", held_because="It waits.")
    DistTag.objects.filter(release=held).update(release=Release.objects.get(version="1.3.0"))
    documents.rebuild(core.package)
    return core.package


@pytest.fixture
def alice_npm(cast: Cast) -> Npm:
    """Npm with a token of alice."""
    return Npm(builders.token(cast.alice, "read", "publish"))


@pytest.fixture
def root_npm(cast: Cast) -> Npm:
    """Npm with a token of an admin."""
    return Npm(builders.token(cast.root, "read", "publish", "admin"))


def read(client: Npm) -> dict[str, Any]:
    """The packument as npm reads it before it writes."""
    found: dict[str, Any] = json.loads(client.ask(f"{NAME}?write=true").content)
    return found


def listed(client: Npm) -> list[str]:
    return sorted(read(client)["versions"])


# --- deprecations ---------------------------------------------------------------------------------------------------
def test_a_deprecation_shows_where_installers_look_and_is_taken_back(alice_npm: Npm, nobody: Npm, versions: Package):
    said = read(alice_npm)
    for text in ("use 1.3.0", ""):
        said["versions"]["1.2.0"]["deprecated"] = text
        assert alice_npm.send("PUT", NAME, said).status_code == 200
        short = json.loads(nobody.ask(NAME).content)["versions"]["1.2.0"]
        assert short.get("deprecated", "") == text
        said = read(alice_npm)
    events = AuditEvent.objects.filter(action="package.deprecated").order_by("seq")
    assert [one.details["undeprecated"] for one in events] == [[], ["1.2.0"]]
    assert alice_npm.send("PUT", NAME, said).status_code == 200  # a third time nothing changes, and nothing is noted
    assert events.count() == 2


def test_nothing_but_the_deprecation_may_change(alice_npm: Npm, versions: Package):
    def changed(**changes: Any) -> dict[str, Any]:
        return read(alice_npm) | changes

    said = read(alice_npm)["versions"]
    main = {"1.2.0": said["1.2.0"] | {"main": "evil.js"}, "1.3.0": said["1.3.0"]}
    number = {"1.2.0": said["1.2.0"] | {"deprecated": 7}, "1.3.0": said["1.3.0"]}
    long = {"1.2.0": said["1.2.0"] | {"deprecated": "x" * 1025}, "1.3.0": said["1.3.0"]}
    found = {
        "main": alice_npm.send("PUT", NAME, changed(versions=main)).status_code,
        "a number": alice_npm.send("PUT", NAME, changed(versions=number)).status_code,
        "too long": alice_npm.send("PUT", NAME, changed(versions=long)).status_code,
        "no object": alice_npm.send("PUT", NAME, changed(versions=[])).status_code,
        "one left out": alice_npm.send("PUT", NAME, changed(versions={"1.2.0": said["1.2.0"]})).status_code,
        "the pending one": alice_npm.send("PUT", NAME, changed(versions=said | {"1.4.0": said["1.3.0"]})).status_code,
        "a tag": alice_npm.send("PUT", NAME, changed(**{"dist-tags": {"latest": "1.2.0"}})).status_code,
        "no document": alice_npm.send("PUT", NAME, []).status_code,
    }
    assert found == {
        "main": 400, "a number": 400, "too long": 400, "no object": 400,
        "one left out": 409, "the pending one": 409, "a tag": 409, "no document": 400,
    }  # fmt: skip
    assert not Release.objects.exclude(deprecated="").exists()


def test_a_stranger_deprecates_and_tags_nothing(cast: Cast, nobody: Npm, versions: Package):
    said = read(nobody)
    said["versions"]["1.2.0"]["deprecated"] = "mine"
    for client, status in ((nobody, 401), (Npm(builders.token(cast.mallory)), 403)):
        assert client.send("PUT", NAME, said).status_code == status
        assert client.send("PUT", f"-/package/{NAME}/dist-tags/next", "1.2.0").status_code == status
        assert client.send("DELETE", f"-/package/{NAME}/dist-tags/next").status_code == status
    assert not Release.objects.exclude(deprecated="").exists()


# --- dist-tags ------------------------------------------------------------------------------------------------------
def test_a_tag_is_put_moved_installed_by_and_removed(alice_npm: Npm, nobody: Npm, versions: Package):
    for version in ("1.2.0", "1.3.0"):
        assert alice_npm.send("PUT", f"-/package/{NAME}/dist-tags/stable", version).status_code == 201
        assert nobody.ask(f"-/package/{NAME}/dist-tags").json() == {"latest": "1.3.0", "stable": version}
        assert nobody.ask("@acme-utils/core/stable").json()["version"] == version
    assert alice_npm.send("DELETE", f"-/package/{NAME}/dist-tags/stable").status_code == 200
    assert nobody.ask(f"-/package/{NAME}/dist-tags").json() == {"latest": "1.3.0"}
    assert nobody.ask("@acme-utils/core/stable").status_code == 404
    noted = AuditEvent.objects.filter(action__startswith="tag.").order_by("seq")
    assert list(noted.values_list("action", flat=True)) == ["tag.put", "tag.put", "tag.removed"]


def test_a_tag_leads_to_what_may_be_had_and_is_no_range(alice_npm: Npm, versions: Package):
    def put(tag: str, version: Any) -> int:
        return alice_npm.send("PUT", f"-/package/{NAME}/dist-tags/{tag}", version).status_code

    found = [put("next", "1.4.0"), put("next", "9.9.9"), put("1.x", "1.2.0"), put("v1", "1.2.0"), put("x", "1.2.0")]
    assert found == [409, 404, 400, 400, 400]
    assert put("next", {"version": "1.2.0"}) == 400
    assert alice_npm.send("DELETE", f"-/package/{NAME}/dist-tags/latest").status_code == 400
    assert alice_npm.send("DELETE", f"-/package/{NAME}/dist-tags/none").status_code == 404


# --- versions taken away --------------------------------------------------------------------------------------------
def test_a_version_left_out_is_unlisted_and_every_step_may_come_twice(root_npm: Npm, nobody: Npm, versions: Package):
    said = read(root_npm)
    old = said["_rev"]
    del said["versions"]["1.2.0"]
    file = "@acme-utils/core/-/core-1.2.0.tgz/-rev"
    for _time in range(2):
        assert root_npm.send("PUT", f"{NAME}/-rev/{old}", said).status_code == 200
        for path in (file, f"npm/{file}"):  # npm takes the address of the tarball for one below the base
            assert root_npm.send("DELETE", f"{path}/{read(root_npm)['_rev']}").status_code == 200
    assert listed(nobody) == ["1.3.0"]
    assert nobody.ask("@acme-utils/core/-/core-1.2.0.tgz").status_code == 200  # the grace
    assert Release.objects.get(version="1.2.0").purge_at is not None
    assert AuditEvent.objects.filter(action="release.unlisted").count() == 1


def test_what_has_changed_since_it_was_read_is_not_taken_away(root_npm: Npm, nobody: Npm, versions: Package):
    assert root_npm.send("DELETE", f"{NAME}/-rev/1-0").status_code == 409
    assert root_npm.send("PUT", f"{NAME}/-rev/1-0", {"versions": {}}).status_code == 409
    assert root_npm.send("PUT", f"{NAME}/-rev/1-0", {"maintainers": []}).status_code == 400
    assert listed(nobody) == ["1.2.0", "1.3.0"]


def test_a_whole_package_goes_and_is_gone_however_often_it_is_asked(root_npm: Npm, nobody: Npm, versions: Package):
    rev = read(root_npm)["_rev"]
    for _time in range(2):
        assert root_npm.send("DELETE", f"{NAME}/-rev/{rev}").status_code == 200
    assert root_npm.send("PUT", f"{NAME}/-rev/{rev}", {"versions": {}}).status_code == 200
    assert nobody.ask(NAME).status_code == 404
    assert not Release.objects.listed().exists()


def test_who_may_not_is_told_to_deprecate(alice_npm: Npm, nobody: Npm, versions: Package):
    rev = read(nobody)["_rev"]
    for path, method in ((f"{NAME}/-rev/{rev}", "DELETE"), (f"{NAME}/-rev/{rev}", "PUT")):
        answer = alice_npm.send(method, path, {"versions": {}})
        assert (answer.status_code, "npm deprecate" in answer.json()["error"]) == (403, True)
        assert nobody.send(method, path, {"versions": {}}).status_code == 401
    assert listed(nobody) == ["1.2.0", "1.3.0"]


# --- search ---------------------------------------------------------------------------------------------------------
def find(client: Npm, query: str) -> tuple[int, list[str]]:
    answer = client.ask(f"-/v1/search?{query}")
    assert answer.status_code == 200, answer.json()
    return answer.json()["total"], [one["package"]["name"] for one in answer.json()["objects"]]


def test_search_finds_what_may_be_had_and_counts_nothing_else(
    cast: Cast, nobody: Npm, alice_npm: Npm, versions: Package, pair: KeyPair
):
    held = builders.published(cast.alice, pair, builders.npm_tarball("@acme-utils/held"))
    Release.objects.filter(pk=held.pk).update(status="pending")
    documents.rebuild(held.package)
    builders.published(cast.alice, pair, builders.npm_tarball("@acme-utils/own"), access="private")
    builders.published(cast.alice, pair, builders.sdist("acme-utils"))

    assert find(nobody, "text=acme-utils") == (1, ["@acme-utils/core"])
    total, names = find(alice_npm, "text=acme-utils")
    assert (total, sorted(names)) == (2, ["@acme-utils/core", "@acme-utils/own"])
    for text in ("scope:acme-utils", "@acme-utils/core", "core author:alice not:unstable", "keywords:core"):
        assert find(nobody, f"text={text}")[1] == ["@acme-utils/core"], text
    assert find(nobody, "text=acme-utils&size=0") == (1, [])
    assert find(nobody, "text=acme-utils&from=1") == (1, [])
    assert find(nobody, "text=acme-utils&size=100000&quality=0.65&popularity=0.98") == (1, ["@acme-utils/core"])
    assert nobody.ask("-/v1/search?text=a&from=-1").status_code == 400
    one = nobody.ask("-/v1/search?text=core").json()["objects"][0]["package"]
    assert (one["version"], one["scope"], one["publisher"]["username"]) == ("1.3.0", "acme-utils", "alice")
    assert one["links"]["npm"] == "http://testserver/packages/npm/@acme-utils/core"


def test_search_asks_as_often_for_many_as_for_one(cast: Cast, nobody: Npm):
    def asked(size: int) -> int:
        from django.core.cache import cache
        from django.db import connection

        cache.clear()
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert len(find(nobody, f"text=pad&size={size}")[1]) == size
        return len(seen)

    for number in range(6):
        package = builders.package(cast.acme, f"pad-{number}", maintainer=cast.alice)
        builders.release(package)
        documents.rebuild(package)
    assert asked(1) == asked(6)
