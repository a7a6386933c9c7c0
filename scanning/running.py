"""Scanning a release: every tool at hand, one merged list, one row that says how it went."""

import logging
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from registry.models import Release
from scanning import judging, merging, scanners
from scanning.models import Finding, Scan
from scanning.scanners.base import Flaw, NothingToConsult, Scanner, Target

logger = logging.getLogger(__name__)


def scan(release: Release, tools: Sequence[Scanner] | None = None) -> Scan:
    """Scan the release now. A scan that a dead worker left open is taken up again.

    The row is `errored` where no tool could say anything, and never `passed` then.
    """
    row = _begin(release)
    flaws, used, unavailable = _ask(scanners.ALL if tools is None else tools, _target(release))
    return _finish(row, release, merging.merge(flaws), used, unavailable)


def latest(release: Release) -> Scan | None:
    """The newest scan of the release, in whatever state."""
    return Scan.objects.filter(release=release).order_by("-pk").first()


def latest_finished(release: Release) -> Scan | None:
    """The newest scan that has ended, however it did."""
    return Scan.objects.filter(release=release).exclude(status=Scan.Status.PENDING).order_by("-pk").first()


def _begin(release: Release) -> Scan:
    with transaction.atomic():
        row, _ = Scan.objects.get_or_create(release=release, status=Scan.Status.PENDING)
        Scan.objects.filter(pk=row.pk).update(attempts=F("attempts") + 1, started_at=timezone.now())
    return row


def _target(release: Release) -> Target:
    package = release.package
    return Target(package.ecosystem, package.name, package.normalized, release.version)


def _ask(tools: Sequence[Scanner], target: Target) -> tuple[list[Flaw], list[str], list[dict[str, Any]]]:
    flaws: list[Flaw] = []
    used: list[str] = []
    unavailable: list[dict[str, Any]] = []
    for tool in tools:
        try:
            flaws += tool.scan(target)
        except NothingToConsult as nothing:
            unavailable.append({"tool": tool.name, "reason": str(nothing), "failed": False})
        except Exception as problem:
            logger.exception("The scanner %s broke on %s %s", tool.name, target.name, target.version)
            reason = f"It stopped with {type(problem).__name__}."
            unavailable.append({"tool": tool.name, "reason": reason, "failed": True})
        else:
            used.append(tool.name)
    return flaws, used, unavailable


def _finish(
    row: Scan, release: Release, flaws: list[Flaw], used: list[str], unavailable: list[dict[str, Any]]
) -> Scan:
    with transaction.atomic():
        row.findings.all().delete()
        findings = Finding.objects.bulk_create([_finding(row, flaw) for flaw in flaws])
        assessment = judging.assess(findings, release)
        row.status = _status(assessment, used)
        row.tools_used, row.tools_unavailable = used, unavailable
        row.counts, row.finished_at = assessment.counts, timezone.now()
        row.save(update_fields=["status", "tools_used", "tools_unavailable", "counts", "finished_at"])
    row.refresh_from_db()
    return row


def _status(assessment: judging.Assessment, used: list[str]) -> str:
    if not used:
        return Scan.Status.ERRORED
    return Scan.Status.FAILED if assessment.blocking else Scan.Status.PASSED


def _finding(row: Scan, flaw: Flaw) -> Finding:
    return Finding(
        scan=row,
        kind=flaw.kind,
        identifier=flaw.identifier,
        aliases=list(flaw.aliases),
        severity=flaw.severity,
        cvss=flaw.cvss,
        summary=flaw.summary,
        ecosystem=flaw.ecosystem,
        package=flaw.package,
        version=flaw.version,
        fixed_in=flaw.fixed_in[:128],
        url=flaw.url,
        tools=list(flaw.tools),
    )
