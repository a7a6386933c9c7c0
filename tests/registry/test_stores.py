"""Blob stores: one suite for the directory and for S3, then faults that are S3's own."""

import hashlib
import io
import itertools
import os
import random
import time
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from registry import blobstores, buckets, storage, tasks
from registry.errors import Unavailable
from registry.models import Blob, Release
from tests import builders
from tests.registry import invariants
from tests.registry.faulty import Faulty, proxy

BODY = random.Random(1).randbytes(300_000)
KEY = f"sha256/ab/cd/{hashlib.sha256(BODY).hexdigest()}.0"
BUCKETS = itertools.count()


@pytest.fixture(scope="module")
def s3_server():
    """An S3 server in this process."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()
    server.stop()


@pytest.fixture(scope="module")
def s3_address(s3_server):
    """The S3 server behind a proxy that fails on demand."""
    with proxy(*s3_server) as address:
        yield address


@pytest.fixture
def s3_url(s3_address, monkeypatch) -> str:
    """A fresh bucket."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "tests", "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_MAX_ATTEMPTS": "2", "AWS_RETRY_MODE": "standard",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    Faulty.script.clear()
    url = f"s3://blobs-{next(BUCKETS)}/kept?endpoint_url={s3_address}"
    store = blobstores.from_url(url)
    place = {"LocationConstraint": "eu-central-1"}
    store.client.create_bucket(Bucket=store.bucket, CreateBucketConfiguration=place)
    Faulty.seen.clear()
    return url


@pytest.fixture(params=["directory", "s3"])
def store(request, tmp_path) -> blobstores.BlobStore:
    """Each kind of store, empty."""
    if request.param == "directory":
        return blobstores.from_url(f"file://{tmp_path / 'store'}")
    return blobstores.from_url(request.getfixturevalue("s3_url"))


@pytest.fixture
def source(tmp_path) -> Path:
    """The file that is put into the store."""
    path = tmp_path / "source"
    path.write_bytes(BODY)
    return path


def put(store: blobstores.BlobStore, source: Path, key: str = KEY, size: int | None = None) -> None:
    """Put the file, or its beginning."""
    body = source.read_bytes()[:size]
    store.put_if_absent(key, source, len(body), hashlib.sha256(body).hexdigest())


def test_what_is_put_is_there_and_opens_at_any_offset(store, source):
    assert not store.exists(KEY)
    put(store, source)
    assert store.exists(KEY)
    for offset in (0, 1, 70_000, len(BODY) - 1):
        with store.open(KEY, offset) as file:
            assert file.read() == BODY[offset:]


def test_reading_in_pieces_gives_the_same(store, source):
    put(store, source)
    with store.open(KEY) as file:
        assert b"".join(iter(lambda: file.read(4096), b"")) == BODY


def test_a_second_put_leaves_the_first_as_it_is(store, source, tmp_path):
    put(store, source)
    other = tmp_path / "other"
    other.write_bytes(b"!" * len(BODY))
    put(store, other)
    with store.open(KEY) as file:
        assert file.read() == BODY


def test_only_the_first_bytes_are_kept_where_a_signature_follows(store, source):
    put(store, source, size=1000)
    with store.open(KEY) as file:
        assert file.read() == BODY[:1000]


def test_the_source_may_vanish_afterwards(store, source):
    put(store, source)
    source.unlink()
    with store.open(KEY) as file:
        assert file.read(10) == BODY[:10]


def test_what_is_deleted_is_gone_and_may_be_deleted_again(store, source):
    put(store, source)
    store.delete(KEY)
    store.delete(KEY)
    assert not store.exists(KEY)
    with pytest.raises(OSError):  # any fault of a store
        store.open(KEY)


def test_only_old_objects_are_listed_as_old(store, source):
    put(store, source)
    assert list(store.old_keys(time.time() - 60)) == []
    assert list(store.old_keys(time.time() + 60)) == [KEY]


def test_more_objects_than_a_page_holds_are_all_listed(store, source):
    source.write_bytes(b"x")
    keys = {f"sha256/ab/{number:02x}/{number:064x}.0" for number in range(60)}
    for key in keys:
        put(store, source, key)
    if isinstance(store, blobstores.S3Store):
        real = store.client.get_paginator("list_objects_v2").paginate
        assert real(Bucket=store.bucket, PaginationConfig={"PageSize": 7}).build_full_result()["Contents"]
    assert set(store.old_keys(time.time() + 60)) == keys


def test_an_unknown_kind_of_store_is_named():
    with pytest.raises(ValueError, match="ftp://"):
        blobstores.from_url("ftp://example/x")


# --- a directory's own --------------------------------------------------------------------------------------------
def test_a_torn_object_is_replaced_by_a_whole_one(tmp_path, source):
    store = blobstores.DirectoryStore(tmp_path / "store")
    put(store, source)
    target = store.local_path(KEY)
    target.unlink()
    target.write_bytes(BODY[:100])
    put(store, source)
    assert target.read_bytes() == BODY


def test_a_copy_leaves_no_partial_file(tmp_path, source):
    store = blobstores.DirectoryStore(tmp_path / "store")
    put(store, source, size=1000)
    assert [path.name for path in (tmp_path / "store").rglob("*") if path.is_file()] == [KEY.rpartition("/")[2]]


def test_on_a_full_disk_nothing_appears_under_the_key(tmp_path, source, monkeypatch):
    store = blobstores.DirectoryStore(tmp_path / "store")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        put(store, source, size=1000)
    assert not store.exists(KEY)
    assert not [path for path in (tmp_path / "store").rglob("*") if path.is_file()]


# --- faults of S3 -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "script", [["500"], ["503"], ["refused"], ["lost"], ["500", "ok"], ["lost", "500", "ok"], ["lost", "lost", "ok"]]
)
def test_a_put_survives_what_a_retry_survives(s3_url, source, script):
    store = blobstores.from_url(s3_url)
    Faulty.script.extend(script)
    put(store, source)
    Faulty.script.clear()
    with store.open(KEY) as file:
        assert file.read() == BODY
    assert len(list(store.old_keys(time.time() + 60))) == 1


@pytest.mark.parametrize("script", [["500"] * 9, ["refused"] * 9, ["503"] * 9])
def test_a_put_that_never_arrives_is_an_error_and_can_be_done_again(s3_url, source, script):
    store = blobstores.from_url(s3_url)
    Faulty.script.extend(script)
    with pytest.raises(OSError, match="S3"):
        put(store, source)
    Faulty.script.clear()
    assert not store.exists(KEY)
    put(store, source)
    assert store.exists(KEY)


@pytest.mark.parametrize("fault", ["500", "503", "refused", "lost"])
def test_every_other_question_to_a_dead_store_is_an_os_error(s3_url, source, fault):
    store = blobstores.from_url(s3_url)
    put(store, source)
    for ask in (
        lambda: store.open(KEY),
        lambda: store.exists(KEY),
        lambda: store.delete(KEY),
        lambda: list(store.old_keys(time.time())),
    ):
        Faulty.script.extend([fault] * 9)
        with pytest.raises(OSError, match="S3"):
            ask()
        Faulty.script.clear()


def test_a_body_that_breaks_off_is_an_error_and_never_a_short_file(s3_url, source):
    store = blobstores.from_url(s3_url)
    put(store, source)
    Faulty.script.extend(["cut"])
    with pytest.raises(OSError, match="rest of"), store.open(KEY) as file:
        file.read()


# --- what is too long for one request -----------------------------------------------------------------------------
LONG = random.Random(2).randbytes(11 * 2**20)


@pytest.fixture
def in_parts(monkeypatch, source) -> Path:
    """A file of three parts, the smallest that S3 takes."""
    monkeypatch.setattr(buckets, "PART", 5 * 2**20)
    source.write_bytes(LONG)
    return source


def unfinished(store: blobstores.S3Store) -> int:
    return len(store.client.list_multipart_uploads(Bucket=store.bucket).get("Uploads", []))


@pytest.mark.parametrize(
    "script", [[], ["ok", "500"], ["ok"] * 3 + ["lost", "ok"], ["ok"] * 5 + ["lost"], ["503", "lost"]]
)
def test_a_long_file_goes_in_parts_and_survives_what_a_retry_survives(s3_url, in_parts, script):
    store = blobstores.from_url(s3_url)
    Faulty.script.extend(script)
    put(store, in_parts)
    Faulty.script.clear()
    with store.open(KEY, 5 * 2**20 - 3, 10) as file:
        assert file.read() == LONG[5 * 2**20 - 3 :][:10]
    assert hashlib.file_digest(store.open(KEY), "sha256").hexdigest() == hashlib.sha256(LONG).hexdigest()


def test_a_long_file_that_is_there_already_is_left_as_it_is(s3_url, in_parts, tmp_path):
    store = blobstores.from_url(s3_url)
    place = {"Bucket": store.bucket, "Key": f"kept/{KEY}"}
    store.client.put_object(**place, Body=b"first")
    with pytest.raises(OSError, match="did not take"):  # another size under the same key: somebody else's doing
        put(store, in_parts)
    assert (store.open(KEY).read(), unfinished(store)) == (b"first", 0)
    store.client.delete_object(**place)
    put(store, in_parts)
    Faulty.seen.clear()
    put(store, in_parts)
    assert Faulty.seen == ["HEAD ok"]


def test_a_long_file_that_never_arrives_leaves_nothing_unfinished(s3_url, in_parts):
    store = blobstores.from_url(s3_url)
    Faulty.script.extend(["ok", "ok", "500", "500"])
    with pytest.raises(OSError, match="S3"):
        put(store, in_parts)
    Faulty.script.clear()
    assert (store.exists(KEY), unfinished(store)) == (False, 0)


def test_a_staged_file_that_changed_on_the_way_is_not_stored(s3_url, in_parts):
    store = blobstores.from_url(s3_url)
    with pytest.raises(OSError, match="has changed"):
        store.put_if_absent(KEY, in_parts, len(LONG), hashlib.sha256(b"another").hexdigest())
    assert (store.exists(KEY), unfinished(store)) == (False, 0)


def test_parts_that_a_dead_process_left_are_given_up(s3_url):
    store = blobstores.from_url(s3_url)
    store.client.create_multipart_upload(Bucket=store.bucket, Key=f"kept/{KEY}")
    assert (store.forget_unfinished(1.0), unfinished(store)) == (0, 1)
    assert (store.forget_unfinished(time.time()), unfinished(store)) == (1, 0)  # this server dates them all to 2010


# --- whether a store is well --------------------------------------------------------------------------------------
def test_a_store_that_is_well_says_so_and_keeps_nothing_of_the_question(store, tmp_path):
    store.probe(1.0)
    assert list(store.old_keys(time.time() + 60)) == [] == list(tmp_path.rglob("*probe*"))


def test_a_store_that_is_away_is_a_fault(s3_url):
    store = blobstores.from_url(s3_url)
    Faulty.script.extend(["500"] * 9)
    with pytest.raises(OSError, match="S3"):
        store.probe(1.0)
    Faulty.script.clear()
    with pytest.raises(OSError, match="S3"):
        blobstores.from_url(s3_url.replace("s3://", "s3://no-such-")).probe(1.0)
    with pytest.raises(OSError, match="proc"):
        blobstores.from_url("file:///proc/registry").probe(1.0)


# --- the whole portal on S3 ---------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_publish_on_s3_stands_is_checked_and_is_cleaned_away_when_refused(s3_url, settings, publish):
    settings.STORAGE_URL = s3_url
    release = publish()
    assert release.status == "approved"
    invariants.hold()


@pytest.mark.django_db
def test_a_publish_while_s3_is_down_is_unavailable_and_can_be_repeated(s3_url, settings, publish):
    settings.STORAGE_URL = s3_url
    Faulty.script.extend(["500"] * 9)
    with pytest.raises(Unavailable):
        publish()
    Faulty.script.clear()
    assert not Release.objects.exists()
    assert publish().status == "approved"
    assert Blob.objects.count() == 1
    invariants.hold()


@pytest.mark.django_db
def test_random_faults_lose_nothing_and_store_nothing_twice(s3_url, settings, publish):
    settings.STORAGE_URL = s3_url
    dice = random.Random(4)
    acknowledged = []
    for number in range(12):
        Faulty.script.extend(dice.choices(["ok", "500", "lost", "refused", "503"], weights=[6, 2, 3, 1, 1], k=40))
        body = builders.npm_tarball(version=f"1.0.{number}")
        try:
            acknowledged.append(publish(body, checks=False).version)
        except Unavailable:
            Faulty.script.clear()
            acknowledged.append(publish(body, checks=False).version)
        Faulty.script.clear()
    tasks.drain()
    assert Release.objects.filter(status="approved").count() == 12
    assert len(invariants.objects()) == Blob.objects.count() == len(acknowledged) == 12
    invariants.hold()


@pytest.mark.django_db
def test_cleaning_goes_on_where_one_object_cannot_be_deleted(s3_url, settings, publish):
    settings.STORAGE_URL = s3_url
    publish()
    lost = Blob.objects.create(sha256="a" * 64, size=1, state="deleting", touched_at="2020-01-01T00:00:00Z")
    Faulty.script.extend(["500"] * 2)
    assert storage.reconcile()["deleted"] == 0
    assert Blob.objects.filter(pk=lost.pk).exists()
    Faulty.script.clear()
    assert storage.reconcile()["deleted"] == 1
    invariants.hold()


# --- what is being staged -----------------------------------------------------------------------------------------
@pytest.mark.once
def test_staged_files_are_cleared_up_once_their_process_is_dead_and_never_before(settings):
    settings.STAGING_DIR.mkdir(parents=True)
    left, of_others = settings.STAGING_DIR / ("a" * 32), settings.STAGING_DIR / "scanned.whl"
    for path in (left, of_others):
        path.write_bytes(b"x")
    with storage.stage(io.BytesIO(b"being read")) as staged:
        for path in (left, of_others, staged.path):
            os.utime(path, (0, time.time() - 3600))
        assert storage._delete_old_staging() == 1
        assert sorted(settings.STAGING_DIR.iterdir()) == sorted([of_others, staged.path])
        os.utime(of_others, (0, time.time() - 90_000))
        os.utime(staged.path, (0, time.time() - 90_000))
        assert storage._delete_old_staging() == 1
        assert list(settings.STAGING_DIR.iterdir()) == [staged.path]
    assert list(settings.STAGING_DIR.iterdir()) == []
