"""kill -9 at points of bringing, withdrawing and comparing: the next run ends as if nothing had happened.

A sample runs with the suite; CRASH_POINTS=all kills at every single point.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import connection

from accounts.actors import SYSTEM
from accounts.models import Project
from registry import tasks
from registry.mirrors import regions as verbs
from registry.mirrors.models import Debt, Mirror
from registry.models import Change, Release
from tests.mirrors import regions
from tests.registry import crashing

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.timeout(7200), pytest.mark.django_db(transaction=True)]
SAMPLE = 9
BEGINNING = datetime.now(UTC)


@pytest.fixture
def stage(cast, tmp_path) -> Iterator[crashing.Stage]:
    """Rooms that begin with the cast and one region."""
    Mirror.objects.all().delete()
    regions.region("unset")
    yield crashing.Stage(tmp_path, crashing.rooms_for(tmp_path))
    connection.close()


def tell(room: Path) -> None:
    """Two versions come, one of them goes, another comes, and somebody damages a file."""
    with time_machine.travel(BEGINNING, tick=True):
        Mirror.objects.update(storage_url=f"file:{room / 'data' / 'frankfurt'}")
        acme = Project.objects.get(slug="acme")
        regions.held(acme, "core", "1.0.0")
        bad = regions.held(acme, "core", "2.0.0")
        regions.catch_up()
        regions.change(bad, "quarantined", status="quarantined")
        regions.held(acme, "@acme/other")
        regions.catch_up()
        victim = min((room / "data" / "frankfurt" / "files").rglob("?" * 64))
        victim.write_bytes(b"rotten")
        verbs.verify(Mirror.objects.get(), SYSTEM)
        tasks.drain()


def recover(room: Path) -> None:
    """Some minutes later, when every lease of the dead is over, another worker does what there is to do."""
    with time_machine.travel(BEGINNING + timedelta(minutes=10), tick=True):
        regions.catch_up()
        verbs.verify(Mirror.objects.get(), SYSTEM)
        tasks.drain()


def examine(room: Path) -> None:
    """Nothing is missing, wrong, too much or owed."""
    mirror = Mirror.objects.get()
    if not Release.objects.exists():
        return
    assert regions.differences(mirror) == []
    assert mirror.applied_seq == Change.objects.latest("seq").seq
    assert (mirror.comparing, mirror.held_by, Debt.objects.count()) == ({}, "", 0)


def chosen(count: int) -> list[int]:
    """Every point, or a sample spread evenly over all of them."""
    if os.environ.get("CRASH_POINTS") == "all":
        return list(range(1, count + 1))
    return sorted({1 + round(step * (count - 1) / (SAMPLE - 1)) for step in range(SAMPLE)})


def test_a_worker_killed_at_any_point_leaves_nothing_half_done(stage):
    with stage.room() as room:
        points = stage.play(room, tell)
        stage.play(room, examine)
    assert len(points) > 150
    failures = []
    for point in chosen(len(points)):
        with stage.room() as room:
            try:
                stage.play(room, tell, kill_at=point)
                stage.play(room, recover)
                stage.play(room, examine)
            except AssertionError as failure:
                failures.append(f"point {point}, {points[point - 1]}:\n{failure}")
    assert not failures, "\n\n".join(failures[:3]) + f"\n\n{len(failures)} of {len(points)} points failed"
