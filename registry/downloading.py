"""Downloading: the one door that bytes leave by. It asks the gates first, every time, and hashes what leaves."""

import hashlib
import io
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Any, cast

from django.db import DatabaseError
from django.utils import timezone

from accounts.actors import Actor
from registry import covering, gates, storage, tasks, withholding
from registry.errors import Forbidden, Gone, NotFound, Unavailable
from registry.models import Artifact, ArtifactContents, Blob, Release

TRUSTED_FOR = timedelta(days=1)
READ_WHOLE = 1 << 20  # up to this many bytes are read and hashed before the first of them leaves


@dataclass(frozen=True, slots=True)
class Download:
    """A file that may leave: its row, and how to read it."""

    artifact: Artifact
    blob: Blob
    is_private: bool

    def open(self, offset: int = 0, length: int | None = None) -> IO[bytes]:
        """The bytes from `offset` on, hashed on the way where all are read; damaged ones never leave as a whole.

        Small files are hashed before their first byte leaves, ranges of them too; of a large one that proves damaged
        the last block stays here, so that its reader sees a broken connection. A range of a large file is not hashed,
        nor is one that was found whole within a day and that nobody has written to since.
        Raises Damaged; the blob is then held back and mended.
        """
        try:
            if self.blob.size <= READ_WHOLE:
                return _whole(self.blob, offset)
            stream = storage.open_blob(self.blob, offset, length)
        except storage.Damaged as found:
            _report(self.blob, found.damage)
            raise
        is_whole = not offset and length in (None, self.blob.size)
        return cast(IO[bytes], _Hashed(stream, self.blob)) if is_whole and not self._was_read_lately() else stream

    def temporary_url(self, seconds: int, headers: dict[str, str]) -> str | None:
        """Where the store gives the file with these headers to anyone for so long; None where it has no addresses."""
        return storage.temporary_url(self.blob, seconds, headers)

    def _was_read_lately(self) -> bool:
        verified_at = self.blob.verified_at
        if verified_at is None or verified_at < timezone.now() - TRUSTED_FOR:
            return False
        path = storage.local_path(self.blob)  # a bucket's objects are written once, and checked by the bucket
        return path is None or path.stat().st_ctime < verified_at.timestamp()


class _Hashed(io.RawIOBase):
    """Hands on what it reads; the last bytes only when all of them are those that were stored."""

    def __init__(self, stream: IO[bytes], blob: Blob) -> None:
        self.stream, self.blob, self.left, self.digest = stream, blob, blob.size, hashlib.sha256()

    def readable(self) -> bool:
        """Yes."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes. Raises Damaged instead of the last ones."""
        chunk = self.stream.read(size)
        self.digest.update(chunk)
        self.left -= len(chunk)
        if (self.left <= 0 or not chunk) and self.digest.hexdigest() != self.blob.sha256:
            self.left = -1
            _report(self.blob, Blob.Damage.CORRUPT)
            raise storage.Damaged(self.blob, Blob.Damage.CORRUPT)
        return chunk

    def close(self) -> None:
        """Close the stored file, and note that all of it was read and is whole, where that is so."""
        self.stream.close()
        if self.left == 0 and not self.closed:
            self.left = -1
            with suppress(DatabaseError):  # a note that gets lost costs hashing once more
                Blob.objects.filter(pk=self.blob.pk, generation=self.blob.generation).update(
                    verified_at=timezone.now()
                )
        super().close()


def _whole(blob: Blob, offset: int) -> IO[bytes]:
    """All of a small file, read and hashed before any of it leaves."""
    try:
        with storage.open_blob(blob) as stream:
            body = stream.read()
    except OSError as problem:
        raise Unavailable("The file cannot be read from storage right now. Try again in a minute.") from problem
    if hashlib.sha256(body).hexdigest() != blob.sha256:
        raise storage.Damaged(blob, Blob.Damage.CORRUPT)
    return io.BytesIO(body[offset:] if offset else body)


def _report(blob: Blob, damage: str) -> None:
    """Whoever comes next finds it held back, and a worker mends it."""
    if blob.state == Blob.State.READY:
        withholding.hold_back(blob, damage)


def open_artifact(release: Release, actor: Actor, filename: str = "") -> Download:
    """The release's primary file (or the one named), if every gate allows it.

    Raises NotFound (no such file, or private), Gone (removed), Forbidden with the verdicts in `details`, Damaged
    (held back until it is mended).
    """
    if not release.package.is_visible_to(actor):
        if actor.entitlements:
            raise covering.NotCovered(covering.objection_to_name(release.package.name, actor))
        raise NotFound("There is no such package here.")
    refuse_unless_allowed(release, actor)
    artifacts = release.artifacts.select_related("blob")
    artifact = (artifacts.filter(filename=filename) if filename else artifacts).first()
    if artifact is None or artifact.blob is None:
        raise NotFound("No file is held here for this version: it was submitted by name only.")
    if artifact.blob.state == Blob.State.QUARANTINED:
        raise storage.Damaged(artifact.blob, artifact.blob.damage)
    return Download(artifact, artifact.blob, release.package.is_private)


def metadata_of(download: Download) -> bytes:
    """The metadata file inside, byte for byte (PEP 658); raises NotFound where it has none."""
    found = ArtifactContents.objects.filter(artifact=download.artifact).values_list("metadata", flat=True).first()
    if not found:
        raise NotFound(f"There is no metadata file in {download.artifact.filename}.")
    return bytes(found)


def attestations_of(download: Download) -> list[dict[str, Any]]:
    """What came with the file to attest it (PEP 740), unverified; raises NotFound where nothing did."""
    found = ArtifactContents.objects.filter(artifact=download.artifact).values_list("attestations", flat=True).first()
    if not found:
        raise NotFound(f"No attestations came with {download.artifact.filename}.")
    return list(found)


def refuse_unless_allowed(release: Release, actor: Actor) -> None:
    """Ask the downloading gates; raise Gone or Forbidden with what they say."""
    covering.refuse_unless_covered(release, actor)
    verdicts = gates.ask("downloading", release, actor)
    objection = gates.first_objection(verdicts)
    if objection is None:
        return
    shapes = [verdict.as_dict() for verdict in verdicts]
    if release.is_gone:
        tombstone = {"sha256": release.sha256, "purged_at": release.purged_at or release.purge_at}
        raise Gone(objection.reason, details=tombstone)
    raise Forbidden(objection.reason, code=objection.code.lower(), details={"verdicts": shapes})


def reviewable(release: Release, actor: Actor, filename: str = "") -> Download:
    """The primary file (or the one named) for a reviewer's eyes, whatever its status; needs the scope review."""
    actor.need("review", release.package.project_id)
    artifacts = release.artifacts.select_related("blob")
    artifact = (artifacts.filter(filename=filename) if filename else artifacts).first()
    if artifact is None or artifact.blob is None:
        raise NotFound("No file is held here for this version.")
    return Download(artifact, artifact.blob, is_private=True)


tasks.periodically("reconcile")(storage.reconcile)
