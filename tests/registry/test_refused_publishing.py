"""What publishing refuses: signatures, people, names, versions and archives; and that a refusal leaves nothing."""

import io

import pytest

from accounts import signing_keys
from accounts.actors import ANONYMOUS, Actor
from accounts.errors import RegistryError, Unauthenticated
from accounts.models import Membership
from accounts.signatures import SignatureInvalid
from registry import publishing
from registry.errors import Conflict, Forbidden, InvalidInput, Refused, TooLarge
from registry.models import Release
from tests import builders
from tests.registry import invariants

pytestmark = pytest.mark.django_db


def send(body: bytes, actor: Actor, signature: str | None = None, **options) -> Release:
    """One upload, as a door would make it."""
    with publishing.receive(io.BytesIO(body)) as staged:
        return publishing.publish_upload(staged, actor, signature=signature, **options)


# --- signatures that do not count ---------------------------------------------------------------------------------
def test_an_unsigned_archive_is_refused_and_told_how_to_sign(alice, nothing_left):
    with nothing_left(Refused, "unsigned", match="ssh-keygen -Y sign -n codesync"):
        send(builders.npm_tarball(), builders.actor(alice))


def test_a_key_that_nobody_registered_signs_nothing(alice, keys, nothing_left):
    body = builders.npm_tarball()
    with nothing_left(Refused, "unknown_key"):
        send(body, builders.actor(alice), keys["alice"].sign(body))


def test_a_key_of_somebody_else_signs_nothing_of_mine(cast, keys, nothing_left):
    builders.registered_key(cast.mallory, keys["mallory"])
    body = builders.npm_tarball()
    with nothing_left(Refused, "unknown_key"):
        send(body, builders.actor(cast.alice), keys["mallory"].sign(body))


def test_a_removed_key_signs_nothing_new(alice, keys, nothing_left):
    key = builders.registered_key(alice, keys["alice"])
    signing_keys.remove(key, builders.actor(alice))
    body = builders.npm_tarball()
    with nothing_left(Refused, "unknown_key"):
        send(body, builders.actor(alice), keys["alice"].sign(body))


def test_a_signature_over_other_bytes_is_refused(alice, keys, nothing_left):
    builders.registered_key(alice, keys["alice"])
    with nothing_left(SignatureInvalid):
        send(builders.npm_tarball(), builders.actor(alice), keys["alice"].sign(b"something else"))


@pytest.mark.parametrize("namespace", ["file", "git", "codesync2", "CodeSync"])
def test_a_signature_for_another_purpose_is_refused(alice, keys, nothing_left, namespace):
    builders.registered_key(alice, keys["alice"])
    body = builders.npm_tarball()
    with nothing_left(SignatureInvalid):
        send(body, builders.actor(alice), keys["alice"].sign(body, namespace))


@pytest.mark.parametrize("signature", ["", "rubbish", "-----BEGIN SSH SIGNATURE-----\n", "A" * 100_000, "\x00", "é"])
def test_a_damaged_signature_is_refused(alice, keys, nothing_left, signature):
    builders.registered_key(alice, keys["alice"])
    with nothing_left(SignatureInvalid):
        send(builders.npm_tarball(), builders.actor(alice), signature)


def test_every_damaged_byte_of_the_signed_blob_is_noticed(alice, keys):
    builders.registered_key(alice, keys["alice"])
    body = builders.npm_tarball()
    lines = keys["alice"].sign(body).splitlines(keepends=True)
    for at in range(1, len(lines) - 1):
        swapped = "B" if lines[at][0] != "B" else "C"
        damaged = "".join([*lines[:at], swapped + lines[at][1:], *lines[at + 1 :]])
        with pytest.raises(RegistryError):
            send(body, builders.actor(alice), damaged)
    assert not Release.objects.exists()


def test_two_signatures_are_one_too_many(alice, keys, nothing_left):
    builders.registered_key(alice, keys["alice"])
    body = builders.npm_tarball()
    signature = keys["alice"].sign(body)
    with nothing_left(Refused, "signature_twice"):
        send(body + signature.encode(), builders.actor(alice), signature)


# --- people who may not -------------------------------------------------------------------------------------------
def test_nobody_publishes_without_signing_in(cast, keys, nothing_left):
    with nothing_left(Unauthenticated):
        send(builders.npm_tarball(), ANONYMOUS)


def test_a_credential_without_the_scope_publishes_nothing(alice, keys, nothing_left):
    builders.registered_key(alice, keys["alice"])
    body = builders.npm_tarball()
    with nothing_left(Forbidden, "scope_missing"):
        send(body, builders.actor(alice, "read", kind="token"), keys["alice"].sign(body))


def test_a_reader_of_a_project_does_not_publish_into_it(cast, keys, nothing_left):
    Membership.objects.create(project=cast.acme, user=cast.mallory, role="reader")
    builders.registered_key(cast.mallory, keys["mallory"])
    body = builders.npm_tarball()
    with nothing_left(Forbidden):
        send(body, builders.actor(cast.mallory, project=cast.acme), keys["mallory"].sign(body))


def test_a_reader_does_not_reach_the_projects_packages_through_a_project_of_their_own(
    publish, cast, keys, nothing_left
):
    publish()
    Membership.objects.create(project=cast.acme, user=cast.mallory, role="reader")
    builders.registered_key(cast.mallory, keys["mallory"])
    body = builders.npm_tarball(version="6.6.6")
    with nothing_left(Forbidden, "NAME_TAKEN"):
        send(body, builders.actor(cast.mallory), keys["mallory"].sign(body))


def test_a_stranger_cannot_publish_under_a_name_of_ours(publish, cast, keys, nothing_left):
    publish()
    builders.registered_key(cast.mallory, keys["mallory"])
    with nothing_left(Forbidden, "NAME_TAKEN") as caught:
        publish(builders.npm_tarball(version="6.6.6"), by=cast.mallory)
    assert {one["gate"] for one in caught.value.details["verdicts"]} == {"ownership", "reserved"}


def test_a_stranger_cannot_take_another_spelling_of_a_python_name(publish, cast, keys, nothing_left):
    publish(builders.sdist("demo-pkg"))
    builders.registered_key(cast.mallory, keys["mallory"])
    with nothing_left(Forbidden, "NAME_TAKEN"):
        publish(builders.sdist("Demo_Pkg", "2.0.0"), by=cast.mallory)


def test_a_third_party_name_takes_no_versions_of_our_own(publish, cast, keys, nothing_left):
    builders.submitted(cast.bob, "lodash", "4.17.21")
    builders.registered_key(cast.alice, keys["alice"])
    with nothing_left(Forbidden, "NAME_THIRD_PARTY"):
        publish(builders.npm_tarball("lodash", "99.0.0"))


@pytest.mark.parametrize("name", ["publish", "stats"])
def test_reserved_words_are_no_names(publish, alice, keys, nothing_left, name):
    builders.registered_key(alice, keys["alice"])
    with nothing_left(RegistryError):
        publish(builders.npm_tarball(name))


def test_somebody_without_a_project_is_asked_for_one(cast, keys, nothing_left):
    loner = builders.user("loner")
    loner.memberships.all().delete()
    loner.default_project = None
    loner.save()
    builders.registered_key(loner, keys["bob"])
    body = builders.npm_tarball()
    with nothing_left(InvalidInput, match="X-Project-ID"):
        send(body, builders.actor(loner), keys["bob"].sign(body))


# --- what exists already ------------------------------------------------------------------------------------------
def test_a_version_is_published_once(publish, nothing_left):
    publish()
    with nothing_left(Conflict, "version_exists"):
        publish(builders.npm_tarball(files={"index.js": "other bytes"}))


def test_the_same_bytes_are_a_second_publish_all_the_same(publish, nothing_left):
    publish()
    with nothing_left(Conflict, "version_exists"):
        publish()


def test_another_spelling_of_a_python_version_is_the_same_version(publish, nothing_left):
    publish(builders.sdist("demo-pkg", "1.0"))
    with nothing_left(Conflict, "version_exists"):
        publish(builders.sdist("demo-pkg", "1.0.0"))


# --- archives -----------------------------------------------------------------------------------------------------
HOSTILE = {
    "not an archive": b"hello",
    "an empty gzip": builders.tarball([]),
    "no manifest": builders.tarball([("package/index.js", b"1")]),
    "a path that climbs out": builders.tarball(
        [("package/package.json", b'{"name": "x-y", "version": "1.0.0"}'), ("package/../../evil", b"1")]
    ),
    "an absolute path": builders.tarball(
        [("package/package.json", b'{"name": "x-y", "version": "1.0.0"}'), ("/etc/passwd", b"1")]
    ),
    "the same file twice": builders.tarball(
        [("package/package.json", b'{"name": "x-y", "version": "1.0.0"}'), ("package/package.json", b"{}")]
    ),
    "a manifest that is no JSON": builders.tarball([("package/package.json", b"{")]),
    "bytes after the end": builders.npm_tarball() + b"more",
    "half of the archive": builders.npm_tarball()[:-40],
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_archive_is_refused_though_it_is_signed(alice, keys, nothing_left, what):
    builders.registered_key(alice, keys["alice"])
    body = HOSTILE[what]
    with nothing_left(Refused):
        send(body, builders.actor(alice), keys["alice"].sign(body))


def test_an_empty_upload_is_refused_before_anything_else(alice):
    with pytest.raises(InvalidInput, match="no file"):
        send(b"", builders.actor(alice))
    assert invariants.staged() == []


def test_an_upload_beyond_the_limit_is_refused_while_it_streams_in(settings, alice):
    settings.MAX_UPLOAD_MB = 1
    with pytest.raises(TooLarge, match="1 MB"):
        send(b"x" * (1024 * 1024 + 1), builders.actor(alice))
    assert invariants.staged() == []


def test_an_upload_of_exactly_the_limit_arrives():
    with publishing.receive(io.BytesIO(b"x" * 1000), limit=1000) as staged:
        assert staged.size == 1000
    assert invariants.staged() == []
