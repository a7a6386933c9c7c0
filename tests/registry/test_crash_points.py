"""kill -9 at every point of publish, check, decide, unlist, purge and clean-up loses nothing and leaves nothing.

A sample runs with the suite; CRASH_POINTS=all kills at every single point.
"""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import connection

from accounts.actors import SYSTEM
from accounts.models import User
from registry import approving, publishing, resolving, retiring, storage, submitting, tasks
from registry.errors import Conflict
from registry.models import Package, Release
from tests import builders
from tests.registry import crashing, invariants

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.timeout(7200), pytest.mark.django_db(transaction=True)]
SAMPLE = 16
BEGINNING = datetime.now(UTC)  # files are stamped by the real clock, so the story begins by it


class Story:
    """What the killed process was doing, written so that another process can tell how far it had come."""

    def __init__(self, keys: dict[str, builders.KeyPair]) -> None:
        self.first = builders.npm_tarball("left-pad", "1.0.0")
        self.second = builders.npm_tarball("left-pad", "2.0.0")
        self.asked = builders.npm_tarball("third-party", "3.0.0")
        self.signatures = {body: keys["alice"].sign(body) for body in (self.first, self.second)}

    # --- the story ------------------------------------------------------------------------------------------------
    def tell(self, room: Path) -> None:
        """Everything that can happen to a release, each step acknowledged once it has returned."""
        with time_machine.travel(BEGINNING, tick=True) as clock:
            self.act(room, "published 1.0.0", lambda: self.publish(self.first))
            tasks.drain()
            self.act(room, "published 2.0.0", lambda: self.publish(self.second, appended=True))
            self.act(room, "refused 1.0.0", self.publish_in_vain)
            self.act(room, "submitted 3.0.0", self.submit)
            tasks.drain()
            bob, root = self.actor("bob"), self.actor("root")
            self.act(room, "approved 3.0.0", lambda: approving.approve(find("3.0.0"), bob, reason="needed"))
            self.act(room, "quarantined 3.0.0", lambda: approving.quarantine(find("3.0.0"), bob, reason="a worm"))
            self.act(room, "unlisted 2.0.0", lambda: retiring.unlist(find("2.0.0"), root))
            self.act(room, "restored 2.0.0", lambda: retiring.restore(find("2.0.0"), root))
            self.act(room, "unlisted 1.0.0", lambda: retiring.unlist(find("1.0.0"), root))
            for hours in (25, 26, 2):
                clock.shift(timedelta(hours=hours))
                tasks.drain()
                storage.reconcile()
            self.act(room, "ended", lambda: None)

    def act(self, room: Path, done: str, step: Callable[[], object]) -> None:
        """Take the step, then acknowledge it: what is acknowledged must hold for ever."""
        step()
        handle = os.open(room / "acknowledged", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.write(handle, f"{done}\n".encode())
        os.close(handle)

    def actor(self, name: str):
        """One of the cast."""
        return builders.actor(User.objects.get(username=name))

    def publish(self, body: bytes, appended: bool = False) -> Release:
        """As a client would, with the signature beside or behind the archive."""
        signature = self.signatures[body]
        sent, beside = (body + signature.encode(), None) if appended else (body, signature)
        with publishing.receive(io.BytesIO(sent)) as staged:
            return publishing.publish_upload(staged, self.actor("alice"), signature=beside)

    def publish_in_vain(self) -> None:
        """A second time, which is refused."""
        with pytest.raises(Conflict):
            self.publish(self.first)

    def submit(self) -> Release:
        """A third-party package with its file."""
        asked = submitting.Submission(ecosystem="npm", name="third-party", version="3.0.0")
        with publishing.receive(io.BytesIO(self.asked)) as staged:
            return submitting.submit(asked, self.actor("alice"), staged)

    # --- what another process finds -------------------------------------------------------------------------------
    def look(self, room: Path) -> None:
        """Right after the kill, before anything is mended: what is acknowledged stands, nothing is half-visible."""
        with time_machine.travel(BEGINNING, tick=True):
            invariants.assert_audit_is_whole()
            invariants.assert_feed_only_grows()
            invariants.assert_bytes_are_those_that_rows_name(settled=False)
            for package in Package.objects.select_related("project"):
                invariants.assert_documents_are_current(package)
            for release in Release.objects.select_related("package__project", "project", "submitted_by"):
                invariants.assert_release_is_sound(release, settled=False)
            self.check_acknowledged(room)

    def mend(self, room: Path) -> None:
        """What worker and sweeper do, while days go by."""
        with time_machine.travel(BEGINNING + timedelta(days=4), tick=True) as clock:
            for hours in (1, 25, 26, 2, 2):
                clock.shift(timedelta(hours=hours))
                tasks.drain()
                storage.reconcile()

    def examine(self, room: Path) -> None:
        """After mending: everything holds, and what was not acknowledged can be done again."""
        with time_machine.travel(BEGINNING + timedelta(days=8), tick=True) as clock:
            self.check_acknowledged(room)
            invariants.hold()
            for step in (lambda: self.publish(self.first), lambda: self.publish(self.second), self.submit):
                with suppress(Conflict):
                    step()
            for hours in (1, 25, 26, 2):
                clock.shift(timedelta(hours=hours))
                tasks.drain()
                storage.reconcile()
            assert Release.objects.count() == 3
            invariants.hold()

    def check_acknowledged(self, room: Path) -> None:
        """I1: whatever was said to be done is done."""
        path = room / "acknowledged"
        told = path.read_text().splitlines() if path.exists() else []
        for line in told:
            word, _, version = line.partition(" ")
            if word in ("refused", "ended"):
                continue
            release = find(version)
            assert self.stands(release, word), line

    def stands(self, release: Release, word: str) -> bool:
        """Whether what was acknowledged of the release is so."""
        if word in ("published", "submitted"):
            return release.is_purged or all(storage.store().exists(one.blob.key) for one in release.artifacts.all())
        return release.decisions.filter(answer=word).exists()


def find(version: str) -> Release:
    """The release of that version; each version here is of one package."""
    name = "third-party" if version == "3.0.0" else "left-pad"
    return resolving.find_release(resolving.find_package(name, SYSTEM), version, SYSTEM)


@pytest.fixture
def stage(cast, keys, tmp_path) -> Iterator[crashing.Stage]:
    """Rooms that begin with the cast and alice's key."""
    builders.registered_key(cast.alice, keys["alice"])
    yield crashing.Stage(tmp_path, crashing.rooms_for(tmp_path))
    connection.close()


def chosen(count: int) -> list[int]:
    """Every point, or a sample spread evenly over all of them."""
    if os.environ.get("CRASH_POINTS") == "all":
        return list(range(1, count + 1))
    return sorted({1 + round(step * (count - 1) / (SAMPLE - 1)) for step in range(SAMPLE)})


def test_a_process_killed_at_any_point_loses_nothing_and_leaves_nothing(stage, keys):
    story = Story(keys)
    with stage.room() as room:
        points = stage.play(room, story.tell)
        assert "ended" in (room / "acknowledged").read_text()
        stage.play(room, story.examine)
    assert len(points) > 400
    failures = [failure for point in chosen(len(points)) if (failure := survive(stage, story, point, points))]
    print(f"{len(chosen(len(points)))} of {len(points)} points on {connection.vendor}, {len(failures)} failed")
    assert not failures, "\n\n".join(failures[:3]) + f"\n\n{len(failures)} points failed"


def survive(stage: crashing.Stage, story: Story, point: int, points: list[str]) -> str:
    """Kill the story at the point, look, mend, examine; returns what went wrong."""
    with stage.room() as room:
        try:
            passed = stage.play(room, story.tell, kill_at=point)
            assert len(passed) < point, "the process outlived its death"
            stage.play(room, story.look)
            stage.play(room, story.mend)
            stage.play(room, story.examine)
        except AssertionError as failure:
            return f"point {point}, {points[point - 1]}:\n{failure}"
    return ""


def test_the_mending_may_be_killed_as_well(stage, keys):
    story = Story(keys)
    with stage.room() as room:
        points = stage.play(room, story.tell)
    for point in chosen(len(points))[:: 1 if os.environ.get("CRASH_POINTS") else 5]:
        with stage.room() as room:
            stage.play(room, story.tell, kill_at=point)
            for again in (7, 23, 61):
                stage.play(room, story.mend, kill_at=again + point % 11)
            stage.play(room, story.mend)
            stage.play(room, story.examine)
