"""Retiring: unlist at once, restore within the grace, remove after it. Timers are rows, not clocks in a process."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from accounts import auditing
from accounts.actors import SYSTEM, Actor
from registry import approving, documents, signals, storage, tasks
from registry.errors import Conflict
from registry.models import Artifact, Decision, DistTag, Job, Package, Release
from registry.webhooks import announcing

PURGE = "purge"


def unlist(release: Release, actor: Actor, reason: str = "") -> Release:
    """Take the release out of lists, resolution and latest; its file stays for PURGE_GRACE_HOURS. Needs admin."""
    actor.need("admin", release.package.project_id)
    now = _now()
    due = now + timedelta(hours=settings.PURGE_GRACE_HOURS)
    with transaction.atomic():
        documents.hold(release.package_id)
        listed = Release.objects.filter(pk=release.pk, unlisted_at__isnull=True)
        if not listed.update(unlisted_at=now, purge_at=due):
            raise Conflict("This version is unlisted already.", code="already_unlisted")
        release.unlisted_at, release.purge_at = now, due
        DistTag.objects.filter(release=release).delete()
        tasks.enqueue(PURGE, release.pk, delay=settings.PURGE_GRACE_HOURS * 3600)
        _write_down(release, actor, Decision.Answer.UNLISTED, reason)
    return release


def restore(release: Release, actor: Actor) -> Release:
    """Undo an unlisting before its grace is over, however late the worker that removes the file. Needs admin."""
    actor.need("admin", release.package.project_id)
    with transaction.atomic():
        documents.hold(release.package_id)
        in_grace = Release.objects.filter(pk=release.pk, purge_at__gt=_now(), purged_at__isnull=True)
        if not in_grace.update(unlisted_at=None, purge_at=None):
            raise Conflict("Only an unlisted version whose grace is not over can be restored.", code="not_restorable")
        release.unlisted_at = release.purge_at = None
        if release.is_served:
            _give_tag_back(release)
        tasks.enqueue("check", release.pk)  # it may have waited for a decision that was not taken meanwhile
        _write_down(release, actor, Decision.Answer.RESTORED)
    return release


@tasks.handles(PURGE)
def purge(job: Job) -> None:
    """Remove the files of a release whose grace is over; the row stays as its tombstone. Exactly once, by its row."""
    release = Release.objects.select_related("package__project", "project").get(pk=job.ref)
    with transaction.atomic():
        documents.hold(release.package_id)
        now = _now()
        due = Release.objects.filter(pk=job.ref, purge_at__lte=now, purged_at__isnull=True)
        if not due.update(purged_at=now, held_because="It was unlisted and its file has been removed."):
            _come_back_if_early(release, now)
            return
        _let_go_of_files(release)
        _announce(release, SYSTEM, "release.purged")


@tasks.periodically("sweep")
def purge_overdue() -> int:
    """Queue the removal of what is past its grace though nobody is at it: the job was lost, given up, or set too late.

    What failed keeps its back-off.
    """
    late = Release.objects.filter(purge_at__lte=_now(), purged_at__isnull=True).order_by("purge_at")
    keys = {f"{PURGE}:{pk}": pk for pk in late.values_list("pk", flat=True)[:500]}
    minded = Q(due_at__lte=timezone.now()) | Q(attempts__gt=0)
    queued = Job.objects.filter(minded, dedupe_key__in=keys, state=Job.State.OPEN) if keys else Job.objects.none()
    lost = keys.keys() - set(queued.values_list("dedupe_key", flat=True))
    for key in sorted(lost):
        tasks.enqueue(PURGE, keys[key])
    return len(lost)


def _now() -> datetime:
    """The time that all machines share: that of the database, where it is a server.

    What is removed for good must not be removed early by a machine whose clock runs ahead.
    """
    if not settings.GRACE_BY_DATABASE_CLOCK or connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def _let_go_of_files(release: Release) -> None:
    """The bytes go, too, unless another version of anything needs them."""
    files = Artifact.objects.filter(release=release, blob__isnull=False)
    blobs = list(files.values_list("blob_id", flat=True))
    files.update(blob=None)
    storage.let_go(blobs)


def remove(package: Package, releases: Iterable[Release], actor: Actor) -> int:
    """Unlist releases of a product and remove their files at once, without a grace; returns how many went.

    Each stays as its tombstone, so its version is never used again; bytes that nothing else refers to go with the next
    rounds of `storage.reconcile`. The caller has asked whether the actor may.
    """
    with transaction.atomic():
        documents.hold(package.pk)
        gone = [one for one in releases if _remove(one, actor)]
        if gone:
            documents.rebuild(package, "purged", gone[-1])
    return len(gone)


def _remove(release: Release, actor: Actor) -> bool:
    now = timezone.now()
    standing = Release.objects.filter(pk=release.pk, purged_at__isnull=True)
    was_listed = standing.filter(unlisted_at__isnull=True).update(unlisted_at=now)
    if not standing.update(purge_at=now, purged_at=now, held_because="It was deleted and its file has been removed."):
        return False
    DistTag.objects.filter(release=release).delete()
    Artifact.objects.filter(release=release).update(blob=None)
    if was_listed:
        _decide(release, actor, Decision.Answer.UNLISTED)
        _tell(release, actor, "release.unlisted")
    _tell(release, actor, "release.purged")
    signals.announce(signals.release_retired, release)
    return True


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


def _write_down(release: Release, actor: Actor, answer: str, reason: str = "") -> None:
    _decide(release, actor, answer, reason)
    _announce(release, actor, f"release.{answer}")


def _decide(release: Release, actor: Actor, answer: str, reason: str = "") -> None:
    Decision.objects.create(
        release=release,
        answer=answer,
        by=actor.user,
        by_name=actor.user.username if actor.user else "policy",
        pseudonym=actor.pseudonym,
        reason=reason,
        sha256=release.sha256,
    )


def _announce(release: Release, actor: Actor, action: str) -> None:
    _tell(release, actor, action)
    documents.rebuild(release.package, action.rpartition(".")[2], release)
    signals.announce(signals.release_retired, release)


def _tell(release: Release, actor: Actor, action: str) -> None:
    """The webhooks, then the audit trail."""
    package = release.package
    name = f"{package.ecosystem}:{package.name}@{release.version}"
    announcing.announce_release(action, release)
    auditing.record(action, name, actor, details={"sha256": release.sha256}, project=release.project.slug)
