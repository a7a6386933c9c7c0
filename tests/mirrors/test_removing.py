"""Removal and mending across regions: what is removed goes everywhere, also where nobody answered for a while."""

import os
from datetime import timedelta

import pytest
from django.utils import timezone

from registry import approving as verdicts
from registry import checking, retiring, scrubbing, storage, tasks
from registry.mirrors import layout, patience, stores
from registry.mirrors.models import Debt, Mirror
from registry.models import Blob, Job, Release
from tests import builders
from tests.mirrors import regions

pytestmark = pytest.mark.django_db


def holds(mirror: Mirror, sha256: str) -> bool:
    """Whether the region holds these bytes."""
    return stores.of(mirror).digest_of(layout.file_of(sha256)) is not None


@pytest.fixture
def three(bucket, tmp_path) -> tuple[Mirror, Mirror, Mirror]:
    """A bucket and two directories."""
    return bucket, regions.region(tmp_path / "frankfurt"), regions.region(tmp_path / "warsaw", "warsaw", country="PL")


def test_a_removal_reaches_every_region_and_one_that_was_down_when_it_is_back(three, cast, tmp_path):
    paris, frankfurt, warsaw = three
    gone, stays = regions.held(cast.acme, "core", "1.0.0"), regions.held(cast.acme, "core", "2.0.0")
    regions.catch_up()
    assert all(holds(mirror, one.sha256) for mirror in three for one in (gone, stays))
    retiring.unlist(gone, builders.actor(cast.root))
    regions.catch_up()
    assert all(holds(mirror, gone.sha256) for mirror in three)  # by its number, for its grace

    away = (tmp_path / "warsaw").rename(tmp_path / "away")
    (tmp_path / "warsaw").write_text("a disk that is not there")
    Release.objects.filter(pk=gone.pk).update(purge_at=timezone.now())
    tasks.sweep()
    regions.catch_up()
    assert [holds(mirror, gone.sha256) for mirror in (paris, frankfurt)] == [False, False]
    assert (away / layout.file_of(gone.sha256)).exists()

    (tmp_path / "warsaw").unlink()
    away.rename(tmp_path / "warsaw")
    Mirror.objects.update(retry_at=None)  # its rest ends
    tasks.sweep()  # and a probe finds it answering
    regions.catch_up()
    assert [holds(mirror, gone.sha256) for mirror in three] == [False] * 3
    assert all(holds(mirror, stays.sha256) for mirror in three)
    assert regions.differences(warsaw) == []


def test_what_is_lost_here_comes_back_from_a_bucket_and_is_taken_from_no_region_meanwhile(three, cast):
    paris, *others = three
    release = regions.held(cast.acme, "core")
    regions.catch_up()
    for mirror in others:
        stores.of(mirror).delete(layout.file_of(release.sha256))
    blob = Blob.objects.get()
    storage.local_path(blob).write_bytes(b"x" * blob.size)
    list(scrubbing.scrub())
    assert Blob.objects.get(pk=blob.pk).state == "quarantined"
    regions.catch_up()
    blob.refresh_from_db()
    assert (blob.state, blob.generation) == ("ready", 1)
    assert storage.damage_of(blob) == ""
    assert holds(paris, release.sha256)


def test_a_quarantined_file_reaches_no_region_until_it_is_mended(three, cast, tmp_path):
    release = regions.held(cast.acme, "core")
    blob = Blob.objects.get()
    whole = storage.local_path(blob).read_bytes()
    storage.local_path(blob).unlink()
    list(scrubbing.scrub())
    regions.catch_up()
    assert not any(holds(mirror, release.sha256) for mirror in three)
    backup = tmp_path / "backup"
    backup.write_bytes(whole)
    assert scrubbing.mend_with(backup)
    Job.objects.filter(state=Job.State.OPEN).update(due_at=timezone.now() - timedelta(seconds=1))
    Debt.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    regions.catch_up()
    assert all(holds(mirror, release.sha256) for mirror in three)


def test_a_region_that_hangs_keeps_no_other_from_mending(frankfurt, cast, tmp_path, monkeypatch):
    """A pipe that nobody writes to makes every reader wait, as a dead network disk does."""
    monkeypatch.setattr(patience, "SECONDS", 0.2)
    warsaw = regions.region(tmp_path / "warsaw", "warsaw", country="PL")
    release = regions.held(cast.acme, "core")
    regions.catch_up()
    Mirror.objects.filter(pk=frankfurt.pk).update(answered_at=timezone.now())
    hanging = stores.root_of(frankfurt) / layout.file_of(release.sha256)
    hanging.unlink()
    os.mkfifo(hanging)
    blob = Blob.objects.get()
    storage.local_path(blob).write_bytes(b"x" * blob.size)
    list(scrubbing.scrub())
    tasks.drain()
    blob.refresh_from_db()
    assert (blob.state, holds(warsaw, release.sha256)) == ("ready", True)


def test_a_version_that_was_withdrawn_for_its_bytes_comes_back_with_them(frankfurt, cast, tmp_path, settings):
    approving = ["registry.gates.checks_pass", "registry.gates.review_policy"]
    settings.REGISTRY_GATES = {**settings.REGISTRY_GATES, "approving": approving}
    release = builders.published(cast.alice, builders.key_pair(tmp_path))
    regions.catch_up()
    assert (release.status, holds(frankfurt, release.sha256)) == ("approved", True)
    blob, backup = Blob.objects.get(), tmp_path / "backup"
    path = storage.local_path(blob)
    backup.write_bytes(path.read_bytes())
    path.write_bytes(b"x" * blob.size)
    release.checks.filter(name="integrity").update(status="failed", summary="Not what was uploaded.")
    verdicts.reconsider(release)
    regions.catch_up()
    list(scrubbing.scrub())
    tasks.drain()
    release.refresh_from_db()
    assert (release.status, holds(frankfurt, release.sha256)) == ("quarantined", False)

    assert scrubbing.mend_with(backup)
    Job.objects.filter(kind="mend").update(due_at=timezone.now())
    tasks.drain()
    regions.catch_up()
    release.refresh_from_db()
    assert (release.status, holds(frankfurt, release.sha256)) == ("approved", True)


def test_a_check_that_meets_rotten_bytes_withdraws_no_version_and_takes_no_whole_copy_away(
    frankfurt, cast, tmp_path, settings
):
    approving = ["registry.gates.checks_pass", "registry.gates.review_policy"]
    settings.REGISTRY_GATES = {**settings.REGISTRY_GATES, "approving": approving}
    release = builders.published(cast.alice, builders.key_pair(tmp_path))
    regions.catch_up()
    blob = Blob.objects.get()
    storage.local_path(blob).write_bytes(b"x" * blob.size)
    checking.rescan(release, builders.actor(cast.bob))
    tasks.drain()
    regions.catch_up()
    assert holds(frankfurt, release.sha256)
    list(scrubbing.scrub())
    Job.objects.filter(state=Job.State.OPEN).update(due_at=timezone.now())
    tasks.drain()
    blob.refresh_from_db()
    release.refresh_from_db()
    assert (blob.state, release.status) == ("ready", "approved")
    assert not release.checks.filter(status__in=("failed", "errored", "pending", "running")).exists()
