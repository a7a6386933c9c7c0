"""Replicating: what is approved stands in every EU region, enough to be served from there without this application.

A mirror follows the change feed: for every package that changed it brings its files and its document in line, then
moves its `applied_seq`. Everything is idempotent, so a crash only repeats a step.

Layout: `files/sha256/ab/cd/<digest>` and `packages/<ecosystem>/<name>.json`. Only public packages are written.
"""

import io
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from registry import storage, tasks
from registry.mirrors.models import Mirror, Replica
from registry.models import Artifact, Change, Document, Job, Package, Release

BATCH = 200


def wake(**_: object) -> None:
    """A release changed: let every enabled mirror catch up."""
    _enqueue(Mirror.objects.filter(enabled=True))


@tasks.periodically("sweep")
def catch_up() -> None:
    """Wake the mirrors that lag though nothing is queued for them: an announcement was lost."""
    last = Change.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
    queued = Job.objects.filter(kind="replicate", state=Job.State.OPEN).values_list("ref", flat=True)
    _enqueue(Mirror.objects.filter(enabled=True, applied_seq__lt=last).exclude(pk__in=[int(ref) for ref in queued]))


def _enqueue(mirrors: Iterable[Mirror]) -> None:
    for mirror in mirrors:
        with transaction.atomic():
            tasks.enqueue("replicate", mirror.pk)


@tasks.handles("replicate")
def replicate(job: Job) -> None:
    """Bring one mirror up to the end of the change feed."""
    mirror = Mirror.objects.get(pk=job.ref)
    try:
        while changes := list(Change.objects.filter(seq__gt=mirror.applied_seq)[:BATCH]):
            for package in Package.objects.filter(pk__in={change.package_id for change in changes}):
                _bring_in_line(mirror, package)
            mirror.applied_seq = changes[-1].seq
            mirror.last_success_at, mirror.last_error = timezone.now(), ""
            mirror.save(update_fields=["applied_seq", "last_success_at", "last_error"])
    except OSError as problem:
        Mirror.objects.filter(pk=mirror.pk).update(last_error=str(problem)[:500])
        raise


def root_of(mirror: Mirror) -> Path:
    """The directory of the mirror: absolute, or below DATA_DIR."""
    return Path(settings.DATA_DIR) / mirror.storage_url.removeprefix("file:").removeprefix("//")


def _bring_in_line(mirror: Mirror, package: Package) -> None:
    """Withdrawals first, then files, then the document that names them."""
    artifacts = list(Artifact.objects.filter(release__package=package).select_related("release", "blob"))
    wanted = [one for one in artifacts if _may_stand(package, one)]
    _withdraw(mirror, [one for one in artifacts if one not in wanted])
    for artifact in wanted:
        _write_file(mirror, artifact)
    _write_document(mirror, package)


def _may_stand(package: Package, artifact: Artifact) -> bool:
    return not package.is_private and artifact.release.status == Release.Status.APPROVED and artifact.blob is not None


def _file_of(mirror: Mirror, artifact: Artifact) -> Path:
    digest = artifact.sha256
    return root_of(mirror) / "files" / "sha256" / digest[:2] / digest[2:4] / digest


def _withdraw(mirror: Mirror, artifacts: Iterable[Artifact]) -> None:
    """Remove files that may no longer stand, unless another release still needs the same bytes."""
    for artifact in artifacts:
        twin = Artifact.objects.filter(
            sha256=artifact.sha256,
            blob__isnull=False,
            release__status=Release.Status.APPROVED,
            release__package__visibility=Package.Visibility.PUBLIC,
        )
        if not twin.exists():
            _file_of(mirror, artifact).unlink(missing_ok=True)
    ids = [artifact.pk for artifact in artifacts]
    Replica.objects.filter(mirror=mirror, artifact__in=ids).update(state=Replica.State.REMOVED)


def _write_file(mirror: Mirror, artifact: Artifact) -> None:
    target = _file_of(mirror, artifact)
    if not (target.is_file() and target.stat().st_size == artifact.size):
        assert artifact.blob is not None
        with storage.open_blob(artifact.blob) as source:
            _place(target, source)
    Replica.objects.update_or_create(
        mirror=mirror,
        artifact=artifact,
        defaults={"state": Replica.State.PRESENT, "written_at": timezone.now(), "last_error": ""},
    )


def _write_document(mirror: Mirror, package: Package) -> None:
    target = root_of(mirror) / "packages" / package.ecosystem / f"{package.normalized}.json"
    document = Document.objects.filter(package=package, kind="detail", private=False).first()
    if document is None:
        target.unlink(missing_ok=True)
        return
    _place(target, io.BytesIO(bytes(document.body)))


def _place(target: Path, source: IO[bytes]) -> None:
    """Whole or not at all: a synced partial file, then a rename."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name[:40]}.{secrets.token_hex(8)}.partial")
    try:
        with partial.open("xb") as file:
            while chunk := source.read(1 << 20):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
