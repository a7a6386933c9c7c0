"""Scanning a release: every tool is asked, and what the newest good answer of each says together is what counts."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from registry import storage
from registry.models import Release
from scanning import answering, judging, scanners, unpacking
from scanning.models import Finding, Scan, ToolResult
from scanning.scanners.base import Flaw, NothingToConsult, Scanner, Target

logger = logging.getLogger(__name__)
Unavailable = list[dict[str, Any]]


def scan(release: Release, tools: Sequence[Scanner] | None = None, trigger: str = Scan.Trigger.ARRIVAL) -> Scan:
    """Scan the release now. A scan that a dead worker left open is taken up again.

    What a tool does not say now, it may have said before: its newest good answer counts on. The row is `errored`
    where the newest word of no tool is good, and never `passed` then.
    """
    row, began = _begin(release, trigger), timezone.now()
    with _target(release) as target:
        flaws, used, unavailable = _ask(scanners.at_hand() if tools is None else tools, target)
    return _finish(row, release, answering.results(row, began, flaws, used, unavailable))


def give_up(row: Scan) -> Scan:
    """End a scan whose deadline has passed: every tool failed. A good answer that comes later still counts."""
    began = row.started_at or row.created_at
    excuse = "It did not end in time."
    unavailable = [{"tool": tool.name, "reason": excuse, "failed": True} for tool in scanners.at_hand()]
    return _finish(row, row.release, answering.results(row, began, [], [], unavailable))


def latest(release: Release) -> Scan | None:
    """The newest scan of the release, in whatever state."""
    return Scan.objects.filter(release=release).order_by("-pk").first()


def current(release: Release) -> Scan | None:
    """The scan that holds what counts, or None before the first one has ended."""
    return Scan.objects.filter(release=release, is_current=True).first()


def has_looked(row: Scan) -> bool:
    """Whether the newest word of any tool that knows flaws is good; without one nothing may count as passed."""
    return scanners.know_flaws(row.tools_used)


def reasons(scan: Scan) -> str:
    """Why tools could not look; that one is not installed is left out where another has more to say."""
    said = [str(tool["reason"]) for tool in scan.tools_unavailable]
    return " ".join([one for one in said if not one.endswith(scanners.NOT_INSTALLED)] or said)


def expect(release: Release, trigger: str) -> Scan:
    """The row of the scan that is to come: the one that waits already, or a new one."""
    return Scan.objects.get_or_create(release=release, status=Scan.Status.PENDING, defaults={"trigger": trigger})[0]


def _begin(release: Release, trigger: str) -> Scan:
    now = timezone.now()
    with transaction.atomic():
        row = expect(release, trigger)
        deadline = now + timedelta(seconds=settings.SCAN_DEADLINE_SECONDS)
        Scan.objects.filter(pk=row.pk).update(attempts=F("attempts") + 1, started_at=now, deadline_at=deadline)
    return row


@contextmanager
def _target(release: Release) -> Iterator[Target]:
    """The release, and what tools are shown of it while the block lasts."""
    package, artifacts = release.package, release.artifacts.select_related("blob")
    openers = [partial(storage.as_file, artifact.blob) for artifact in artifacts if artifact.blob]
    with unpacking.unpacked(package.ecosystem, package.name, release.version, openers) as material:
        yield Target(package.ecosystem, package.name, package.normalized, release.version, material)


def _ask(tools: Sequence[Scanner], target: Target) -> tuple[list[Flaw], list[str], Unavailable]:
    flaws: list[Flaw] = []
    used: list[str] = []
    unavailable: Unavailable = []
    for tool in tools:
        try:
            flaws += tool.scan(target)
        except NothingToConsult as nothing:
            unavailable.append({"tool": tool.name, "reason": str(nothing), "failed": False})
        except scanners.Unavailable as failure:
            logger.warning("%s could not look at %s %s: %s", tool.name, target.name, target.version, failure)
            unavailable.append({"tool": tool.name, "reason": str(failure), "failed": True})
        except Exception as problem:
            logger.exception("The scanner %s broke on %s %s", tool.name, target.name, target.version)
            reason = f"It stopped with {type(problem).__name__}."
            unavailable.append({"tool": tool.name, "reason": reason, "failed": True})
        else:
            used.append(tool.name)
    return flaws, used, unavailable


def _finish(row: Scan, release: Release, results: Iterable[ToolResult]) -> Scan:
    """Write the answers, then what all that count say together; one writer per release at a time."""
    with transaction.atomic():
        Release.objects.select_for_update().only("pk").get(pk=release.pk)
        seen = _first_seen(release)
        row.findings.all().delete()
        ToolResult.objects.bulk_create(results)
        said = answering.standing(release)
        Scan.objects.filter(release=release, is_current=True).exclude(pk=row.pk).update(is_current=False)
        findings = Finding.objects.bulk_create([answering.finding(row, flaw, seen) for flaw in said.flaws])
        assessment = judging.assess(findings, release)
        row.status, row.is_current = _status(assessment, said), True
        row.tools_used, row.tools_unavailable = said.used, said.unavailable
        row.counts, row.finished_at = assessment.counts, timezone.now()
        row.save(update_fields=["status", "is_current", "tools_used", "tools_unavailable", "counts", "finished_at"])
        _forget_old(release, said)
    row.refresh_from_db()
    return row


def _status(assessment: judging.Assessment, said: answering.Said) -> str:
    if assessment.blocking:
        return Scan.Status.FAILED
    return Scan.Status.PASSED if scanners.know_flaws(said.used) else Scan.Status.ERRORED


def _first_seen(release: Release) -> dict[str, Any]:
    """Since when each name of a flaw is known here."""
    before = Finding.objects.filter(scan__release=release, scan__is_current=True)
    rows = before.values_list("identifier", "aliases", "first_seen_at")
    return {name: at for identifier, aliases, at in rows for name in (identifier, *aliases)}


def _forget_old(release: Release, said: answering.Said) -> None:
    """Keep so many scans of a release, and whatever older one holds an answer that still counts."""
    rows = Scan.objects.filter(release=release).exclude(pk__in=said.scans).order_by("-pk")
    old = list(rows.values_list("pk", flat=True)[settings.SCAN_HISTORY :])
    if old:
        Scan.objects.filter(pk__in=old, is_current=False).exclude(status=Scan.Status.PENDING).delete()
