"""Unlisting at once, restoring within the grace, removing after it: timers are rows, so clocks may jump."""

import io
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from accounts import auditing
from accounts.actors import ANONYMOUS
from accounts.models import AuditEvent
from registry import approving, downloading, publishing, resolving, retiring, searching, storage, tasks
from registry.errors import Conflict, Forbidden, Gone, NotFound
from registry.models import Blob, Change, Job, Package, Release, ReleaseManifest
from tests import builders
from tests.registry import invariants
from tests.registry.test_races import race

pytestmark = pytest.mark.django_db
DAY = timedelta(hours=24)


@pytest.fixture
def clock():
    """A clock that the test moves."""
    with time_machine.travel(datetime(2026, 11, 21, 12, tzinfo=UTC), tick=False) as traveller:
        yield traveller


def read(release: Release) -> bytes:
    """What anybody gets who downloads it."""
    with downloading.open_artifact(release, ANONYMOUS).open() as file:
        return file.read()


def test_an_unlisted_version_is_gone_at_once_and_still_downloadable_by_number(publish, root):
    first, second = publish(builders.npm_tarball(version="1.0.0")), publish(builders.npm_tarball(version="1.1.0"))
    retiring.unlist(second, builders.actor(root))
    package = Package.objects.get()
    assert package.latest_version == "1.0.0"
    assert resolving.resolve(package, "^1.0.0") == ("1.0.0", 1)
    assert resolving.find_release(package, "latest", ANONYMOUS) == first
    assert read(resolving.find_release(package, "1.1.0", ANONYMOUS))
    invariants.hold()


def test_a_package_without_listed_versions_is_in_no_list(publish, root):
    retiring.unlist(publish(), builders.actor(root))
    assert list(searching.search(searching.Query(), ANONYMOUS)) == []
    assert not Package.objects.listed().exists()


def test_the_purge_is_due_after_the_grace(publish, root, settings, clock):
    settings.PURGE_GRACE_HOURS = 3
    release = retiring.unlist(publish(), builders.actor(root))
    assert release.purge_at - release.unlisted_at == timedelta(hours=3)
    assert Job.objects.get(kind="purge").due_at >= release.purge_at


def test_a_minute_before_the_grace_is_over_the_file_is_still_here(publish, root, clock):
    release = retiring.unlist(publish(), builders.actor(root))
    clock.shift(DAY - timedelta(minutes=1))
    tasks.drain()
    assert read(release)


def test_after_the_grace_the_file_is_gone_and_a_tombstone_answers(publish, root, clock):
    release = publish()
    digest = release.sha256
    retiring.unlist(release, builders.actor(root))
    clock.shift(DAY + timedelta(seconds=1))
    tasks.drain()
    release.refresh_from_db()
    assert release.is_purged
    with pytest.raises(Gone) as caught:
        read(resolving.find_release(release.package, "1.0.0", ANONYMOUS))
    assert caught.value.details["sha256"] == digest
    assert release.artifacts.get().blob is None
    assert AuditEvent.objects.filter(action="release.purged").count() == 1
    assert storage.reconcile()["deleted"] == 0
    assert invariants.objects() != set()  # for an hour more, for those who are reading it
    clock.shift(storage.DELETE_GRACE + timedelta(seconds=1))
    assert storage.reconcile()["deleted"] == 1
    assert invariants.objects() == set()
    invariants.hold()


def test_a_purge_happens_once_however_often_it_is_asked_for(publish, root, clock):
    release = publish()
    retiring.unlist(release, builders.actor(root))
    clock.shift(DAY * 2)
    job = Job.objects.get(kind="purge")
    for _ in range(3):
        retiring.purge(job)
    tasks.drain()
    assert AuditEvent.objects.filter(action="release.purged").count() == 1
    assert Change.objects.filter(kind="purged").count() == 1


def test_a_purge_that_comes_too_early_comes_back(publish, root, clock):
    release = publish()
    retiring.unlist(release, builders.actor(root))
    job = Job.objects.get(kind="purge")
    Job.objects.update(due_at=datetime(2026, 11, 21, 12, tzinfo=UTC))  # a machine whose clock runs a day ahead
    tasks.run_due()
    job.refresh_from_db()
    assert job.state == Job.State.OPEN
    assert timedelta(0) < job.due_at - release.purge_at + timedelta(seconds=1) < timedelta(minutes=1)
    clock.shift(DAY * 2)
    tasks.drain()
    release.refresh_from_db()
    assert release.is_purged


def test_a_version_is_restored_within_the_grace_as_if_nothing_had_been(publish, root, clock):
    release = publish(tag="next")
    retiring.unlist(release, builders.actor(root))
    clock.shift(timedelta(hours=23))
    retiring.restore(release, builders.actor(root))
    clock.shift(DAY * 30)
    tasks.drain()
    release.refresh_from_db()
    assert (release.unlisted_at, release.purge_at, release.purged_at) == (None, None, None)
    assert release.package.dist_tags.get().tag == "next"
    assert Package.objects.get().latest_version == "1.0.0"
    assert [one.answer for one in release.decisions.all()] == ["restored", "unlisted", "approved"]
    invariants.hold()


def test_a_restored_version_does_not_take_back_a_tag_that_moved_on(publish, root):
    first = publish(builders.npm_tarball(version="1.0.0"), tag="next")
    retiring.unlist(first, builders.actor(root))
    publish(builders.npm_tarball(version="1.1.0"), tag="next")
    retiring.restore(first, builders.actor(root))
    assert first.package.dist_tags.get(tag="next").release.version == "1.1.0"


def test_unlisted_again_the_grace_begins_anew(publish, root, clock):
    release = publish()
    retiring.unlist(release, builders.actor(root))
    clock.shift(timedelta(hours=20))
    retiring.restore(release, builders.actor(root))
    retiring.unlist(release, builders.actor(root))
    clock.shift(timedelta(hours=20))
    tasks.drain()
    assert read(release)
    clock.shift(timedelta(hours=5))
    tasks.drain()
    release.refresh_from_db()
    assert release.is_purged
    invariants.hold(settled=False)


def test_a_removal_whose_job_was_lost_or_given_up_happens_all_the_same(publish, root, clock):
    lost, dead = publish(builders.npm_tarball(version="1.0.0")), publish(builders.npm_tarball(version="1.1.0"))
    for release in (lost, dead):
        retiring.unlist(release, builders.actor(root))
    Job.objects.filter(kind="purge", ref=lost.pk).delete()
    Job.objects.filter(kind="purge", ref=dead.pk).update(state=Job.State.DEAD)
    clock.shift(DAY - timedelta(seconds=1))
    tasks.sweep()
    assert not Release.objects.filter(purged_at__isnull=False).exists()
    clock.shift(timedelta(seconds=1))
    tasks.sweep()
    assert Release.objects.filter(purged_at__isnull=False).count() == 2
    assert AuditEvent.objects.filter(action="release.purged").count() == 2
    tasks.sweep()
    assert Change.objects.filter(kind="purged").count() == 2


def test_the_grace_ends_at_its_instant_even_where_no_worker_runs(publish, root, clock):
    release = publish()
    retiring.unlist(release, builders.actor(root))
    clock.shift(DAY)
    release.refresh_from_db()
    with pytest.raises(Gone) as caught:
        read(release)
    assert caught.value.details["purged_at"] == release.purge_at
    with pytest.raises(Conflict):
        retiring.restore(release, builders.actor(root))
    tasks.drain()
    invariants.hold(settled=False)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a clock of its own has a database that is a server")
def test_a_machine_whose_clock_runs_ahead_removes_nothing_early(publish, root, settings):
    settings.GRACE_BY_DATABASE_CLOCK = True
    release = retiring.unlist(publish(), builders.actor(root))
    with time_machine.travel(release.purge_at + timedelta(hours=1)):
        tasks.sweep()
        job = Job.objects.get(kind="purge")
        assert (job.state, job.attempts) == (Job.State.OPEN, 0)
        release.refresh_from_db()
        assert not release.is_purged
        retiring.restore(release, builders.actor(root))
    release.refresh_from_db()
    assert not release.is_unlisted


def test_what_is_removed_is_not_restored(publish, root, clock):
    release = publish()
    retiring.unlist(release, builders.actor(root))
    clock.shift(DAY * 2)
    tasks.drain()
    with pytest.raises(Conflict) as caught:
        retiring.restore(release, builders.actor(root))
    assert caught.value.code == "not_restorable"


def test_a_name_and_version_once_used_is_never_used_again(publish, root, clock, nothing_left):
    release = publish()
    retiring.unlist(release, builders.actor(root))
    with nothing_left(Conflict, "version_exists"):
        publish()
    clock.shift(DAY * 2)
    tasks.drain()
    with nothing_left(Conflict, "version_exists"):
        publish(builders.npm_tarball(files={"index.js": "other bytes"}))


def test_another_spelling_of_a_removed_version_is_the_same_version(publish, root, clock, nothing_left):
    retiring.unlist(publish(builders.sdist(version="1.0")), builders.actor(root))
    clock.shift(DAY * 2)
    tasks.drain()
    for version in ("1.0", "1.0.0", "v1.0"):
        with nothing_left(Conflict, "version_exists"):
            publish(builders.sdist(version=version, Summary="other bytes"))


def test_unlisting_twice_and_restoring_what_is_listed_are_conflicts(publish, root):
    release = publish()
    with pytest.raises(Conflict):
        retiring.restore(release, builders.actor(root))
    retiring.unlist(release, builders.actor(root))
    with pytest.raises(Conflict) as caught:
        retiring.unlist(release, builders.actor(root))
    assert caught.value.code == "already_unlisted"


@pytest.mark.parametrize("who", ["alice", "bob", "mallory"])
def test_only_admins_unlist_and_restore(publish, root, cast, who):
    release = publish()
    with pytest.raises(Forbidden):
        retiring.unlist(release, builders.actor(getattr(cast, who)))
    retiring.unlist(release, builders.actor(root))
    with pytest.raises(Forbidden):
        retiring.restore(release, builders.actor(getattr(cast, who)))


def test_an_admins_token_without_the_scope_unlists_nothing(publish, root):
    with pytest.raises(Forbidden):
        retiring.unlist(publish(), builders.actor(root, "review", kind="token"))


@pytest.mark.parametrize(
    ("name", "ecosystem", "fields"),
    [
        ("left-pad", "npm", {}),
        ("a-product", "generic", {"visibility": "private"}),
        ("asked-for", "pypi", {"origin": "submitted", "status": "pending"}),
    ],
)
def test_bytes_that_another_version_shares_survive_the_purge_and_the_clean_up(
    publish, acme, root, clock, name, ecosystem, fields
):
    release = publish()
    seen = {"visibility": fields.pop("visibility")} if "visibility" in fields else {}
    package = release.package if name == "left-pad" else builders.package(acme, name, ecosystem, **seen)
    twin = builders.release(package, "2.0.0", sha256=release.sha256, size=release.size, **fields)
    ReleaseManifest.objects.create(release=twin)
    artifact = release.artifacts.get()
    artifact.pk, artifact.release, artifact.filename = None, twin, "left-pad-2.0.0.tgz"
    artifact._state.adding = True
    artifact.save()
    retiring.unlist(release, builders.actor(root))
    for _ in range(3):
        clock.shift(DAY * 2)
        tasks.drain()
        storage.reconcile()
    with storage.open_blob(twin.artifacts.get().blob) as file:
        assert len(file.read()) == release.size
    assert Blob.objects.get().state == Blob.State.READY
    retiring.unlist(twin, builders.actor(root))  # the last one takes them along
    clock.shift(DAY * 2)
    tasks.drain()
    clock.shift(DAY)
    storage.reconcile()
    assert invariants.objects() == set()


def test_bytes_that_somebody_is_publishing_again_are_left_to_the_publication(publish, root, clock):
    body = builders.npm_tarball()
    release = publish(body)
    retiring.unlist(release, builders.actor(root))
    clock.shift(DAY * 2)
    with publishing.receive(io.BytesIO(body)) as staged:
        blob = storage.keep(staged)
        tasks.drain()
        storage.confirm(blob)
    blob.refresh_from_db()
    assert blob.state == Blob.State.READY


@pytest.mark.django_db(transaction=True)
def test_of_a_restore_and_a_removal_at_the_same_instant_exactly_one_happens(publish, root):
    actor = builders.actor(root)
    for number in range(2 * int(os.environ.get("RACE_ROUNDS", "2"))):
        release = publish(builders.npm_tarball(version=f"1.0.{number}"))
        retiring.unlist(release, actor)
        job = Job.objects.get(kind="purge", ref=release.pk)
        end = timezone.now() + timedelta(milliseconds=40 * (number % 2))  # of the grace: before or amid the race
        Release.objects.filter(pk=release.pk).update(purge_at=end)
        undecided = Release.objects.filter(pk=release.pk, purge_at__isnull=False, purged_at__isnull=True)

        def remove(job=job, undecided=undecided) -> None:
            while undecided.exists():
                with suppress(tasks.Later):
                    retiring.purge(job)

        ended = race([remove, partial(retiring.restore, release, actor)] * 6)
        now = Release.objects.get(pk=release.pk)
        restored = ended["won"] - 6  # those who remove are content either way
        assert (restored, now.is_purged, now.is_unlisted) in [(1, False, False), (0, True, True)], ended
        told = AuditEvent.objects.filter(object=f"npm:left-pad@{release.version}", outcome="done")
        assert told.filter(action__in=("release.purged", "release.restored")).count() == 1
        assert (now.artifacts.get().blob_id is None) == now.is_purged
    tasks.drain()
    assert auditing.verify() == []


def test_the_same_bytes_published_before_the_clean_up_get_a_key_of_their_own(publish, cast, root, clock):
    body = builders.npm_tarball()
    release = publish(body)
    retiring.unlist(release, builders.actor(root))
    clock.shift(DAY * 2)
    tasks.drain()
    assert Blob.objects.get().state == Blob.State.DELETING
    Release.objects.filter(pk=release.pk).update(version="0.0.1", canonical="0.0.1")  # frees the number, for this test
    again = publish(body)
    assert again.artifacts.get().blob.generation == 1
    clock.shift(timedelta(hours=2))
    assert storage.reconcile()["deleted"] == 1
    assert read(again)


def test_unlisting_and_purging_pending_or_rejected_versions_works_alike(alice, bob, root, clock):
    waiting, refused = builders.submitted(alice), builders.submitted(alice, version="1.4.0")
    tasks.drain()
    approving.reject(refused, builders.actor(bob), reason="no")
    for release in (waiting, refused):
        retiring.unlist(release, builders.actor(root))
    clock.shift(DAY * 2)
    tasks.drain()
    assert Release.objects.filter(purged_at__isnull=False).count() == 2
    invariants.hold()


def test_a_removed_version_is_in_no_document(publish, root, clock):
    publish(builders.npm_tarball(version="1.0.0"))
    release = publish(builders.npm_tarball(version="1.1.0"))
    retiring.unlist(release, builders.actor(root))
    clock.shift(DAY * 2)
    tasks.drain()
    invariants.hold(settled=False)
    written = [bytes(one.body) for one in Package.objects.get().documents.all()]
    assert written
    assert not [body for body in written if b'"1.1.0"' in body]


def test_a_version_that_never_was_is_not_found(publish):
    with pytest.raises(NotFound):
        resolving.find_release(publish().package, "9.9.9", ANONYMOUS)


def test_publishing_while_the_clean_up_runs_loses_nothing(publish):
    publish()
    with publishing.receive(io.BytesIO(b"bytes that nobody publishes")) as staged:
        blob = storage.keep(staged)
        assert storage.reconcile() == {"unreferenced": 0, "deleted": 0, "strays": 0, "staging": 0}
        assert storage.store().exists(blob.key)
