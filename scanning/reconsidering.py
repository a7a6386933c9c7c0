"""Reconsidering: when a waiver is given, changed or runs out, the releases of its package are judged again."""

from django.utils import timezone

from registry import approving, ecosystems, tasks
from registry.models import Job, Release
from scanning.models import Waiver

KIND = "waiver-changed"


def after_change(waiver: Waiver) -> None:
    """Queue it for now, and for the moment when the waiver runs out; inside the caller's transaction."""
    tasks.enqueue(KIND, waiver.pk, dedupe=f"{KIND}:{waiver.pk}")
    left = (waiver.expires_at - timezone.now()).total_seconds()
    if left > 0:
        tasks.enqueue(KIND, waiver.pk, dedupe=f"{KIND}:{waiver.pk}:expiry", delay=left + 1)


@tasks.handles(KIND)
def reconsider_package(job: Job) -> None:
    """Reconsider every release of the waiver's package in its project that waits or is served."""
    waiver = Waiver.objects.filter(pk=job.ref).first()
    if waiver is None:
        return
    touched = Release.objects.listed().filter(
        project_id=waiver.project_id,
        package__ecosystem=waiver.ecosystem,
        package__normalized=ecosystems.get(waiver.ecosystem).normalize_name(waiver.package),
        status__in=(Release.Status.PENDING, Release.Status.APPROVED),
    )
    for release in touched:
        approving.reconsider(release)
