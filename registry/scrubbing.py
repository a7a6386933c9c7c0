"""Scrubbing: stored bytes are read back and hashed in turn, so that nothing rots unseen and nothing rotten is served.

What is damaged leaves service at once and is mended by a job of kind `mend`, whose handler stands above, where the
mirrors are. Progress is each blob's `verified_at`: a round that is killed loses what it read since its last note.
"""

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import auditing
from accounts.actors import Actor
from registry import checking, storage, tasks, withholding
from registry.models import Blob, Check, Job, Release

logger = logging.getLogger(__name__)
AT_ONCE = 100
FAULTS_IN_A_ROW = 3


@dataclass(slots=True)
class Findings:
    """What a round read and found."""

    files: int = 0
    bytes: int = 0
    damaged: dict[str, str] = field(default_factory=dict)
    unread: int = 0  # the store did not answer for them; the next round asks again

    @property
    def text(self) -> str:
        """One line for people."""
        said = f"{self.files} files read, {self.bytes / 1e6:.1f} MB, {len(self.damaged)} damaged"
        return f"{said}, {self.unread} not readable now" if self.unread else said


def scrub(limit: int | None = None, *, everything: bool = False) -> Iterator[Findings]:
    """Read what has not been read for SCRUB_DAYS, the longest unread first, until `limit` bytes are read.

    Yields its findings after every hundred files. `everything` reads what is fresh as well. Ends early when the store
    does not answer three times in a row: a disk that is away is no damage.
    """
    found, begun = Findings(), timezone.now()
    before = begun if everything else begun - timedelta(days=settings.SCRUB_DAYS)
    skipped: set[int] = set()
    while batch := list(due(before, skipped)[:AT_ONCE]):
        sound, goes_on = _read(batch, found, skipped, limit)
        Blob.objects.filter(state=Blob.State.READY, pk__in=sound).update(verified_at=timezone.now())
        yield found
        if not goes_on:
            return


def _read(batch: list[Blob], found: Findings, skipped: set[int], limit: int | None) -> tuple[list[int], bool]:
    """Read a batch; the ids of those that are whole, and whether there is more to be done."""
    sound: list[int] = []
    faults = 0
    for blob in batch:
        try:
            damage = storage.damage_of(blob)
        except OSError as problem:
            logger.warning("Blob %s cannot be read now: %s", blob.key, problem)
            skipped.add(blob.pk)
            found.unread += 1
            if (faults := faults + 1) >= FAULTS_IN_A_ROW:
                return sound, False
            continue
        faults = 0
        found.files, found.bytes = found.files + 1, found.bytes + blob.size
        if not damage:
            sound.append(blob.pk)
        elif withholding.hold_back(blob, damage):
            found.damaged[blob.sha256] = damage
        if limit is not None and found.bytes >= limit:
            return sound, False
    return sound, True


def due(before: datetime, skipped: Collection[int] = ()) -> QuerySet[Blob]:
    """What was last read before the moment: first what has never been read back, then the longest unread."""
    ready = Blob.objects.filter(state=Blob.State.READY).exclude(pk__in=skipped)
    unread = ready.filter(verified_at__isnull=True).order_by("pk")
    return unread if unread.exists() else ready.filter(verified_at__lt=before).order_by("verified_at")


def read_again(blob: Blob, actor: Actor) -> bool:
    """Have a stored file read, or a damaged one mended, before its turn; False where it is on its way out.

    Needs admin.
    """
    actor.need("admin")
    with transaction.atomic():
        unread = Blob.objects.filter(pk=blob.pk, state=Blob.State.READY).update(verified_at=None)
        held = not unread and damaged().filter(pk=blob.pk).exists()
        if not (unread or held):
            return False
        tasks.enqueue("mend", blob.pk) if held else tasks.enqueue("scrub", "round")
        auditing.record("blob.read_again", f"blob:{blob}", actor, details={"sha256": blob.sha256})
    return True


def is_whole_again(blob: Blob) -> bool:
    """Read quarantined bytes once more, and bring them back into service where they are whole after all.

    Raises OSError when the store does not answer.
    """
    return not storage.damage_of(blob) and storage.reinstate(blob)


def look_again(blob: Blob) -> int:
    """Have the checks asked anew that failed while the bytes were damaged; returns of how many releases.

    What policy withdrew for them comes back by itself once they pass.
    """
    read = Q(status=Check.Status.FAILED, name__in=checking.NEEDS_FILE)
    vain = Check.objects.filter(read | Q(status=Check.Status.ERRORED))
    releases = Release.objects.filter(artifacts__blob=blob, checks__in=vain).distinct()
    fresh: dict[str, Any] = dict.fromkeys(("started_at", "finished_at", "duration_ms"))
    for release in releases:
        with transaction.atomic():
            vain.filter(release=release).update(status=Check.Status.PENDING, summary="", details={}, **fresh)
            checking.open_checks(release)
    return len(releases)


def mend_with(path: Path) -> Blob | None:
    """Put the file in the place of what is held back and has its digest; None where nothing has. Raises OSError."""
    with path.open("rb") as file, storage.stage(file, path.stat().st_size) as staged:
        blob = damaged().filter(sha256=staged.sha256).first()
        return blob if blob and storage.put_back(blob, staged, "a file given by an operator") else None


def damaged() -> QuerySet[Blob]:
    """What is held back and waits to be mended, the longest waiting first."""
    return Blob.objects.filter(state=Blob.State.QUARANTINED).order_by("touched_at")


def belated() -> QuerySet[Blob]:
    """What was read last twice as long ago as it should be: the rounds are too small for what is stored."""
    before = timezone.now() - timedelta(days=2 * settings.SCRUB_DAYS)
    return Blob.objects.filter(state=Blob.State.READY, verified_at__lt=before)


@tasks.handles("scrub")
def run_round(job: Job) -> None:
    """One round of at most SCRUB_MB_PER_ROUND."""
    for _ in scrub(settings.SCRUB_MB_PER_ROUND * 1_000_000):
        pass


@tasks.periodically("reconcile")
def queue_round() -> None:
    """Queue a round where something is due and none is under way; a single look at an index where nothing is."""
    under_way = Job.objects.filter(dedupe_key="scrub:round", state=Job.State.OPEN)
    if due(timezone.now() - timedelta(days=settings.SCRUB_DAYS)).exists() and not under_way.exists():
        tasks.enqueue("scrub", "round")


@tasks.periodically("sweep")
def queue_mending() -> None:
    """Queue the mending of what is held back though nobody is at it: a job was lost, or given up."""
    held = list(damaged().values_list("pk", flat=True)[:500])
    if not held:
        return
    keys = {f"mend:{pk}": pk for pk in held}
    queued = Job.objects.filter(dedupe_key__in=keys, state=Job.State.OPEN).values_list("dedupe_key", flat=True)
    for key in keys.keys() - set(queued):
        tasks.enqueue("mend", keys[key])
