"""Downloading: the one door that bytes leave by. It asks the gates first, every time."""

from dataclasses import dataclass
from datetime import timedelta
from typing import IO

from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from accounts.actors import Actor
from registry import gates, storage, tasks
from registry.errors import Forbidden, Gone, NotFound
from registry.models import Artifact, Blob, DownloadCount, Package, Release


@dataclass(frozen=True, slots=True)
class Download:
    """A file that may leave: its row, and how to read it."""

    artifact: Artifact
    blob: Blob
    is_private: bool

    def open(self, offset: int = 0) -> IO[bytes]:
        """The bytes from `offset` on."""
        return storage.open_blob(self.blob, offset)


def open_artifact(release: Release, actor: Actor, filename: str = "") -> Download:
    """The release's primary file (or the one named), if every gate allows it.

    Raises NotFound (no such file, or private), Gone (removed), Forbidden with the verdicts in `details`.
    """
    if release.package.is_private and not actor.sees_project(release.package.project_id):
        raise NotFound("There is no such package here.")
    refuse_unless_allowed(release, actor)
    artifacts = release.artifacts.select_related("blob")
    artifact = (artifacts.filter(filename=filename) if filename else artifacts).first()
    if artifact is None or artifact.blob is None:
        raise NotFound("No file is held here for this version: it was submitted by name only.")
    return Download(artifact, artifact.blob, release.package.is_private)


def refuse_unless_allowed(release: Release, actor: Actor) -> None:
    """Ask the downloading gates; raise Gone or Forbidden with what they say."""
    verdicts = gates.ask("downloading", release, actor)
    objection = gates.first_objection(verdicts)
    if objection is None:
        return
    shapes = [verdict.as_dict() for verdict in verdicts]
    if release.is_purged:
        raise Gone(objection.reason, details={"sha256": release.sha256, "purged_at": release.purged_at})
    raise Forbidden(objection.reason, code=objection.code.lower(), details={"verdicts": shapes})


def reviewable(release: Release, actor: Actor) -> Download:
    """The file for a reviewer's eyes, whatever its status; needs the scope review."""
    actor.need("review")
    artifact = release.artifacts.select_related("blob").first()
    if artifact is None or artifact.blob is None:
        raise NotFound("No file is held here for this version.")
    return Download(artifact, artifact.blob, is_private=True)


def count(release: Release) -> None:
    """Add one to today's downloads of the release; one statement, no lock held."""
    today = timezone.now().date()
    if not DownloadCount.objects.filter(release=release, day=today).update(count=F("count") + 1):
        with transaction.atomic():
            row, made = DownloadCount.objects.get_or_create(
                release=release, day=today, defaults={"package_id": release.package_id, "count": 1}
            )
            if not made:
                DownloadCount.objects.filter(pk=row.pk).update(count=F("count") + 1)


@tasks.periodically("refresh_figures")
def refresh_figures() -> int:
    """Fold counted downloads into the packages' totals; returns how many packages changed.

    Only what was downloaded today or yesterday can have changed, so only that is summed.
    """
    since = timezone.now().date() - timedelta(days=1)
    touched = DownloadCount.objects.filter(day__gte=since).values_list("package_id", flat=True).distinct()
    sums = DownloadCount.objects.filter(package__in=list(touched)).values("package_id").annotate(total=Sum("count"))
    changed = 0
    for row in sums:
        stale = Package.objects.filter(pk=row["package_id"]).exclude(downloads=row["total"])
        changed += stale.update(downloads=row["total"])
    return changed


tasks.periodically("reconcile")(storage.reconcile)
