"""Reconsidering: when a line of the policy changes, every release that it may touch is judged again, in the worker."""

from django.db.models import QuerySet

from licensing.models import LicensePolicy
from registry import approving, tasks
from registry.models import Job, Release

KIND = "license-policy-changed"
BATCH = 500


def after_change(line: LicensePolicy) -> None:
    """Queue the releases under the line's license (or all, for a category); inside the caller's transaction."""
    _enqueue(line.kind, line.key, after=0)


def _enqueue(kind: str, key: str, after: int) -> None:
    payload = {"kind": kind, "key": key, "after": after}
    tasks.enqueue(KIND, key, dedupe=f"{KIND}:{kind}:{key}:{after}", payload=payload)


@tasks.handles(KIND)
def reconsider_batch(job: Job) -> None:
    """Reconsider the next releases, then queue those after them; doing one twice is harmless."""
    kind, key, after = job.payload["kind"], job.payload["key"], job.payload["after"]
    batch = list(_touched(kind, key).filter(pk__gt=after).order_by("pk")[:BATCH])
    for release in batch:
        approving.reconsider(release)
    if len(batch) == BATCH:
        _enqueue(kind, key, after=batch[-1].pk)


def _touched(kind: str, key: str) -> QuerySet[Release]:
    """Releases that nobody rejected; by a single license only those that name it."""
    open_ones = Release.objects.listed().exclude(status=Release.Status.REJECTED)
    return open_ones.filter(license__icontains=key) if kind == LicensePolicy.Kind.LICENSE else open_ones
