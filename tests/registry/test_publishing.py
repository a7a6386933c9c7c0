"""Publishing through the activity: what stands afterwards, and what may be chosen."""

import hashlib
import io

import pytest

from accounts import signing_keys
from accounts.actors import Actor
from accounts.models import AuditEvent
from registry import ecosystems, publishing, storage, tasks
from registry.errors import InvalidInput
from registry.models import Artifact, Blob, Check, Decision, Dependency, Document, Package, Release
from tests import builders
from tests.registry import invariants
from tests.registry.sshsig import Signer

pytestmark = pytest.mark.django_db


def send(body: bytes, actor: Actor, signature: str | None = None, **options) -> Release:
    """One upload, as a door would make it."""
    with publishing.receive(io.BytesIO(body)) as staged:
        return publishing.publish_upload(staged, actor, signature=signature, **options)


# --- what stands afterwards ---------------------------------------------------------------------------------------
def test_a_signed_tarball_stands_and_is_approved_after_its_checks(publish):
    release = publish()
    assert release.status == Release.Status.APPROVED
    assert {check.status for check in release.checks.all()} == {"passed"}
    invariants.hold()


def test_before_its_checks_have_ended_a_version_is_pending_and_nobody_gets_it(publish):
    release = publish(checks=False)
    assert (release.status, release.held_because) == ("pending", "Its checks have not ended yet.")
    assert list(release.checks.values_list("name", "status")) == [(n, "pending") for n in invariants.OWN_CHECKS]
    invariants.hold(settled=False)


def test_everything_that_is_known_of_the_file_is_kept_with_it(publish, keys):
    body = builders.npm_tarball("@acme-utils/core", "1.2.0", dependencies={"lodash": "^4.17.0"}, license="MIT")
    release = publish(body)
    artifact = release.artifacts.get()
    assert artifact.sha256 == release.sha256 == hashlib.sha256(body).hexdigest()
    assert artifact.sha512 == hashlib.sha512(body).hexdigest()
    assert artifact.sha1 == hashlib.sha1(body).hexdigest()
    assert (artifact.size, artifact.kind, artifact.signer) == (len(body), "tarball", "alice")
    assert artifact.filename == "core-1.2.0.tgz"
    assert artifact.contents.entries[0][0] == "package/package.json"
    assert Dependency.objects.get(release=release).range == "^4.17.0"
    assert (release.package.name, release.package.scope) == ("@acme-utils/core", "@acme-utils")
    assert release.manifest.raw["name"] == "@acme-utils/core"
    with storage.open_blob(artifact.blob) as file:
        assert file.read() == body


def test_the_first_publisher_of_a_name_maintains_it_and_their_project_owns_it(publish, cast):
    package = publish(checks=False).package
    assert package.project == cast.acme
    assert [one.user for one in package.maintainers.all()] == [cast.alice]


@pytest.mark.parametrize("make", [builders.npm_tarball, builders.sdist, builders.wheel])
def test_the_ecosystem_is_read_from_the_content(publish, make):
    release = publish(make())
    assert release.package.ecosystem == ("npm" if make is builders.npm_tarball else "pypi")
    assert release.status == "approved"
    invariants.hold()


@pytest.mark.parametrize(("kind", "bits"), [("ed25519", None), ("ecdsa", 256), ("ecdsa", 521), ("rsa", 3072)])
def test_every_kind_of_key_that_ssh_keygen_makes_may_sign(alice, tmp_path, kind, bits):
    pair = builders.key_pair(tmp_path, kind, bits)
    assert builders.published(alice, pair).status == "approved"


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("hash_name", ["sha512", "sha256"])
def test_a_signature_made_by_another_implementation_is_as_good(alice, kind, hash_name):
    signer, body = Signer(kind), builders.npm_tarball()
    signing_keys.register(alice, "ci", signer.public, builders.actor(alice))
    release = send(body, builders.actor(alice), signer.sign(body, hash_name=hash_name))
    tasks.drain()
    assert release.checks.get(name="signature").status == "passed"
    invariants.hold()


def test_an_appended_signature_is_cut_off_and_the_archive_kept_as_it_was(alice, keys):
    builders.registered_key(alice, keys["alice"])
    body = builders.npm_tarball()
    release = send(body + keys["alice"].sign(body).encode(), builders.actor(alice))
    tasks.drain()
    release.refresh_from_db()
    assert release.status == "approved"
    assert (release.size, release.sha256) == (len(body), hashlib.sha256(body).hexdigest())
    invariants.hold()


def test_the_signature_is_kept_so_that_anybody_can_verify_it(publish, keys):
    artifact = publish(body := builders.npm_tarball()).artifacts.get()
    assert artifact.signature == keys["alice"].sign(body)
    assert artifact.signature_public_key.split()[1] == keys["alice"].public.split()[1]


def test_what_a_removed_key_signed_stays_valid(publish, alice):
    release = publish(checks=False)
    signing_keys.remove(alice.signing_keys.get(), builders.actor(alice))
    tasks.drain()
    release.refresh_from_db()
    assert release.status == "approved"


def test_a_colleague_publishes_the_next_version(publish, cast):
    publish()
    release = publish(builders.npm_tarball(version="1.1.0"), by=cast.bob)
    assert release.package.project == cast.acme
    assert release.status == "approved"


def test_an_admin_may_publish_to_every_project(publish, cast, keys):
    publish()
    body = builders.npm_tarball(version="1.1.0")
    builders.registered_key(cast.root, keys["root"])
    assert send(body, builders.actor(cast.root), keys["root"].sign(body)).package.project == cast.acme


# --- options ------------------------------------------------------------------------------------------------------
def test_access_says_whether_a_new_package_is_private(publish):
    assert publish(access="private").package.visibility == "private"


def test_without_access_the_project_says_it(publish, cast):
    cast.acme.visibility = "private"
    cast.acme.save()
    assert publish().package.visibility == "private"
    invariants.hold()


def test_a_further_version_cannot_change_who_sees_the_package(publish, nothing_left):
    publish()
    with nothing_left(InvalidInput):
        publish(builders.npm_tarball(version="1.1.0"), access="private")


def test_a_category_is_kept_until_another_is_given(publish):
    publish(category="WEB")
    publish(builders.npm_tarball(version="1.1.0"))
    assert Package.objects.get().category == "WEB"
    publish(builders.npm_tarball(version="1.2.0"), category="DATA")
    assert Package.objects.get().category == "DATA"


def test_a_tag_moves_once_the_version_is_approved(publish):
    release = publish(tag="next", checks=False)
    assert not release.package.dist_tags.exists()
    tasks.drain()
    assert list(release.package.dist_tags.values_list("tag", "release__version")) == [("next", "1.0.0")]


@pytest.mark.parametrize(
    ("first", "second", "latest"),
    [("1.0.0", "1.1.0", "1.1.0"), ("1.1.0", "1.0.1", "1.1.0"), ("1.0.0", "2.0.0-beta.1", "1.0.0"),
     ("2.0.0-beta.1", "1.0.0", "1.0.0"), ("1.0.0-a", "1.0.0-b", "1.0.0-b"), ("9.0.0", "10.0.0", "10.0.0")],
)  # fmt: skip
def test_latest_only_moves_up_and_never_to_a_pre_release(publish, first, second, latest):
    publish(builders.npm_tarball(version=first))
    package = publish(builders.npm_tarball(version=second)).package
    package.refresh_from_db()
    assert package.dist_tags.get(tag="latest").release.version == latest
    assert package.latest_version == latest


@pytest.mark.parametrize("tag", ["", "1.0.0", "a b", "x" * 65, "a/b", "9lives", "né;x"])
def test_a_tag_that_is_no_word_is_refused(publish, nothing_left, alice, keys, tag):
    builders.registered_key(alice, keys["alice"])
    with nothing_left(InvalidInput):
        publish(tag=tag)


@pytest.mark.parametrize("option", [{"access": "secret"}, {"category": "NONSENSE"}])
def test_an_unknown_option_is_refused(publish, nothing_left, alice, keys, option):
    builders.registered_key(alice, keys["alice"])
    with nothing_left(InvalidInput):
        publish(**option)


# --- several names and bytes --------------------------------------------------------------------------------------
def test_every_publish_leaves_one_audit_event_that_names_who_and_what(publish, alice):
    release = publish(checks=False)
    event = AuditEvent.objects.get(action="release.publish")
    assert event.object == "npm:left-pad@1.0.0"
    assert event.actor == str(alice.pseudonym)
    assert event.details["sha256"] == release.sha256
    assert event.project == "acme"
    assert event.address == "192.0.2.0/24"


def test_a_manual_project_waits_for_a_maintainer(publish, cast):
    cast.acme.review_policy = "manual"
    cast.acme.save()
    release = publish()
    assert release.status == "pending"
    assert "wants a maintainer to decide" in release.held_because
    assert not Decision.objects.exists()
    invariants.hold()


def test_checks_that_fail_hold_the_version_back_and_say_why(publish, cast):
    publish(builders.npm_tarball("left-pad"))
    release = publish(builders.npm_tarball("ieft-pad"))
    assert release.status == "pending"
    assert release.checks.get(name="name").status == Check.Status.FAILED
    assert "left-pad" in release.held_because
    assert release.package.latest_status == "pending"
    invariants.hold()


def test_a_thousand_dependencies_cost_no_query_each(publish, django_assert_max_num_queries, alice, keys):
    builders.registered_key(alice, keys["alice"])
    body = builders.npm_tarball(dependencies={f"dep-{n}": "^1.0.0" for n in range(1000)})
    signature = keys["alice"].sign(body)
    with django_assert_max_num_queries(75):
        send(body, builders.actor(alice), signature)
    assert Dependency.objects.count() == 1000


def test_publishing_writes_each_row_once(publish):
    publish()
    assert [model.objects.count() for model in (Package, Release, Artifact, Blob, Decision)] == [1] * 5
    assert sorted(Document.objects.values_list("kind", flat=True)) == ["detail", "packument", "packument-abbreviated"]


def test_an_archive_of_one_ecosystem_is_never_taken_for_another(publish):
    for make in (builders.npm_tarball, builders.sdist, builders.wheel):
        name = f"same-{make.__name__.replace('_', '-')}"
        assert publish(make(name)).package.ecosystem in {one.slug for one in ecosystems.ALL}
    assert Package.objects.filter(ecosystem="pypi").count() == 2
