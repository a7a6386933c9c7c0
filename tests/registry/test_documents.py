"""Documents: what a package says of itself, built when something changes, read with one query."""

import itertools
import random

import orjson
import pytest
from django.db import transaction

from registry import approving, documents, ecosystems, publishing, retiring, tasks
from registry.models import Change, Document, Package
from tests import builders
from tests.registry import invariants

pytestmark = pytest.mark.django_db

CONTRACT_ROW = {"name", "version", "ecosystem", "status", "license", "description", "category", "keywords",
                "downloads", "updated_at"}  # fmt: skip
CONTRACT_DETAIL = CONTRACT_ROW | {
    "scope", "homepage", "repository", "visibility", "project", "maintainers", "submitted_by", "submitted_at",
    "approved_by", "approved_at", "dist_tags", "versions", "dependencies", "also_in",
}  # fmt: skip
CONTRACT_VERSION = {"version", "status", "origin", "published_at", "license", "size", "integrity", "sha256", "shasum",
                    "dependencies", "unlisted", "purge_at", "deprecated", "signature", "scan",
                    "download_url"}  # fmt: skip


def stored(name: str = "left-pad", ecosystem: str = "npm") -> dict:
    """The stored document."""
    return orjson.loads(bytes(documents.read(name, ecosystem).body))


def test_the_document_has_the_contracts_shape(publish):
    publish(builders.npm_tarball("@acme-utils/core", "1.2.0", dependencies={"lodash": "^4"}))
    detail = stored("@acme-utils/core")
    assert set(detail) == CONTRACT_DETAIL
    assert set(detail["versions"][0]) == CONTRACT_VERSION
    assert set(documents.summary_row(Package.objects.get())) == CONTRACT_ROW
    version = detail["versions"][0]
    assert (detail["scope"], detail["version"], detail["dependencies"]) == ("@acme-utils", "1.2.0", {"lodash": "^4"})
    assert version["download_url"] == "/api/v1/packages/@acme-utils/core/versions/1.2.0/download"
    assert version["integrity"].startswith("sha512-")
    assert version["signature"]["format"] == "sshsig"
    assert version["scan"] == {"status": "pending", "critical": 0, "high": 0, "medium": 0, "low": 0, "unknown": 0}
    assert detail["dist_tags"] == {"latest": "1.2.0"}
    assert detail["maintainers"] == [{"username": "alice"}]
    assert detail["approved_by"] == "policy"


def test_times_are_iso_8601_in_utc(publish):
    publish()
    for key in ("updated_at", "submitted_at", "approved_at"):
        assert stored()[key].endswith("Z")


def test_e_mail_addresses_are_masked_unless_they_may_be_seen(alice, bob):
    release = builders.submitted(alice)
    tasks.drain()
    approving.approve(release, builders.actor(bob))
    assert (stored()["submitted_by"], stored()["approved_by"]) == ("a***@example.com", "b***@example.com")
    shown = documents.detail(release.package, reveal=True)
    assert (shown["submitted_by"], shown["approved_by"]) == ("alice@example.com", "bob@example.com")
    assert b"alice@example.com" not in bytes(Document.objects.get().body)


@pytest.mark.parametrize(
    ("address", "masked"),
    [("user@example.com", "u***@example.com"), ("u@e.com", "u***@e.com"), ("", ""), ("no address", "no address")],
)
def test_the_mask_keeps_the_first_letter_and_the_host(address, masked):
    assert documents.mask_email(address) == masked


def test_every_change_gives_the_document_another_tag(publish, bob, root):
    tags = []
    release = publish(checks=False)
    tags.append(documents.read("left-pad").etag)
    tasks.drain()
    tags.append(documents.read("left-pad").etag)
    approving.quarantine(release, builders.actor(bob), reason="a worm")
    tags.append(documents.read("left-pad").etag)
    retiring.unlist(release, builders.actor(root))
    tags.append(documents.read("left-pad").etag)
    assert len(set(tags)) == 4
    assert all(tag.startswith('"') and tag.endswith('"') for tag in tags)


def test_a_rebuild_that_changes_nothing_but_time_keeps_what_it_says(publish):
    package = publish().package
    before = stored() | {"updated_at": None}
    with transaction.atomic():
        documents.rebuild(package)
    assert stored() | {"updated_at": None} == before


def test_every_rebuild_stands_in_the_change_feed(publish, bob):
    release = publish()
    approving.quarantine(release, builders.actor(bob), reason="a worm")
    kinds = list(Change.objects.order_by("seq").values_list("kind", flat=True))
    assert kinds == ["published", "approved", "quarantined"]


def test_a_document_is_read_with_one_query_in_any_spelling(publish, django_assert_num_queries):
    publish(builders.sdist("Demo.Pkg"))
    for spelling in ("demo-pkg", "Demo_Pkg", "DEMO.PKG"):
        with django_assert_num_queries(1):
            assert documents.read(spelling, "pypi")
        with django_assert_num_queries(1):
            assert documents.read(spelling)
    assert documents.read("absent") is None


def test_namesakes_elsewhere_name_each_other(publish):
    publish(builders.npm_tarball("demo-pkg"))
    assert stored("demo-pkg", "npm")["also_in"] == []
    publish(builders.sdist("demo-pkg"))
    assert stored("demo-pkg", "npm")["also_in"] == ["pypi"]
    assert stored("demo-pkg", "pypi")["also_in"] == ["npm"]
    assert documents.read("demo-pkg").lookup == "npm:demo-pkg"
    invariants.hold()


def test_a_private_namesake_is_not_named(publish):
    publish(builders.npm_tarball("demo-pkg"))
    publish(builders.sdist("demo-pkg"), access="private")
    assert stored("demo-pkg", "npm")["also_in"] == []
    invariants.hold()


@pytest.mark.parametrize("count", [1, 40])
def test_a_rebuild_costs_the_same_however_many_versions_there_are(acme, django_assert_max_num_queries, count):
    package = builders.package(acme)
    for number in range(count):
        builders.release(package, f"1.0.{number}")
    documents.rebuild(package)
    with django_assert_max_num_queries(22), transaction.atomic():
        documents.rebuild(package)


# --- which version is latest --------------------------------------------------------------------------------------
ORDERS = {
    "npm": ["0.9.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0", "1.9.0", "1.10.0"],
    "pypi": ["1.0.dev1", "1.0a1", "1.0rc1", "1.0", "1.0.post1", "1.9", "1.10", "2!0.1"],
    "maven": ["1.0-alpha-1", "1.0-beta-1", "1.0-SNAPSHOT", "1.0", "1.0-sp-1", "1.9", "1.10"],
}


@pytest.mark.parametrize("ecosystem", ORDERS)
def test_versions_stand_newest_first_by_the_ecosystems_own_order(acme, ecosystem):
    name = "org.demo:demo" if ecosystem == "maven" else "demo"
    package = builders.package(acme, name, ecosystem)
    shuffled = random.Random(1).sample(ORDERS[ecosystem], len(ORDERS[ecosystem]))
    for version in shuffled:
        builders.release(package, version)
    documents.rebuild(package)
    assert [one["version"] for one in stored(name, ecosystem)["versions"]] == ORDERS[ecosystem][::-1]


@pytest.mark.parametrize(
    ("releases", "latest"),
    [
        ({"1.0.0": "approved", "2.0.0": "pending"}, "1.0.0"),
        ({"1.0.0": "approved", "2.0.0-rc.1": "approved"}, "1.0.0"),
        ({"1.0.0-rc.1": "approved", "1.0.0-rc.2": "approved"}, "1.0.0-rc.2"),
        ({"1.0.0": "pending", "0.9.0": "pending"}, "0.9.0"),
        ({"1.0.0": "rejected"}, "1.0.0"),
        ({"1.9.0": "approved", "1.10.0": "approved"}, "1.10.0"),
        ({"2.0.0": "quarantined", "1.0.0-beta": "approved", "0.1.0": "pending"}, "1.0.0-beta"),
    ],
)
def test_latest_is_the_highest_approved_else_the_newest_of_any_status(acme, releases, latest):
    package = builders.package(acme)
    for version, status in releases.items():
        builders.release(package, version, status)
    documents.rebuild(package)
    package.refresh_from_db()
    assert (package.latest_version, stored()["version"]) == (latest, latest)
    assert package.latest_status == releases[latest]


def test_latest_does_not_depend_on_the_order_of_arrival(acme):
    versions = ["1.0.0", "1.2.0-rc.1", "1.1.0"]
    for number, order in enumerate(itertools.permutations(versions)):
        package = builders.package(acme, f"demo-{number}")
        for version in order:
            builders.release(package, version)
        documents.rebuild(package)
        package.refresh_from_db()
        assert package.latest_version == "1.1.0"


def test_the_latest_version_speaks_for_the_package(publish):
    publish(builders.npm_tarball(version="2.0.0", description="the second", keywords=["two"]))
    publish(builders.npm_tarball(version="1.0.1", description="an old fix", keywords=["one"]))
    package = Package.objects.get()
    assert (package.description, package.keywords) == ("the second", ["two"])
    invariants.hold()


# --- addresses ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "version", "url"),
    [
        ("left-pad", "1.0.0", "/api/v1/packages/left-pad/versions/1.0.0"),
        ("@acme/core", "1.0.0+build.5", "/api/v1/packages/@acme/core/versions/1.0.0+build.5"),
        ("library/nginx", "1.25", "/api/v1/packages/library/nginx/versions/1.25"),
        ("library/versions", "1.25", "/api/v1/packages/library%2Fversions/versions/1.25"),
        ("@acme/versions", "1.0.0", "/api/v1/packages/@acme/versions/versions/1.0.0"),
        ("org.slf4j:slf4j-api", "2.0.9", "/api/v1/packages/org.slf4j%3Aslf4j-api/versions/2.0.9"),
    ],
)
def test_the_address_of_a_version_leads_back_to_it(name, version, url):
    assert documents.version_url(Package(ecosystem="npm", name=name), version) == url


def test_every_ecosystem_has_a_place_in_the_look_up(publish):
    assert documents.lookup_key("pypi", "Demo.Pkg") == "pypi:demo-pkg"
    assert {documents.lookup_key(one.slug, "x").partition(":")[0] for one in ecosystems.ALL} == {
        "npm", "pypi", "maven", "docker", "generic"
    }  # fmt: skip
    assert publishing.find_named("pypi", "nothing") is None
