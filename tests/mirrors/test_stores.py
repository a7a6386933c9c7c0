"""What a region is stored in: whole objects or none, and the same answers from a directory and from a bucket."""

import hashlib
import os
import random

import pytest

from registry.mirrors import regions as verbs
from registry.mirrors import stores
from registry.mirrors.models import Mirror
from registry.mirrors.stores import Mismatch
from tests import builders
from tests.mirrors import regions

pytestmark = [pytest.mark.django_db, pytest.mark.once]
BODY = random.Random(7).randbytes(300_000)
DIGEST = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def source(tmp_path):
    """The file that is sent."""
    path = tmp_path / "source"
    path.write_bytes(BODY)
    return path


def test_what_is_put_is_read_back_listed_and_gone(anywhere, source):
    store = stores.of(anywhere)
    store.probe()
    assert (store.digest_of("files/a/x"), store.read("files/a/x"), store.target_of("files/a/x")) == (None,) * 3
    store.put("files/a/x", source, len(BODY), DIGEST)
    store.write("files/b", b"small")
    store.link("files/a-", "files/a/x")
    assert store.digest_of("files/a/x") == (len(BODY), DIGEST)
    with store.open("files/a/x") as stream:
        assert stream.read() == BODY
    keys = ["files/a-", "files/a/x", "files/b"]
    assert [one.key for one in store.entries("files/")] == keys
    assert [one.key for one in store.entries("files/", "files/a-")] == keys[1:]
    assert [one.key for one in store.entries("files/", "files/a/x", limit=1)] == ["files/b"]
    assert [store.target_of(key) for key in keys] == ["files/a/x", None, None]
    store.link("files/a-", "files/b")
    assert store.target_of("files/a-") == "files/b"
    for key in [*keys, "files/never"]:
        store.delete(key)
    assert store.entries("files/") == []
    with pytest.raises(FileNotFoundError):
        store.open("files/b")


@pytest.mark.parametrize(("size", "digest"), [(len(BODY) - 1, DIGEST), (len(BODY), "0" * 64)])
def test_bytes_that_are_not_what_was_recorded_never_appear(anywhere, source, size, digest):
    store = stores.of(anywhere)
    with pytest.raises(Mismatch):
        store.put("files/x", source, size, digest)
    assert store.entries("files/") == []


def test_a_bucket_that_takes_other_bytes_is_not_believed(bucket, source, monkeypatch):
    store = stores.of(bucket)
    real = store.client.put_object
    monkeypatch.setattr(store.client, "put_object", lambda **how: real(**{**how, "Body": b"something else"}))
    with pytest.raises(Mismatch):
        store.put("files/x", source, len(BODY), DIGEST)
    assert store.entries("files/") == []


def test_no_name_leads_out_of_the_directory(frankfurt, tmp_path):
    store = stores.of(frankfurt)
    for key in ("../x", "a/../../x", "/x", "a//b", ""):
        with pytest.raises(OSError, match="no name"):
            store.write(key, b"?")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name == "x") == []


def test_what_a_dead_process_left_half_written_goes_after_an_hour(frankfurt):
    store = stores.of(frankfurt)
    store.write("files/x", b"whole")
    aside = stores.root_of(frankfurt) / ".partial"
    (aside / "young").write_bytes(b"ha")
    (aside / "old").write_bytes(b"ha")
    os.utime(aside / "old", (0, 0))
    assert (store.clean(), sorted(path.name for path in aside.iterdir())) == (1, ["young"])


def test_a_region_is_stored_where_its_row_says_or_else_the_settings(frankfurt, settings, tmp_path):
    settings.MIRROR_STORAGE_URL = "s3://mirrors/{region}?endpoint_url=http://127.0.0.1:1&region_name=eu-central-1"
    assert isinstance(stores.of(frankfurt), stores.Directory)
    frankfurt.storage_url = ""
    assert stores.of(frankfurt).prefix == "frankfurt/"
    frankfurt.storage_url = "file:mirrors/frankfurt"
    assert stores.root_of(frankfurt) == settings.DATA_DIR / "mirrors/frankfurt"
    for wrong in ("ftp://x", "s3://x?endpoint_url=nonsense", "s3://x?unknown=1"):
        with pytest.raises(OSError, match=r"stored at|cannot be used"):
            stores.of(Mirror(region="x", storage_url=wrong))


def test_only_admins_pause_resume_verify_and_rebuild(frankfurt, cast):
    from accounts.models import AuditEvent
    from registry.errors import Conflict, Forbidden

    for verb in (verbs.pause, verbs.resume, verbs.verify, verbs.rebuild):
        with pytest.raises(Forbidden):
            verb(frankfurt, builders.actor(cast.bob))
    root = builders.actor(cast.root)
    verbs.pause(frankfurt, root)
    with pytest.raises(Conflict):
        verbs.pause(frankfurt, root)
    verbs.resume(frankfurt, root)
    with pytest.raises(Conflict):
        verbs.resume(frankfurt, root)
    verbs.verify(frankfurt, root)
    verbs.rebuild(frankfurt, root)
    told = AuditEvent.objects.filter(action__startswith="mirror.").order_by("seq").values_list("action", flat=True)
    assert list(told) == ["mirror.paused", "mirror.resumed", "mirror.verified", "mirror.rebuilt"]


def test_a_region_stands_in_europe_unless_the_instance_says_otherwise(db, settings):
    from django.core.exceptions import ValidationError

    mirror = Mirror(region="boston", city="Boston", country="US")
    with pytest.raises(ValidationError, match="European Economic Area"):
        mirror.full_clean()
    settings.MIRROR_RESIDENCY = False
    mirror.full_clean()
    assert regions.region("/nowhere", "reykjavik", country="IS").is_followed
