"""Bytes that rot or vanish: found, held back, mended from a region, and never served."""

import hashlib
import io
import random
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import auditing
from accounts.actors import ANONYMOUS
from accounts.models import AuditEvent
from registry import diagnosing, downloading, publishing, scrubbing, storage, tasks
from registry.errors import Unavailable
from registry.management import diagnosis
from registry.mirrors import layout, stores
from registry.mirrors.models import Mirror
from registry.models import Artifact, Blob, Job, Package, Release
from tests import builders
from tests.registry import invariants

pytestmark = pytest.mark.django_db
SIZE = 3000


@pytest.fixture
def region(db, tmp_path) -> stores.Store:
    """The only region: a directory, empty."""
    Mirror.objects.all().delete()
    return stores.of(
        Mirror.objects.create(region="paris", city="Paris", country="FR", storage_url=f"file:{tmp_path}/paris")
    )


@pytest.fixture
def stock(acme, tmp_path):
    """`stock(n)`: n approved versions of one package, each with bytes of its own in the store; written in bulk."""

    def stock(count: int) -> list[Blob]:
        package = builders.package(acme)
        dice = random.Random(7)
        bodies = [dice.randbytes(SIZE) for _ in range(count)]
        digests = [hashlib.sha256(body).hexdigest() for body in bodies]
        shared = {"package": package, "project": acme, "origin": "published", "status": "approved", "size": SIZE}
        versions = [f"1.0.{number}" for number in range(count)]
        releases = Release.objects.bulk_create(
            Release(version=one, canonical=one, sha256=digest, **shared)
            for one, digest in zip(versions, digests, strict=True)
        )
        blobs = Blob.objects.bulk_create(Blob(sha256=digest, size=SIZE, state="ready") for digest in digests)
        for blob, body in zip(blobs, bodies, strict=True):
            write(storage.local_path(blob), body)
        Artifact.objects.bulk_create(
            Artifact(
                release=release,
                blob=blob,
                filename=f"{release.version}.tgz",
                kind="tgz",
                size=SIZE,
                sha256=blob.sha256,
            )
            for release, blob in zip(releases, blobs, strict=True)
        )
        return blobs

    return stock


def write(path: Path, body: bytes) -> None:
    """Replace a file, as no store of ours would."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(body)


def copied(region: stores.Store, blobs: list[Blob]) -> None:
    """Let the region hold what these blobs are."""
    for blob in blobs:
        write(region.root / layout.file_of(blob.sha256), storage.local_path(blob).read_bytes())


def flip(path: Path) -> None:
    """One bit in the middle."""
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    write(path, bytes(body))


def served(blob: Blob) -> bytes | None:
    """What anybody gets who downloads the version of the blob; None where it is refused as damaged."""
    release = Release.objects.select_related("package__project", "project").get(sha256=blob.sha256)
    try:
        with downloading.open_artifact(release, ANONYMOUS).open() as file:
            return file.read()
    except storage.Damaged:
        return None


def is_right(blob: Blob) -> bool | None:
    """Whether what is served is what was stored; None where nothing is served."""
    body = served(blob)
    return None if body is None else hashlib.sha256(body).hexdigest() == blob.sha256


def scrub(**options) -> scrubbing.Findings:
    """All rounds at once."""
    return [scrubbing.Findings(), *scrubbing.scrub(**options)][-1]


def states(*blobs: Blob) -> list[tuple[str, str]]:
    """The states as the rows have them now."""
    known = dict(Blob.objects.in_bulk([blob.pk for blob in blobs]))
    return [(known[blob.pk].state, known[blob.pk].damage) for blob in blobs]


READY, MISSING, CORRUPT = ("ready", ""), ("quarantined", "missing"), ("quarantined", "corrupt")


def test_of_three_hundred_fifteen_are_damaged_found_and_mended_and_none_is_served(stock, region):
    blobs = stock(300)
    copied(region, blobs)
    dice = random.Random(3)
    damaged = dice.sample(blobs, 15)
    for blob in damaged[:8]:
        flip(storage.local_path(blob))
    for blob, body in zip(damaged[8:10], (b"short", b"x" * (SIZE + 1)), strict=True):
        write(storage.local_path(blob), body)
    for blob in damaged[10:]:
        storage.local_path(blob).unlink()

    before = [is_right(blob) for blob in blobs[:100]]  # readers come before the scrub
    assert False not in before
    assert before.count(None) == len([blob for blob in blobs[:100] if blob in damaged])
    found = scrub()
    assert found.files == 300 - before.count(None)
    assert len(found.damaged) == 15 - before.count(None)
    assert states(*damaged) == [CORRUPT] * 10 + [MISSING] * 5
    assert Blob.objects.filter(state="ready").count() == 285
    tasks.drain()

    assert states(*damaged) == [READY] * 15
    assert [is_right(blob) for blob in blobs] == [True] * 300
    told = AuditEvent.objects.filter(action__startswith="blob.").values_list("action", flat=True)
    assert sorted(told) == ["blob.mended"] * 15 + ["blob.quarantined"] * 15
    assert auditing.verify() == []
    evidence = Blob.objects.filter(state="deleting", damage="corrupt")
    assert all(storage.store().exists(blob.key) for blob in evidence)
    storage.reconcile()
    assert evidence.count() == 10  # kept for a week


def test_a_large_file_that_is_corrupt_breaks_off_before_its_last_block(publish):
    filler = random.Random(5).randbytes(downloading.READ_WHOLE + 300_000).hex()[: downloading.READ_WHOLE * 2]
    release = publish(builders.npm_tarball(files={"filler.js": filler}))
    blob = release.artifacts.get().blob
    assert blob.size > downloading.READ_WHOLE
    flip(storage.local_path(blob))

    address = f"/api/v1/packages/left-pad/versions/{release.version}/download"
    answer = Client().get(address)
    arrived: list[bytes] = []
    with pytest.raises(storage.Damaged):
        arrived.extend(answer.streaming_content)
    assert 0 < len(b"".join(arrived)) < blob.size
    assert states(blob) == [CORRUPT]
    again = Client().get(address)
    assert (again.status_code, again.json()["details"]["damage"]) == (503, "corrupt")
    assert "held back" in again.json()["error"]
    assert Client().head(address).status_code == 503


def test_a_large_file_found_whole_today_is_hashed_again_once_somebody_has_written_to_it(publish):
    body = random.Random(3).randbytes((1 << 20) + 5)
    release = publish(builders.npm_tarball(files={"noise.bin": body}))
    download = downloading.open_artifact(release, ANONYMOUS)
    with download.open() as stream:
        whole = stream.read()
    assert hashlib.sha256(whole).hexdigest() == download.blob.sha256
    read_lately = downloading.open_artifact(release, ANONYMOUS)
    with read_lately.open() as stream:
        assert stream.fileno()  # the kernel may send it
    flip(storage.local_path(download.blob))
    with read_lately.open() as stream, pytest.raises(storage.Damaged):
        shutil.copyfileobj(stream, io.BytesIO())


def test_a_range_of_a_small_file_that_is_corrupt_is_not_served(publish):
    release = publish()
    flip(storage.local_path(release.artifacts.get().blob))
    with pytest.raises(storage.Damaged):
        downloading.open_artifact(release, ANONYMOUS).open(5)


def test_a_region_whose_copy_is_corrupt_mends_nothing_and_the_next_one_does(stock, region, tmp_path):
    (blob,) = stock(1)
    copied(region, [blob])
    flip(region.root / layout.file_of(blob.sha256))
    storage.local_path(blob).unlink()
    scrub()
    tasks.drain()
    assert states(blob) == [MISSING]
    job = Job.objects.get(kind="mend")
    assert job.state == Job.State.OPEN
    assert "is not the file either" in job.last_error

    second = Mirror.objects.create(region="warsaw", city="Warsaw", country="PL", storage_url=f"file:{tmp_path}/warsaw")
    whole = random.Random(7).randbytes(SIZE)
    write(stores.of(second).root / layout.file_of(blob.sha256), whole)
    Job.objects.update(due_at=timezone.now())
    tasks.drain()
    assert states(blob) == [READY]
    assert served(blob) == whole


def test_what_no_region_holds_stays_out_and_is_asked_for_again(stock, region, capsys, tmp_path):
    (blob,) = stock(1)
    whole = storage.local_path(blob).read_bytes()
    flip(storage.local_path(blob))
    scrub()
    tasks.drain()
    assert (states(blob), served(blob)) == ([CORRUPT], None)
    for read in (storage.open_blob, storage.digests):  # no check and no region gets it either
        with pytest.raises(storage.Damaged):
            read(Blob.objects.get(state="quarantined"))
    assert diagnosing.look_at_rows().damaged == 1
    assert "1 stored files are damaged" in diagnosis.look_at_stored_bytes().how
    Job.objects.all().delete()  # a lost one heals
    scrubbing.queue_mending()
    assert Job.objects.get(kind="mend").state == Job.State.OPEN

    backup = tmp_path / "backup.tgz"
    backup.write_bytes(whole)
    call_command("scrub", whole=backup)
    assert states(blob) == [READY]
    assert served(blob) == whole
    assert not diagnosis.look_at_stored_bytes().remedy


def test_bytes_that_come_back_serve_again_by_themselves(stock, region):
    (blob,) = stock(1)
    path = storage.local_path(blob)
    hidden = path.rename(path.with_name("hidden"))
    scrub()
    assert states(blob) == [MISSING]
    hidden.rename(path)
    tasks.drain()
    assert states(blob) == [READY]
    assert AuditEvent.objects.filter(action="blob.reinstated").count() == 1


def test_a_disk_that_is_away_is_no_damage(stock, settings):
    blobs = stock(5)
    root = Path(settings.STORAGE_URL.removeprefix("file://"))
    away = root.rename(root.with_name("away"))
    root.mkdir()
    found = scrub()
    assert (found.files, found.unread) == (0, scrubbing.FAULTS_IN_A_ROW)
    with pytest.raises(Unavailable) as caught:
        storage.open_blob(blobs[0])
    assert not isinstance(caught.value, storage.Damaged)
    root.rmdir()
    away.rename(root)
    assert scrub().files == 5
    assert states(*blobs) == [READY] * 5


def test_a_round_reads_so_much_and_the_next_goes_on_where_it_ended(stock, settings):
    blobs = stock(10)
    long_ago = timezone.now() - timedelta(days=settings.SCRUB_DAYS + 1)
    for number, blob in enumerate(blobs[:8]):  # the last two were never read back
        Blob.objects.filter(pk=blob.pk).update(verified_at=long_ago - timedelta(hours=number))
    order: list[int] = []
    while found := list(scrubbing.scrub(2 * SIZE)):
        assert found[-1].files <= 2
        fresh = Blob.objects.filter(verified_at__gt=long_ago).exclude(pk__in=order)
        order += sorted(fresh.values_list("pk", flat=True))
    by_age = [blob.pk for blob in (blobs[8], blobs[9], *reversed(blobs[:8]))]
    assert [set(order[at : at + 2]) for at in range(0, 10, 2)] == [set(by_age[at : at + 2]) for at in range(0, 10, 2)]


def test_where_nothing_is_due_nothing_is_queued_and_two_looks_at_an_index_suffice(stock):
    stock(3)
    scrubbing.queue_round()
    scrubbing.queue_round()
    assert Job.objects.filter(kind="scrub").count() == 1
    tasks.drain()
    assert not Blob.objects.filter(verified_at=None).exists()
    with CaptureQueriesContext(connection) as asked:
        scrubbing.queue_round()
        scrubbing.queue_mending()
    assert Job.objects.get(kind="scrub").state == Job.State.DONE
    assert len(asked) == 3, [query["sql"] for query in asked]


def test_an_upload_of_the_same_bytes_mends_them_and_is_not_lost_to_the_damage(stock):
    (blob,) = stock(1)
    whole = storage.local_path(blob).read_bytes()
    flip(storage.local_path(blob))
    scrub()
    with publishing.receive(io.BytesIO(whole)) as staged:
        kept = storage.keep(staged)
        storage.confirm(kept)
    assert (kept.pk, kept.generation) == (blob.pk, 1)
    assert served(blob) == whole


def test_bytes_found_damaged_while_they_are_being_published_are_not_called_ready(stock):
    (blob,) = stock(1)
    with publishing.receive(io.BytesIO(storage.local_path(blob).read_bytes())) as staged:
        kept = storage.keep(staged)
        storage.quarantine(kept, "corrupt")
        with pytest.raises(Unavailable):
            storage.confirm(kept)
    assert states(blob) == [CORRUPT]


def test_the_command_reads_everything_and_its_status_tells_of_damage(stock, capsys):
    blobs = stock(4)
    call_command("scrub", all=True)
    assert "4 files read" in capsys.readouterr().out
    call_command("scrub")
    assert "0 files read" in capsys.readouterr().out
    storage.local_path(blobs[2]).unlink()
    with pytest.raises(SystemExit):
        call_command("scrub", all=True)
    said = capsys.readouterr().out
    assert "1 damaged" in said
    assert blobs[2].sha256 in said


def test_a_release_that_is_mended_is_as_it_was(publish, region):
    release = publish()
    blob = release.artifacts.get().blob
    copied(region, [blob])
    storage.local_path(blob).unlink()
    scrub()
    tasks.drain()
    assert Package.objects.get().latest_version == release.version
    Blob.objects.filter(state="deleting").update(touched_at="2020-01-01T00:00:00Z")
    storage.reconcile()
    invariants.hold()
