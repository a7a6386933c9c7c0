"""What npm's clients read: packuments, manifests, tarballs, tags; nothing that is not decided, nothing private."""

import hashlib
import json

import pytest
from django.utils import timezone

from licensing import keys, minting
from registry import documents, retiring
from registry.models import Release
from tests import builders
from tests.builders import Cast, KeyPair
from tests.protocols.npm.conftest import Npm

NAMES = ("@acme-utils%2fcore", "@acme-utils%2Fcore", "@acme-utils/core")
WAYS = (
    "@acme-utils%2fcore",
    "@acme-utils/core/1.2.0",
    "@acme-utils/core/latest",
    "@acme-utils/core/-/core-1.2.0.tgz",
    "@acme-utils/core/-/@acme-utils/core-1.2.0.tgz",
    "-/package/@acme-utils%2fcore/dist-tags",
)


def read(answer) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


@pytest.mark.parametrize("name", NAMES)
def test_a_packument_comes_short_for_installing_and_names_files_at_the_address_that_was_asked(
    nobody: Npm, core: Release, name: str
):
    answer = nobody.ask(name)

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/vnd.npm.install-v1+json")
    assert answer["Cache-Control"] == "public, no-cache"
    assert "Accept" in answer["Vary"]
    one = json.loads(answer.content)["versions"]["1.2.0"]
    assert one["dist"]["tarball"] == "http://testserver/npm/@acme-utils/core/-/core-1.2.0.tgz"
    file = nobody.get(one["dist"]["tarball"].removeprefix("http://testserver"))
    assert hashlib.sha1(read(file), usedforsecurity=False).hexdigest() == one["dist"]["shasum"]


def test_it_comes_in_full_for_who_asks_so_and_before_a_write(nobody: Npm, core: Release):
    full = nobody.ask("@acme-utils%2fcore", Accept="application/json")
    writing = nobody.ask("@acme-utils%2fcore?write=true")
    assert full["Content-Type"] == writing["Content-Type"] == "application/json"
    assert json.loads(full.content) == json.loads(writing.content)
    assert {"_id", "_rev", "time", "readme", "dist-tags"} <= set(json.loads(full.content))


def test_who_has_it_already_gets_304(nobody: Npm, core: Release):
    tag = nobody.ask("@acme-utils%2fcore")["ETag"]
    assert nobody.ask("@acme-utils%2fcore", **{"If-None-Match": tag}).status_code == 304
    assert nobody.ask("@acme-utils%2fcore", **{"If-None-Match": tag, "Accept": "*/*"}).status_code == 200


def test_a_read_is_one_query(nobody: Npm, core: Release, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert nobody.ask("@acme-utils%2fcore").status_code == 200


@pytest.mark.parametrize("path", ["@acme-utils/core/1.2.0", "-/package/@acme-utils%2fcore/dist-tags"])
def test_what_is_a_part_of_a_packument_is_taken_out_of_the_stored_one(
    nobody: Npm, core: Release, path: str, django_assert_max_num_queries
):
    """Making a packument of some hundred versions takes a second, which anybody could ask for a hundred times."""
    with django_assert_max_num_queries(5) as asked:
        assert nobody.ask(path).status_code == 200
    assert not any("registry_releasemanifest" in one["sql"] for one in asked.captured_queries)


@pytest.mark.parametrize("way", WAYS)
def test_what_is_withdrawn_is_on_no_way(nobody: Npm, core: Release, way: str):
    assert nobody.ask(way).status_code == 200
    Release.objects.filter(pk=core.pk).update(status="quarantined", held_because="It steals cookies.")
    documents.rebuild(core.package)

    answer = nobody.ask(way)
    if way.endswith("dist-tags"):
        assert json.loads(answer.content) == {}
    else:
        assert answer.status_code == (404 if way in NAMES else 403)
        assert "It steals cookies." in json.loads(answer.content)["error"]


@pytest.mark.parametrize("way", WAYS)
def test_a_private_package_does_not_exist_for_strangers(cast: Cast, secret: Release, way: str):
    stranger, member = Npm(builders.token(cast.mallory, "read")), Npm(builders.token(cast.bob, "read"))
    assert {one.ask(way).status_code for one in (Npm(), stranger)} == {404}
    answer = member.ask(way)
    assert answer.status_code == 200
    assert answer["Cache-Control"].startswith("private")


def test_the_newer_version_that_was_skipped_is_named_with_its_reason(
    nobody: Npm, cast: Cast, core: Release, pair: KeyPair
):
    archive = builders.npm_tarball("@acme-utils/core", "1.3.0", scripts={"install": "curl x | sh"})
    newer = builders.published(cast.alice, pair, archive)
    Release.objects.filter(pk=newer.pk).update(status="pending", held_because="It waits for a “maintainer”.")
    documents.rebuild(core.package)

    answer = nobody.ask("@acme-utils%2fcore")
    assert list(json.loads(answer.content)["versions"]) == ["1.2.0"]
    assert answer["npm-notice"] == (
        '@acme-utils/core 1.3.0 is pending here and was skipped: It waits for a "maintainer".'
    )


def test_an_unlisted_version_is_chosen_no_more_and_its_file_stays_for_the_grace(
    nobody: Npm, cast: Cast, core: Release
):
    retiring.unlist(core, builders.actor(cast.root))
    assert nobody.ask("@acme-utils%2fcore").status_code == 404
    assert nobody.ask("@acme-utils/core/-/core-1.2.0.tgz").status_code == 200
    Release.objects.filter(pk=core.pk).update(purge_at=timezone.now())
    assert nobody.ask("@acme-utils/core/-/core-1.2.0.tgz").status_code == 410


def test_a_sold_key_is_told_of_no_tag_that_it_does_not_cover_and_why_it_covers_nothing(
    cast: Cast, pair: KeyPair, secret: Release
):
    builders.published(cast.alice, pair, builders.npm_tarball("@acme-utils/core", "2.0.0-beta.1"), tag="beta")
    holders = []
    for covered in ("<2.0.0-0", "<1"):
        wanted = keys.Wanted(packages=("@acme-utils/core",), constraint="version", range=covered)
        holders.append(Npm(minting.unseal(keys.create(wanted, builders.actor(cast.alice)).sealed)))
    old, none = holders

    tags = "-/package/@acme-utils%2fcore/dist-tags"
    assert (old.ask(tags).json(), none.ask(tags).json()) == ({"latest": "1.2.0"}, {})
    assert json.loads(old.ask("@acme-utils%2fcore").content)["dist-tags"] == {"latest": "1.2.0"}
    refused = none.ask("@acme-utils%2fcore")
    assert (refused.status_code, refused.json()["details"]["code"]) == (403, "VERSION_NOT_COVERED")


def test_the_base_of_a_project_is_for_its_members(cast: Cast, secret: Release):
    raw = builders.token(cast.alice, "read")
    answer = Npm(raw, "/npm/acme/").ask("@acme-utils%2fcore")
    tarball = json.loads(answer.content)["versions"]["1.2.0"]["dist"]["tarball"]
    assert tarball == "http://testserver/npm/acme/@acme-utils/core/-/core-1.2.0.tgz"
    assert Npm(raw).get(tarball.removeprefix("http://testserver")).status_code == 200
    assert Npm(builders.token(cast.mallory, "read"), "/npm/acme/").ask("@acme-utils%2fcore").status_code == 403
    both = {"X-Project-ID": "other"}
    assert Npm(raw, "/npm/acme/").ask("@acme-utils%2fcore", **both).status_code == 403


@pytest.mark.parametrize(
    ("path", "status"), [("left-pad/1.0.0", 404), ("acme/left-pad", 403), ("nope", 404), ("-/whoami", 401)]
)
def test_what_is_not_there_is_said_in_the_shape_that_npm_shows(nobody: Npm, cast: Cast, path: str, status: int):
    answer = nobody.ask(path)
    assert answer.status_code == status
    assert set(json.loads(answer.content)) == {"error", "statusCode", "details"}


def test_a_client_learns_that_the_registry_is_there_and_who_it_is(cast: Cast, nobody: Npm):
    assert nobody.ask("-/ping").json() == {}
    assert Npm(builders.token(cast.alice, "read")).ask("-/whoami").json() == {"username": "alice"}
