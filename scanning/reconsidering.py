"""Reconsidering: what is known stays, what it means is asked again, and check, status and document follow."""

from collections.abc import Iterable

from django.utils import timezone

from registry import approving, tasks
from registry.checking import Result
from registry.models import Check, Job, Release
from scanning import aging, checks, policies, running

CHECK = "vulnerabilities"
BATCH = 200


def bring_in_line(release: Release, *, again: bool = False) -> Release:
    """Judge the release anew on what its scans say; `again` if a worker may have died over it half-way."""
    changed = [name for name in (CHECK, aging.NAME) if _rewrite(name, release)]
    return approving.reconsider(release, has_news=bool(changed) or again)


def bring_all_in_line(releases: Iterable[Release], *, again: bool = False) -> None:
    """The same for several; one that cannot be judged keeps none of the others, and is told of at the end."""
    problems = []
    for release in releases:
        try:
            bring_in_line(release, again=again)
        except Exception as problem:
            problems.append(problem)
    if problems:
        raise ExceptionGroup(f"{len(problems)} releases could not be judged", problems)


def _rewrite(name: str, release: Release) -> bool:
    """Let the check row say what holds now, unless it is open: then whoever fills it knows more."""
    check = release.checks.filter(name=name).exclude(status__in=Check.OPEN).first()
    result = _known(name, release) if check is not None else None
    if check is None or result is None:
        return False
    if (result.status, result.summary, result.details) == (check.status, check.summary, check.details):
        return False
    fresh = {"status": result.status, "summary": result.summary, "details": result.details}
    standing = Check.objects.filter(pk=check.pk).exclude(status__in=Check.OPEN)
    return bool(standing.update(**fresh, finished_at=timezone.now()))


def _known(name: str, release: Release) -> Result | None:
    """What the check says of what is known already; None where nothing is."""
    if name == aging.NAME:
        return aging.check_age(release)
    scan = running.current(release)
    return checks.report(scan, release) if scan is not None else None


@tasks.handles(aging.COMES_OF_AGE)
def come_of_age(job: Job) -> None:
    """Judge the release again now that its cooldown is over."""
    release = Release.objects.select_related("package__project", "project").get(pk=job.ref)
    bring_in_line(release, again=job.attempts > 1)


@tasks.handles(policies.CHANGED)
def follow_policy(job: Job) -> None:
    """Judge the next releases under a changed policy, then queue those after them; doing one twice is harmless."""
    project_id, after = job.payload["project"], job.payload["after"]
    standing = Release.objects.filter(pk__gt=after, purged_at=None).exclude(status=Release.Status.REJECTED)
    if project_id:
        standing = standing.filter(project_id=project_id)
    batch = list(standing.select_related("package__project").order_by("pk")[:BATCH])
    if len(batch) == BATCH:
        policies.enqueue(project_id, after=batch[-1].pk)
    bring_all_in_line(batch, again=job.attempts > 1)
