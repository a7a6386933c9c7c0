"""Runs: asked for once, worked off in steps, cancelled at any moment, started by a schedule, kept for a while."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts import privacy
from registry import tasks
from registry.errors import Conflict, Forbidden, NotFound
from registry.models import Job, Release
from registry.upstreams import personal_data, syncing
from registry.upstreams.models import Offer, Pull, SyncRun, Upstream
from tests import builders
from tests.registry import invariants
from tests.upstreams.conftest import come_back, counts, ended, stock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("only_own_rules")]


def standing() -> set[str]:
    return {f"{one.package.name} {one.version}" for one in Release.objects.select_related("package")}


def test_a_second_run_beside_the_first_is_refused_with_its_id(upstream, cast):
    run = syncing.start(builders.actor(cast.root), "far")
    for name in ("far", ""):
        with pytest.raises(Conflict) as refusal:
            syncing.start(builders.actor(cast.root), name)
        assert refusal.value.details == {"id": [str(run.pk)]}


def test_a_cancelled_run_takes_nothing_more_and_the_next_goes_on(far, upstream, cast, sync):
    stock(far)
    actor = builders.actor(cast.root)
    run = syncing.start(actor, "far")
    with pytest.raises(Forbidden):
        syncing.cancel(run, builders.actor(cast.alice, "read"))
    syncing.cancel(run, actor)
    tasks.drain()
    assert (far.requests, SyncRun.objects.get().state) == ([], "cancelled")
    with pytest.raises(Conflict, match="over already"):
        syncing.cancel(run, actor)
    assert counts(sync(upstream)) == {"added": 1}


def test_what_is_under_way_when_a_run_is_cancelled_is_not_kept(far, upstream, cast, monkeypatch):
    """Between the download and the release, and between the answer and the page."""
    actor = builders.actor(cast.root)
    for name in ("registry.upstreams.keeping.keep", "registry.upstreams.listing.write"):
        stock(far, "left-pad", f"1.0.{len(name)}")
        run = syncing.start(actor, "far")
        real = import_string(name)

        def late(pull, *rest, real=real, run=run):
            syncing.cancel(run, actor)
            real(pull, *rest)

        with monkeypatch.context() as patched:
            patched.setattr(name, late)
            tasks.drain()
        assert SyncRun.objects.get(pk=run.pk).state == "cancelled"
    assert standing() == set()
    invariants.hold()


def test_strangers_know_nothing_of_private_upstreams(upstream, cast):
    Upstream.objects.update(visibility="private")
    run = syncing.start(builders.actor(cast.alice), "far")
    stranger = builders.actor(cast.mallory)
    with pytest.raises(NotFound):
        syncing.start(stranger, "far")
    with pytest.raises(NotFound):
        syncing.find(run.pk, stranger)
    assert syncing.find(run.pk, builders.actor(cast.bob)) == run


def test_a_schedule_starts_runs_when_its_time_has_come(far, upstream):
    stock(far)
    Upstream.objects.update(every_hours=24, due_at=timezone.now() + timedelta(hours=1))
    assert syncing.start_due() == 0
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert (syncing.start_due(), syncing.start_due()) == (1, 0)
        tasks.drain()
    assert counts(Pull.objects.get()) == {"added": 1}


def test_runs_are_kept_for_a_while_and_what_they_took_for_good(far, upstream, sync):
    stock(far)
    sync(upstream)
    assert syncing.cut() == 0
    with time_machine.travel(timezone.now() + timedelta(days=91)):
        assert syncing.cut() == 1
    assert (Pull.objects.count(), Offer.objects.count(), Release.objects.count()) == (0, 1, 1)


def test_a_pull_whose_job_died_is_ended(upstream, cast):
    run = syncing.start(builders.actor(cast.root), "far")
    Job.objects.filter(kind="sync").update(state=Job.State.DEAD)
    assert syncing.bury_dead() == 1
    assert SyncRun.objects.get(pk=run.pk).state == "failed"


def test_work_is_done_in_steps_and_counts_to_the_same_sum(far, upstream, sync, settings, monkeypatch):
    """A step of no length does one page, or as much as was under way."""
    settings.SYNC_STEP_SECONDS = 0
    monkeypatch.setattr("registry.upstreams.sources.artifactory.ROWS", 7)
    monkeypatch.setattr("registry.upstreams.sources.artifactory.OVERLAP", 2)
    for number in range(16):
        stock(far, f"pack-{number}")
    pull = sync(upstream)
    for _ in range(30):
        come_back()
    assert (counts(pull), ended(pull), pull.total) == ({"added": 16}, "succeeded", 16)
    assert len(far.downloads()) == 16


def test_who_started_a_run_is_told_to_them_and_forgotten_with_them(upstream, cast):
    run = syncing.start(builders.actor(cast.alice), "far")
    assert personal_data.export(cast.alice)["sync_runs"][0]["id"] == run.pk
    privacy.erase(cast.alice, builders.actor(cast.alice))
    assert SyncRun.objects.get().asked_by is None
