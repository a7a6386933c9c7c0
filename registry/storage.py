"""Bytes: staged while they stream in and are hashed, then kept under their digest. The only code that touches them.

The order of writes is what makes a crash harmless: the staged file is synced, a `pending` row says that the bytes
are wanted, the object is put under a key that is never used twice, and the caller's transaction makes the row
`ready` together with what refers to it. `reconcile` removes whatever a crash left between two of these steps.
"""

import errno
import fcntl
import hashlib
import logging
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Protocol

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import auditing
from accounts.actors import SYSTEM
from registry import blobstores
from registry.errors import InvalidInput, TooLarge, Unavailable
from registry.models import Blob

logger = logging.getLogger(__name__)
CHUNK = 512 * 1024
SYNC_EVERY = 64 * 2**20  # so that no last sync has gigabytes to write
KEY = re.compile(r"/([0-9a-f]{64})\.([0-9]{1,9})(\.[0-9a-f]{16}\.partial)?$")
STAGED = re.compile(r"[0-9a-f]{32}")
ORPHAN_AGE = timedelta(hours=24)
ABANDONED_AGE = timedelta(minutes=10)
DELETE_GRACE = timedelta(hours=1)
EVIDENCE_KEPT = timedelta(days=7)


class Damaged(Unavailable):
    """The stored bytes are lost or are not what was stored; held back until whole ones have been brought back."""

    code = "damaged"

    def __init__(self, blob: Blob, damage: str) -> None:
        text = "The stored file is damaged and held back until a whole copy has been brought back from a mirror."
        super().__init__(
            f"{text} Try again in a few minutes.", details={"code": self.code, "damage": damage, "sha256": blob.sha256}
        )
        self.damage = damage


class Readable(Protocol):
    """Anything that gives bytes: a request, a file, an upstream's answer."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, empty at the end."""


@dataclass(frozen=True, slots=True)
class Staged:
    """Bytes that have arrived and mean nothing yet: a private file and its digests."""

    path: Path
    size: int
    sha256: str
    sha512: str
    sha1: str

    def digests_of_prefix(self, length: int) -> "Staged":
        """The same file seen as its first `length` bytes, with their digests (a signature may be appended)."""
        with self.path.open("rb") as file:
            return _hash(file, self.path, length)


def _hash(stream: Readable, path: Path, limit: int) -> Staged:
    digests = [hashlib.sha256(), hashlib.sha512(), hashlib.sha1(usedforsecurity=False)]
    left = limit
    while left and (chunk := stream.read(min(CHUNK, left))):
        left -= len(chunk)
        for digest in digests:
            digest.update(chunk)
    return Staged(path, limit - left, *(digest.hexdigest() for digest in digests))


class _Tee:
    """Hands on what it reads and writes it to a file on the way; refuses more than the limit."""

    def __init__(self, stream: Readable, file: IO[bytes], limit: int) -> None:
        self.stream, self.file, self.limit, self.left = stream, file, limit, limit
        self.unsynced = 0

    def read(self, size: int, /) -> bytes:
        chunk = self.stream.read(size)
        self.left -= len(chunk)
        if self.left < 0:
            raise TooLarge(f"The upload is larger than this portal accepts ({self.limit // 1024**2} MB).")
        self.file.write(chunk)
        self.unsynced += len(chunk)
        if self.unsynced >= SYNC_EVERY:
            self.unsynced = 0
            self.file.flush()
            os.fsync(self.file.fileno())
        return chunk


@contextmanager
def stage(stream: Readable, limit: int | None = None) -> Iterator[Staged]:
    """Write the stream to a private file, hashing on the way; the file is gone when the block ends.

    `limit` is in bytes (default: MAX_UPLOAD_MB). Raises TooLarge beyond it, InvalidInput when nothing arrives.
    """
    limit = settings.MAX_UPLOAD_MB * 1024 * 1024 if limit is None else limit
    settings.STAGING_DIR.mkdir(parents=True, exist_ok=True)
    path = settings.STAGING_DIR / secrets.token_hex(16)
    try:
        with path.open("xb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # says that somebody still wants it; a dead process wants nothing
            staged = _hash(_Tee(stream, file, limit), path, limit + 1)
            file.flush()
            os.fsync(file.fileno())
            if not staged.size:
                raise InvalidInput("The request carries no file. Send the archive as the body or as the part “file”.")
            yield staged
    except OSError as problem:
        logger.exception("Staging failed")
        raise Unavailable("The portal cannot write files right now. Try again in a minute.") from problem
    finally:
        path.unlink(missing_ok=True)


def store() -> blobstores.BlobStore:
    """The blob store that STORAGE_URL names."""
    return blobstores.from_url(settings.STORAGE_URL)


def keep(staged: Staged) -> Blob:
    """Put the staged bytes under their digest; the blob is `pending` until the caller's transaction confirms it."""
    blob = _reserve(staged)
    if blob.state == Blob.State.QUARANTINED:
        put_back(blob, staged, "an upload of the same bytes")
        blob.refresh_from_db()
    try:
        store().put_if_absent(blob.key, staged.path, staged.size, staged.sha256)
    except OSError as problem:
        logger.exception("The blob store refused %s", blob.key)
        raise Unavailable("The portal cannot store files right now. Try again in a minute.") from problem
    return blob


def _reserve(staged: Staged) -> Blob:
    """Say that these bytes are wanted, so that no clean-up takes them; one row per digest while it is alive."""
    same = Blob.objects.filter(sha256=staged.sha256)
    alive = same.exclude(state=Blob.State.DELETING)
    for _ in range(8):
        known = list(same.values_list("generation", flat=True))
        now = timezone.now()
        if known and alive.update(touched_at=now):
            blob = alive.get()
            blob.touched_at = now
            return blob
        with suppress(IntegrityError), transaction.atomic():
            return Blob.objects.create(
                sha256=staged.sha256, size=staged.size, generation=max(known) + 1 if known else 0
            )
    raise Unavailable("Somebody else is storing the same file right now. Try again in a moment.")


def confirm(blob: Blob) -> None:
    """Make the blob `ready`; inside the transaction that refers to it. Raises Unavailable if it was taken away."""
    usable = (Blob.State.PENDING, Blob.State.READY)
    alive = Blob.objects.select_for_update().filter(pk=blob.pk, generation=blob.generation, state__in=usable)
    if not alive.update(state=Blob.State.READY, touched_at=timezone.now()):
        raise Unavailable("The stored file was cleaned away while it was being published. Send it again.")


def give_back(blob: Blob) -> None:
    """Remove bytes that were kept for a release that is not to be, unless somebody else wants them by now."""
    unwanted = Blob.objects.filter(pk=blob.pk, state=Blob.State.PENDING, artifacts__isnull=True)
    if unwanted.filter(touched_at=blob.touched_at).update(state=Blob.State.DELETING, touched_at=timezone.now()):
        _delete(blob)


def let_go(blob_ids: list[int]) -> int:
    """Give up blobs that nothing refers to any more; inside the transaction that took the last reference away.

    What somebody touched within the hour may be wanted by a publication under way: the daily clean-up sees to it.
    """
    untouched = Blob.objects.select_for_update().filter(
        pk__in=blob_ids,
        touched_at__lt=timezone.now() - DELETE_GRACE,
        state__in=(Blob.State.READY, Blob.State.QUARANTINED),
    )
    unwanted = [blob.pk for blob in untouched.order_by("pk") if not blob.artifacts.exists()]
    return Blob.objects.filter(pk__in=unwanted).update(state=Blob.State.DELETING, touched_at=timezone.now())


def open_blob(blob: Blob, offset: int = 0, length: int | None = None) -> IO[bytes]:
    """The stored bytes from `offset` on, `length` of them at most. Raises Unavailable when the store cannot give them.

    Raises Damaged for what is quarantined, lost, or not of its size: nobody reads that, checks and mirrors included.
    """
    if blob.state == Blob.State.QUARANTINED:
        raise Damaged(blob, blob.damage)
    try:
        opened = store().open(blob.key, offset, length)
        if blobstores.size_of(opened) == blob.size:
            return opened
        opened.close()
        raise Damaged(blob, Blob.Damage.CORRUPT)
    except FileNotFoundError as problem:
        raise Damaged(blob, Blob.Damage.MISSING) from problem
    except OSError as problem:
        logger.error("Blob %s cannot be read: %s", blob.key, problem)
        raise Unavailable("The file cannot be read from storage right now. Try again in a minute.") from problem


def local_path(blob: Blob) -> Path | None:
    """Where the blob lies on this machine, if the store is a directory."""
    return store().local_path(blob.key)


def temporary_url(blob: Blob, seconds: int, headers: dict[str, str]) -> str | None:
    """An address in the store that gives the blob with these headers to anyone for so long; None where it has none."""
    return store().temporary_url(blob.key, seconds, headers)


@contextmanager
def as_file(blob: Blob) -> Iterator[Path]:
    """The blob as a file that can be opened by path: itself in a directory store, else a staged copy."""
    if (path := local_path(blob)) is not None:
        open_blob(blob).close()  # a file that is not there is unavailable, here as in any other store
        yield path
        return
    with open_blob(blob) as stream, stage(stream, blob.size) as staged:
        yield staged.path


def digests(blob: Blob) -> Staged:
    """Read the blob back and hash it, to compare with what was recorded."""
    with open_blob(blob) as stream:
        return _hash(stream, Path(), blob.size + 1)


def damage_of(blob: Blob) -> str:
    """Read the stored bytes and hash them: "" when they are whole, else a word of Blob.Damage.

    Whatever the row says of its state. Raises OSError when the store does not answer.
    """
    try:
        with store().open(blob.key) as stream:
            if blobstores.size_of(stream) != blob.size:
                return Blob.Damage.CORRUPT
            digest = hashlib.file_digest(stream, "sha256")  # type: ignore[arg-type]  # any binary file with readinto
    except FileNotFoundError:
        return Blob.Damage.MISSING
    except OSError as problem:
        if problem.errno == errno.EIO:
            return Blob.Damage.UNREADABLE
        raise
    return "" if digest.hexdigest() == blob.sha256 else Blob.Damage.CORRUPT


def quarantine(blob: Blob, damage: str) -> bool:
    """Take damaged bytes out of service at once; False where they are out, replaced or given up already."""
    sound = Blob.objects.filter(pk=blob.pk, generation=blob.generation, state=Blob.State.READY)
    with transaction.atomic():
        if not sound.update(state=Blob.State.QUARANTINED, damage=damage, touched_at=timezone.now()):
            return False
        auditing.record("blob.quarantined", f"blob:{blob}", SYSTEM, details={"sha256": blob.sha256, "damage": damage})
    return True


def reinstate(blob: Blob) -> bool:
    """Bring back into service what has been read and found whole: the disk was away, or a reading went wrong."""
    held = Blob.objects.filter(pk=blob.pk, generation=blob.generation, state=Blob.State.QUARANTINED)
    now = timezone.now()
    with transaction.atomic():
        if not held.update(state=Blob.State.READY, damage="", verified_at=now, touched_at=now):
            return False
        auditing.record("blob.reinstated", f"blob:{blob}", SYSTEM, details={"sha256": blob.sha256})
    return True


def put_back(blob: Blob, staged: Staged, source: str) -> bool:
    """Replace damaged bytes by these, under a new generation, so that no late reader or deleter of the old ones errs.

    The damaged object stays for a week, for whoever wants to know what happened. Raises Unavailable when the staged
    bytes are others or cannot be stored; False where somebody else was first.
    """
    if (staged.sha256, staged.size) != (blob.sha256, blob.size):
        raise Unavailable(f"What came from {source} is not the file either.", code="not_the_file")
    fresh = Blob(sha256=blob.sha256, generation=blob.generation + 1, size=blob.size)
    try:
        store().put_if_absent(fresh.key, staged.path, staged.size, staged.sha256)
    except OSError as problem:
        raise Unavailable("The portal cannot store files right now. Try again in a minute.") from problem
    held = Blob.objects.filter(pk=blob.pk, generation=blob.generation, state=Blob.State.QUARANTINED)
    now = timezone.now()
    renewed = {"generation": fresh.generation, "state": Blob.State.READY, "damage": "", "verified_at": now}
    with transaction.atomic():
        if not held.update(**renewed, touched_at=now):
            return False
        Blob.objects.create(
            sha256=blob.sha256, generation=blob.generation, size=blob.size, damage=blob.damage,
            state=Blob.State.DELETING, touched_at=now + EVIDENCE_KEPT,
        )  # fmt: skip
        auditing.record("blob.mended", f"blob:{fresh}", SYSTEM, details={"sha256": blob.sha256, "from": source})
    return True


# --- keeping house -------------------------------------------------------------------------------------------------
def reconcile() -> dict[str, int]:
    """Remove what crashes left behind and what nothing refers to; safe to run at any time, on any process."""
    return {
        "unreferenced": _mark_unreferenced(),
        "deleted": _delete_marked(),
        "strays": _delete_strays(),
        "staging": _delete_old_staging(),
    }


def _mark_unreferenced() -> int:
    """Blobs that no artifact names and nobody touched for a day are given up, under the lock publishers take."""
    old = timezone.now() - ORPHAN_AGE
    candidates = Blob.objects.filter(touched_at__lt=old, artifacts__isnull=True).exclude(state=Blob.State.DELETING)
    marked = 0
    for pk in list(candidates.values_list("pk", flat=True)[:500]):
        with transaction.atomic():
            blob = Blob.objects.select_for_update().filter(pk=pk, touched_at__lt=old).first()
            if blob and not blob.artifacts.exists():
                marked += Blob.objects.filter(pk=pk).update(state=Blob.State.DELETING, touched_at=timezone.now())
    return marked


def _delete_marked() -> int:
    """Objects whose blob was given up an hour ago (longer than any download lasts) go, then their rows."""
    due = Blob.objects.filter(state=Blob.State.DELETING, touched_at__lt=timezone.now() - DELETE_GRACE)
    return sum(_delete(blob) for blob in list(due[:500]))


def _delete(blob: Blob) -> int:
    """The object, then its row; where the store fails, the row stays and the next round tries again."""
    try:
        store().delete(blob.key)
    except OSError as problem:
        logger.warning("Blob %s cannot be deleted now: %s", blob.key, problem)
        return 0
    return Blob.objects.filter(pk=blob.pk, state=Blob.State.DELETING).delete()[0]


def _delete_strays() -> int:
    """Objects older than a day that no row names: only what this code wrote, by the form of its keys."""
    deleted, old = 0, time.time() - ORPHAN_AGE.total_seconds()
    try:
        deleted += store().forget_unfinished(old)
        for key in store().old_keys(old):
            if _is_stray(key):
                store().delete(key)
                deleted += 1
    except OSError as problem:
        logger.warning("The blob store cannot be cleaned now: %s", problem)
    return deleted


def _is_stray(key: str) -> bool:
    """A partial copy of a process that died, or an object that no row names."""
    parsed = KEY.search(key)
    if parsed is None:
        return False
    digest, generation, partial = parsed.groups()
    return bool(partial) or not Blob.objects.filter(sha256=digest, generation=int(generation)).exists()


def _delete_old_staging() -> int:
    """Staged files that nobody holds any more belong to a process that died; of others' files, only age can tell."""
    deleted, now = 0, time.time()
    if settings.STAGING_DIR.is_dir():
        for path in settings.STAGING_DIR.iterdir():
            with suppress(FileNotFoundError):
                age = now - path.stat().st_mtime
                is_left = _is_let_go(path) if STAGED.fullmatch(path.name) else age > ORPHAN_AGE.total_seconds()
                if is_left and age > ABANDONED_AGE.total_seconds():
                    path.unlink()
                    deleted += 1
    return deleted


def _is_let_go(path: Path) -> bool:
    """Whether no living process holds the lock that `stage` takes."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True
