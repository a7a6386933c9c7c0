"""Reconsidering: when a line of the policy changes, every release that it decides over is judged again, in the worker.

What the check once read of a release stays; what it means is asked again, and check, status and document follow.
"""

from typing import Any

from django.utils import timezone

from licensing import checks, policies
from licensing.judging import Policies
from registry import approving, tasks
from registry.models import Check, Job, Release

CHECK = "license"
BATCH = 500


@tasks.handles(policies.CHANGED)
def follow_policy(job: Job) -> None:
    """Judge the next releases under a changed line, then queue those after them; doing one twice is harmless.

    Sifting costs two queries for 500 releases; only those that the line decides over are loaded and judged.
    """
    kind, key, after = job.payload["kind"], job.payload["key"], job.payload["after"]
    project_id = job.payload.get("project", 0)
    rows = _next(project_id, after)
    if len(rows) == BATCH:
        policies.enqueue(kind, key, project_id, after=rows[-1][0])
    lines = Policies.load()
    touched = [pk for pk, whose, details in rows if lines.of(whose).decides(kind, key, project_id, details)]
    bring_all_in_line(touched, again=job.attempts > 1)


def _next(project_id: int, after: int) -> list[tuple[int, int, dict[str, Any]]]:
    """(release, project, details of its license check) of the next releases that nobody rejected or purged."""
    standing = Check.objects.filter(name=CHECK, release_id__gt=after, release__purged_at=None)
    standing = standing.exclude(status__in=Check.OPEN).exclude(release__status=Release.Status.REJECTED)
    if project_id:
        standing = standing.filter(release__project_id=project_id)
    return list(standing.order_by("release_id").values_list("release_id", "release__project_id", "details")[:BATCH])


def bring_all_in_line(release_ids: list[int], *, again: bool = False) -> None:
    """Judge these anew; one that cannot be judged keeps none of the others, and is told of at the end."""
    problems = []
    found = Release.objects.filter(pk__in=release_ids).select_related("package__project", "project")
    for release in found.order_by("pk").prefetch_related("checks"):
        try:
            bring_in_line(release, again=again)
        except Exception as problem:
            problems.append(problem)
    if problems:
        raise ExceptionGroup(f"{len(problems)} releases could not be judged", problems)


def bring_in_line(release: Release, *, again: bool = False) -> Release:
    """Judge the release anew on what its check read; `again` if a worker may have died over it half-way."""
    changed = _rewrite_check(release)
    return approving.reconsider(release, has_news=bool(changed) or again)


def _rewrite_check(release: Release) -> bool:
    """Let the check row say what holds now, unless it is open: then whoever fills it knows more."""
    check = next((one for one in release.checks.all() if one.name == CHECK), None)
    if check is None or check.status in (*Check.OPEN, Check.Status.ERRORED):
        return False
    result = checks.report(check.details, Policies.load().of(release.project_id))
    if (result.status, result.summary, result.details) == (check.status, check.summary, check.details):
        return False
    fresh = {"status": result.status, "summary": result.summary, "details": result.details}
    standing = Check.objects.filter(pk=check.pk).exclude(status__in=Check.OPEN)
    return bool(standing.update(**fresh, finished_at=timezone.now()))
