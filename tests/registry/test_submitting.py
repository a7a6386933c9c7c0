"""Third-party packages are asked for; machines check them, a maintainer decides."""

import io

import pytest

from accounts.actors import ANONYMOUS
from accounts.errors import RegistryError, Unauthenticated
from accounts.models import AuditEvent
from registry import approving, publishing, submitting, tasks
from registry.errors import Conflict, Forbidden, InvalidInput, Refused
from registry.models import Artifact, Package, Release
from tests import builders
from tests.registry import invariants

pytestmark = pytest.mark.django_db


def ask(actor, name="left-pad", version="1.3.0", ecosystem="npm", upload=None, **fields) -> Release:
    """A submission, perhaps with its file."""
    asked = submitting.Submission(ecosystem=ecosystem, name=name, version=version, **fields)
    if upload is None:
        return submitting.submit(asked, actor)
    with publishing.receive(io.BytesIO(upload)) as staged:
        return submitting.submit(asked, actor, staged)


def test_a_submission_waits_for_a_maintainer_once_its_checks_have_ended(alice):
    release = ask(builders.actor(alice), license="MIT", description="pads", keywords=("pad", "left"))
    tasks.drain()
    release.refresh_from_db()
    assert (release.status, release.origin) == ("pending", "submitted")
    assert "approved by a maintainer" in release.held_because
    assert release.package.keywords == ["pad", "left"]
    assert not Artifact.objects.exists()
    invariants.hold()


def test_checks_that_need_a_file_are_skipped_where_there_is_none(alice):
    release = ask(builders.actor(alice))
    tasks.drain()
    assert dict(release.checks.values_list("name", "status")) == {
        "archive": "skipped", "manifest": "passed", "integrity": "skipped", "signature": "skipped", "name": "passed"
    }  # fmt: skip


def test_a_file_that_comes_along_is_read_and_kept_and_needs_no_signature(alice, bob):
    release = ask(builders.actor(alice), upload=builders.npm_tarball("left-pad", "1.3.0"))
    tasks.drain()
    assert release.checks.get(name="archive").status == "passed"
    assert release.checks.get(name="signature").status == "skipped"
    assert approving.approve(release, builders.actor(bob)).status == "approved"
    invariants.hold()


def test_what_the_file_says_counts_more_than_what_the_submitter_says(alice):
    body = builders.npm_tarball("left-pad", "1.3.0", license="GPL-3.0-only", description="the truth")
    release = ask(builders.actor(alice), license="MIT", description="a claim", upload=body)
    assert (release.license, release.manifest.description) == ("GPL-3.0-only", "the truth")


@pytest.mark.parametrize(
    "body",
    [builders.npm_tarball("right-pad", "1.3.0"), builders.npm_tarball("left-pad", "1.4.0"),
     builders.sdist("left-pad", "1.3.0")],
)  # fmt: skip
def test_a_file_of_another_package_is_refused(alice, nothing_left, body):
    with nothing_left(Refused, "other_package"):
        ask(builders.actor(alice), upload=body)


def test_a_hostile_file_is_refused(alice, nothing_left):
    with nothing_left(Refused):
        ask(builders.actor(alice), upload=b"rubbish")


def test_a_known_version_is_not_submitted_again_in_any_spelling(alice, bob, nothing_left):
    ask(builders.actor(alice), "demo", "1.0", "pypi")
    with nothing_left(Conflict, "version_exists"):
        ask(builders.actor(bob), "Demo", "1.0.0", "pypi")


def test_the_same_name_elsewhere_is_another_package(alice):
    ask(builders.actor(alice), "demo", "1.0.0", "npm")
    ask(builders.actor(alice), "demo", "1.0.0", "pypi")
    assert Package.objects.count() == 2
    tasks.drain()
    invariants.hold()


def test_nobody_else_asks_for_versions_of_a_private_third_party_package(alice, mallory):
    package = ask(builders.actor(alice)).package
    Package.objects.filter(pk=package.pk).update(visibility="private")
    with pytest.raises(Forbidden):
        ask(builders.actor(mallory), version="1.3.1")
    assert ask(builders.actor(alice), version="1.3.1").version == "1.3.1"


def test_anybody_may_ask_for_a_further_version_of_a_third_party_package(alice, mallory):
    ask(builders.actor(alice))
    release = ask(builders.actor(mallory), version="1.4.0")
    assert release.package.releases.count() == 2
    assert release.project.slug == "elsewhere"


def test_nobody_slips_a_version_under_an_internal_name(publish, mallory, nothing_left):
    publish(builders.npm_tarball("@acme/internal", "1.0.0"))
    with nothing_left(Forbidden, "NAME_TAKEN"):
        ask(builders.actor(mallory), "@acme/internal", "99.0.0")


def test_an_unapproved_submission_does_not_describe_what_was_approved(alice, bob, mallory):
    first = ask(builders.actor(alice), description="pads", homepage="https://pad.example", category="TEXT")
    tasks.drain()
    approving.approve(first, builders.actor(bob))
    ask(builders.actor(mallory), version="99.0.0", homepage="https://evil.example", category="SECURITY")
    package = Package.objects.get()
    assert (package.homepage, package.description, package.category) == ("https://pad.example", "pads", "TEXT")
    assert package.latest_version == "1.3.0"
    tasks.drain()
    invariants.hold()


def test_the_submitter_is_the_caller_unless_somebody_is_named(alice):
    assert ask(builders.actor(alice)).submitted_for == "alice@example.com"
    assert ask(builders.actor(alice), version="2.0.0", submitted_by="zoe@corp.example").submitted_for == (
        "zoe@corp.example"
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "UPPER"},
        {"name": "../../etc/passwd"},
        {"name": "a" * 215},
        {"name": "a\x00b"},
        {"version": ""},
        {"version": "banana"},
        {"version": "1" * 300},
        {"ecosystem": "cobol"},
        {"license": "x" * 256},
        {"description": "x" * 10_001},
        {"homepage": "javascript:alert(1)"},
        {"homepage": "https://a.example/\nSet-Cookie: x"},
        {"repository": "file:///etc/passwd"},
        {"submitted_by": "not an address"},
        {"submitted_by": "a@b@c"},
        {"submitted_by": "a" * 300 + "@example.com"},
        {"category": "NONSENSE"},
        {"note": "x" * 4_001},
    ],
    ids=lambda fields: next(iter(fields)) + ":" + next(iter(fields.values()))[:12].encode("unicode_escape").decode(),
)
def test_a_bad_field_is_refused_and_nothing_remains(alice, nothing_left, fields):
    with nothing_left(InvalidInput):
        ask(builders.actor(alice), **fields)


@pytest.mark.parametrize(
    "link", ["https://pad.example/x?y=1#z", "http://pad.example", "git+https://git.example/pad.git", ""]
)
def test_addresses_of_the_usual_kinds_are_taken(alice, link):
    assert ask(builders.actor(alice), homepage=link, repository=link).manifest.homepage == link


def test_nobody_submits_without_signing_in(nothing_left, cast):
    with nothing_left(Unauthenticated):
        ask(ANONYMOUS)


def test_a_credential_without_the_scope_submits_nothing(alice, nothing_left):
    with nothing_left(Forbidden, "scope_missing"):
        ask(builders.actor(alice, "read", kind="token"))


def test_a_reserved_word_is_no_name(alice, nothing_left):
    with nothing_left(RegistryError):
        ask(builders.actor(alice), "publish")


def test_a_submission_leaves_one_audit_event(alice):
    ask(builders.actor(alice))
    assert AuditEvent.objects.filter(action="release.submit", object="npm:left-pad@1.3.0").count() == 1


@pytest.mark.parametrize(
    ("ecosystem", "name", "version"),
    [("npm", "@types/node", "20.1.0"), ("pypi", "zope.interface", "6.0rc1"), ("maven", "org.slf4j:slf4j-api", "2.0.9"),
     ("docker", "library/nginx", "1.25.3"), ("generic", "tool", "2024-01")],
)  # fmt: skip
def test_every_ecosystem_can_be_asked_for(alice, ecosystem, name, version):
    release = ask(builders.actor(alice), name, version, ecosystem)
    tasks.drain()
    assert release.package.ecosystem == ecosystem
    invariants.hold()
