"""Retiring: unlist at once, restore within the grace, remove after it. Timers are rows, not clocks in a process."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import auditing
from accounts.actors import SYSTEM, Actor
from registry import approving, documents, signals, tasks
from registry.errors import Conflict
from registry.models import Artifact, Decision, DistTag, Job, Release
from registry.webhooks import announcing


def unlist(release: Release, actor: Actor) -> Release:
    """Take the release out of lists, resolution and latest; its file stays for PURGE_GRACE_HOURS. Needs admin."""
    actor.need("admin", release.package.project_id)
    now = timezone.now()
    due = now + timedelta(hours=settings.PURGE_GRACE_HOURS)
    with transaction.atomic():
        documents.hold(release.package_id)
        listed = Release.objects.filter(pk=release.pk, unlisted_at__isnull=True)
        if not listed.update(unlisted_at=now, purge_at=due):
            raise Conflict("This version is unlisted already.", code="already_unlisted")
        release.unlisted_at, release.purge_at = now, due
        DistTag.objects.filter(release=release).delete()
        tasks.enqueue("purge", release.pk, delay=settings.PURGE_GRACE_HOURS * 3600)
        _write_down(release, actor, Decision.Answer.UNLISTED)
    return release


def restore(release: Release, actor: Actor) -> Release:
    """Undo an unlisting while the file is still here. Needs admin."""
    actor.need("admin", release.package.project_id)
    with transaction.atomic():
        documents.hold(release.package_id)
        unlisted = Release.objects.filter(pk=release.pk, unlisted_at__isnull=False, purged_at__isnull=True)
        if not unlisted.update(unlisted_at=None, purge_at=None):
            raise Conflict("Only an unlisted version whose file is still here can be restored.", code="not_restorable")
        release.unlisted_at = release.purge_at = None
        if release.is_served:
            _give_tag_back(release)
        tasks.enqueue("check", release.pk)  # it may have waited for a decision that was not taken meanwhile
        _write_down(release, actor, Decision.Answer.RESTORED)
    return release


@tasks.handles("purge")
def purge(job: Job) -> None:
    """Remove the files of a release whose grace is over; the row stays as its tombstone. Exactly once, by its row."""
    now = timezone.now()
    release = Release.objects.select_related("package__project", "project").get(pk=job.ref)
    with transaction.atomic():
        documents.hold(release.package_id)
        due = Release.objects.filter(pk=job.ref, purge_at__lte=now, purged_at__isnull=True)
        if not due.update(purged_at=now, held_because="It was unlisted and its file has been removed."):
            _come_back_if_early(release, now)
            return
        Artifact.objects.filter(release=release).update(blob=None)
        _announce(release, SYSTEM, "release.purged")


def _come_back_if_early(release: Release, now: datetime) -> None:
    """Clocks of two machines may differ: a job that ran before the release's time must not be its last."""
    waiting = Release.objects.filter(pk=release.pk, purge_at__gt=now, purged_at__isnull=True)
    if due := waiting.values_list("purge_at", flat=True).first():
        raise tasks.Later((due - now).total_seconds())


def _give_tag_back(release: Release) -> None:
    """Its dist-tag, unless another version took it meanwhile."""
    taken = DistTag.objects.filter(package=release.package, tag=release.requested_tag)
    if release.requested_tag == "latest" or not taken.exists():
        approving.move_tag(release)


def _write_down(release: Release, actor: Actor, answer: str) -> None:
    Decision.objects.create(
        release=release,
        answer=answer,
        by=actor.user,
        by_name=actor.user.username if actor.user else "policy",
        pseudonym=actor.pseudonym,
        sha256=release.sha256,
    )
    _announce(release, actor, f"release.{answer}")


def _announce(release: Release, actor: Actor, action: str) -> None:
    package = release.package
    name = f"{package.ecosystem}:{package.name}@{release.version}"
    announcing.announce_release(action, release)
    auditing.record(action, name, actor, details={"sha256": release.sha256}, project=release.project.slug)
    documents.rebuild(package, action.rpartition(".")[2], release)
    signals.announce(signals.release_retired, release)
