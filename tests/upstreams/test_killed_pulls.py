"""kill -9 at any point of a pull: another worker goes on, nothing is done twice, and the figures are right.

A sample runs with the suite; CRASH_POINTS=all kills at every single point.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.db import connection

from accounts.actors import SYSTEM
from accounts.models import AuditEvent
from registry import storage, tasks
from registry.models import Release
from registry.upstreams import syncing
from registry.upstreams.models import Offer, Pull, SyncRun
from registry.upstreams.sources import artifactory
from tests.registry import crashing, invariants
from tests.upstreams.conftest import stock

pytestmark = [
    pytest.mark.crash, pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("only_own_rules"),
]  # fmt: skip
BEGINNING = datetime.now(UTC)
PACKAGES = 4
SAMPLE = 5


def pull(room: Path) -> None:
    """Ask for a run if there was none, and work off what is to do."""
    with time_machine.travel(BEGINNING, tick=True):
        if not SyncRun.objects.exists():
            syncing.start(SYSTEM, "far")
        tasks.drain()


def go_on(room: Path) -> None:
    """A worker of the next hours: the leases of the killed one have ended."""
    with time_machine.travel(BEGINNING, tick=True) as clock:
        for hours in (1, 25, 26, 2):
            clock.shift(timedelta(hours=hours))
            tasks.drain()
            storage.reconcile()
        if not SyncRun.objects.exists():  # it was killed before the run was written
            syncing.start(SYSTEM, "far")
            tasks.drain()


def examine(room: Path) -> None:
    """Every package once, counted once, told once."""
    with time_machine.travel(BEGINNING + timedelta(days=4), tick=True):
        assert Release.objects.filter(origin="synced", status="approved").count() == PACKAGES
        assert set(Offer.objects.values_list("state", flat=True)) == {"held"}
        one = Pull.objects.get()
        figures = (one.state, one.total, one.done, one.added, one.skipped, one.failed)
        assert figures == ("succeeded", PACKAGES, PACKAGES, PACKAGES, 0, 0)
        assert SyncRun.objects.get().state == "succeeded"
        for action, times in (("sync.started", 1), ("release.sync", PACKAGES), ("sync.ended", 1)):
            assert AuditEvent.objects.filter(action=action).count() == times, action
        invariants.hold()


@pytest.fixture
def stage(far, upstream, tmp_path, monkeypatch):
    """Rooms that begin with the upstream and nothing of it; the server lives outside of them."""
    monkeypatch.setattr(artifactory, "ROWS", 4)
    monkeypatch.setattr(artifactory, "OVERLAP", 1)
    settings.SYNC_PARALLEL = 2
    for number in range(PACKAGES):
        stock(far, f"pack-{number}")
    yield crashing.Stage(tmp_path, crashing.rooms_for(tmp_path))
    connection.close()


def chosen(count: int) -> list[int]:
    """Every point, or a sample spread evenly over all of them."""
    if os.environ.get("CRASH_POINTS") == "all":
        return list(range(1, count + 1))
    return sorted({1 + round(step * (count - 1) / (SAMPLE - 1)) for step in range(SAMPLE)})


def test_a_pull_that_is_killed_at_any_point_is_finished_by_another_worker(stage, far):
    with stage.room() as room:
        points = stage.play(room, pull)
        stage.play(room, examine)
    whole = len(far.downloads())
    assert (whole, len(points) > 150) == (PACKAGES, True)
    failures = []
    for point in chosen(len(points)):
        far.requests.clear()
        with stage.room() as room:
            try:
                stage.play(room, pull, kill_at=point)
                stage.play(room, go_on)
                stage.play(room, examine)
                assert len(far.downloads()) <= PACKAGES + 2 * settings.SYNC_PARALLEL, "what was here was fetched again"
            except AssertionError as failure:
                failures.append(f"point {point}, {points[point - 1]}:\n{failure}")
    print(f"{len(chosen(len(points)))} of {len(points)} points on {connection.vendor}, {len(failures)} failed")
    assert not failures, "\n\n".join(failures[:3])
