"""Scanning again: what somebody asks for, what a changed advisory touches, what is due, and what never ended."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.actors import Actor
from registry import checking, tasks
from registry.models import Check, Job, Package, Release
from scanning import matching, reconsidering, running, scanners
from scanning.models import AffectedPackage, Scan, ToolResult

PACKAGE, RELEASE = "rescan-package", "rescan"
EMBEDDED = "osv"
A_DAYS_WORK = 10_000
Answer = frozenset[tuple[str, str, str]]


# --- because somebody asks -----------------------------------------------------------------------------------------
def ask(release: Release, actor: Actor) -> Scan:
    """Queue a scan by every tool. Needs the scope review."""
    actor.need("review", release.project_id)
    with transaction.atomic():
        row = running.expect(release, Scan.Trigger.REQUEST)
        checking.rescan(release, actor, names=[reconsidering.CHECK])
    return row


# --- because an advisory changed -----------------------------------------------------------------------------------
def packages_touched(pairs: Iterable[tuple[str, str]]) -> int:
    """Queue a look at every package held here that is among the (ecosystem, normalized name) pairs; how many are.

    For the import of advisories, inside its transaction: one query finds them, and each has one job however often
    it is named.
    """
    names: dict[str, set[str]] = defaultdict(set)
    for slug, normalized in pairs:
        names[slug].add(normalized)
    if not names:
        return 0
    named = (Q(ecosystem=slug, normalized__in=wanted) for slug, wanted in names.items())
    held = list(Package.objects.filter(reduce(or_, named)).order_by("pk").values_list("pk", flat=True))
    for package_id in held:
        tasks.enqueue(PACKAGE, package_id)
    return len(held)


@tasks.handles(PACKAGE)
def look_at_package(job: Job) -> None:
    """Queue those versions of the package of which the advisories say something else than at their last scan.

    However many versions: four queries find them. The others are left alone.
    """
    package = Package.objects.filter(pk=job.ref).first()
    if package is None:
        return
    with transaction.atomic():
        for release_id in _touched(package):
            payload = {"tools": [EMBEDDED], "trigger": Scan.Trigger.ADVISORY}
            tasks.enqueue(RELEASE, release_id, dedupe=f"{RELEASE}:{release_id}:{EMBEDDED}", payload=payload)


def _touched(package: Package) -> Iterator[int]:
    rows = AffectedPackage.objects.filter(ecosystem=package.ecosystem, normalized=package.normalized)
    affected = list(rows.filter(advisory__withdrawn_at=None).select_related("advisory").defer("advisory__raw"))
    known = _known_answers(package)
    for release_id, version in package.releases.filter(purged_at=None).order_by("pk").values_list("pk", "version"):
        if known.get(release_id) != _answer(package.ecosystem, version, affected):
            yield release_id


def _known_answers(package: Package) -> dict[int, Answer]:
    """By release, what the embedded matcher said when it last looked."""
    good = ToolResult.objects.filter(release__package=package, tool=EMBEDDED, status=ToolResult.Status.GOOD)
    rows = good.order_by("began_at", "pk").values_list("release_id", "flaws")
    return {
        release_id: frozenset((one["identifier"], one["severity"], one["fixed_in"]) for one in flaws)
        for release_id, flaws in rows
    }


def _answer(slug: str, version: str, affected: Iterable[AffectedPackage]) -> Answer:
    matches = ((one.advisory, matching.match(slug, version, one.ranges, one.versions)) for one in affected)
    return frozenset((advisory.osv_id, advisory.severity, match.fixed_in) for advisory, match in matches if match)


@tasks.handles(RELEASE)
def rescan(job: Job) -> None:
    """Scan the release by the tools that the job names, or by all, and bring everything in line with the outcome."""
    release = Release.objects.select_related("package__project", "project").get(pk=job.ref)
    if release.is_purged:
        return
    wanted: list[str] = job.payload.get("tools", [])
    tools = [tool for tool in scanners.at_hand() if not wanted or tool.name in wanted]
    running.scan(release, tools, trigger=job.payload["trigger"])
    reconsidering.bring_in_line(release, again=job.attempts > 1)


# --- because time has passed ---------------------------------------------------------------------------------------
@tasks.periodically("daily")
def rescan_old() -> int:
    """Queue what was not scanned for RESCAN_DAYS, and what could not be scanned yesterday; returns how many."""
    if not settings.RESCAN_DAYS:
        return 0
    now = timezone.now()
    due = Q(finished_at__lt=now - timedelta(days=settings.RESCAN_DAYS))
    failed = Q(status=Scan.Status.ERRORED, results__status=ToolResult.Status.FAILED)
    scans = Scan.objects.filter(due | failed, is_current=True, release__purged_at=None)
    scans = scans.exclude(release__status=Release.Status.REJECTED).order_by("finished_at")
    waiting = list(dict.fromkeys(scans.values_list("release_id", flat=True)[:A_DAYS_WORK]))
    for release_id in waiting:
        payload: dict[str, Any] = {"tools": [], "trigger": Scan.Trigger.SCHEDULE}
        tasks.enqueue(RELEASE, release_id, payload=payload)
    return len(waiting)


@tasks.periodically("sweep")
def give_up_overdue() -> int:
    """Let every scan whose deadline has passed count as failed; returns how many."""
    overdue = Scan.objects.filter(status=Scan.Status.PENDING, deadline_at__lte=timezone.now())
    rows = list(overdue.select_related("release__package__project", "release__project")[:100])
    for row in rows:
        running.give_up(row)
        _close_check(row.release)
        reconsidering.bring_in_line(row.release)
    return len(rows)


def _close_check(release: Release) -> None:
    """A check that no job will come back to is not running any more."""
    coming = Job.objects.filter(dedupe_key=f"check:{release.pk}", state=Job.State.OPEN)
    if coming.exists():
        return
    abandoned = release.checks.filter(name=reconsidering.CHECK, status__in=Check.OPEN)
    abandoned.update(status=Check.Status.ERRORED, finished_at=timezone.now())
