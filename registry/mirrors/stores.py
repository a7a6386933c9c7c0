"""What a region is stored in: a directory or an S3 bucket. Whole objects or none, and every fault is an OSError."""

import hashlib
import os
import posixpath
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from django.conf import settings

from registry.mirrors import limits
from registry.mirrors.models import Mirror

STEP = 1 << 20
PARTIAL, PROBE = ".partial", ".probe"
LEFT_BEHIND = 3600.0


class Mismatch(OSError):
    """The bytes are not those that the digest speaks of; nothing was left of them."""


class Entry(NamedTuple):
    """An object in a listing."""

    key: str
    size: int


class Store(Protocol):
    """Objects under names with slashes. Documents and links are replaced, files under their digest never change."""

    def put(self, key: str, source: Path, size: int, sha256: str) -> None:
        """Copy the file, hashing on the way; raises Mismatch unless it has this size and digest."""

    def write(self, key: str, body: bytes) -> None:
        """Put or replace a small object."""

    def link(self, key: str, target: str) -> None:
        """Let the key lead to another one, whatever it led to before."""

    def target_of(self, key: str) -> str | None:
        """The key that a link leads to; None where there is no link."""

    def digest_of(self, key: str) -> tuple[int, str] | None:
        """Size and SHA-256 of what is stored now, read back; None where nothing is."""

    def read(self, key: str) -> bytes | None:
        """A small object; None where there is none."""

    def open(self, key: str) -> IO[bytes]:
        """The object's bytes as a stream; FileNotFoundError where there is none."""

    def delete(self, key: str) -> None:
        """Remove an object or a link; a missing one is no fault."""

    def entries(self, prefix: str, after: str = "", limit: int = 500) -> list[Entry]:
        """Objects and links below the prefix (which ends in a slash) in the order of their keys, after that key."""

    def clean(self) -> int:
        """Remove what dead processes left half-written; how much it was."""

    def probe(self) -> None:
        """Write a few bytes, read them back, remove them; raises OSError when any of it fails."""


def of(mirror: Mirror) -> Store:
    """The store of a region."""
    url = mirror.stored_at
    if url.startswith("s3://"):
        from registry.mirrors.buckets import bucket

        return bucket(url, mirror.access_key, mirror.secret)
    if url.startswith("file:"):
        return Directory(root_of(mirror))
    raise OSError(f"A region is stored at file:… or s3://…, not at {url.partition(':')[0]}:")


def root_of(mirror: Mirror) -> Path:
    """The directory of a region that lies in one: absolute, or below DATA_DIR."""
    return Path(settings.DATA_DIR) / mirror.stored_at.removeprefix("file:").removeprefix("//")


def copy(source: IO[bytes], write: Callable[[bytes], object]) -> tuple[int, str]:
    """Hand on what the stream gives; returns its size and SHA-256."""
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(STEP):
        limits.go_on()
        digest.update(chunk)
        size += len(chunk)
        write(chunk)
    return size, digest.hexdigest()


class Directory:
    """Files below a root, written aside and renamed; links are relative symbolic links."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _path(self, key: str) -> Path:
        """Below the root, whatever the key says."""
        if any(part in ("", ".", "..") for part in key.split("/")):
            raise OSError(f"“{key}” is no name of an object")
        return self.root / key

    def _place(self, key: str, make: Callable[[Path], None]) -> None:
        """Make it aside, then move it to its name, over whatever file or link stands there."""
        target, aside = self._path(key), self.root / PARTIAL / secrets.token_hex(12)
        aside.parent.mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            make(aside)
            limits.go_on()
            self._clear(target)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
        _sync(target.parent)

    def _clear(self, target: Path) -> None:
        """An empty folder where an object should be goes; one that holds something is a fault."""
        if target.is_dir() and not target.is_symlink():
            target.rmdir()

    def put(self, key: str, source: Path, size: int, sha256: str) -> None:
        """A synced copy; the name appears when its digest is known to be right."""

        def make(aside: Path) -> None:
            with source.open("rb") as read, aside.open("xb") as file:
                if copy(read, file.write) != (size, sha256):
                    raise Mismatch(f"The bytes for {key} are not what was recorded of them")
                file.flush()
                os.fsync(file.fileno())

        self._place(key, make)

    def write(self, key: str, body: bytes) -> None:
        """A synced file."""

        def make(aside: Path) -> None:
            with aside.open("xb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())

        self._place(key, make)

    def link(self, key: str, target: str) -> None:
        """Left alone where it leads there already."""
        if self.target_of(key) != target:
            relative = posixpath.relpath(target, posixpath.dirname(key))
            self._place(key, lambda aside: aside.symlink_to(relative))

    def target_of(self, key: str) -> str | None:
        """As the link is written, from the root."""
        try:
            relative = self._path(key).readlink()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            if self._path(key).exists():  # a file where a link should be
                return None
            raise
        return posixpath.normpath(posixpath.join(posixpath.dirname(key), relative))

    def digest_of(self, key: str) -> tuple[int, str] | None:
        """Of the file itself; a link in the place of a file is no file."""
        path = self._path(key)
        if path.is_symlink() or not path.is_file():
            self._answer()
            return None
        with path.open("rb") as file:
            return copy(file, len)

    def read(self, key: str) -> bytes | None:
        """The whole file."""
        path = self._path(key)
        if path.is_symlink() or not path.is_file():
            self._answer()
            return None
        return path.read_bytes()

    def open(self, key: str) -> IO[bytes]:
        """The file."""
        return self._path(key).open("rb")

    def delete(self, key: str) -> None:
        """The name, then the folders that are empty without it."""
        path = self._path(key)
        with suppress(FileNotFoundError, NotADirectoryError):
            self._clear(path)
            path.unlink()
        with suppress(OSError):
            for folder in path.parents[: key.count("/")]:
                folder.rmdir()

    def entries(self, prefix: str, after: str = "", limit: int = 500) -> list[Entry]:
        """By a walk that opens no folder which lies wholly before `after`."""
        return list(islice(self._walk(prefix, after), limit))

    def _walk(self, prefix: str, after: str) -> Iterator[Entry]:
        try:
            found = sorted(
                os.scandir(self.root / prefix), key=lambda one: one.name + "/" * one.is_dir(follow_symlinks=False)
            )
        except (FileNotFoundError, NotADirectoryError):
            self._answer()
            return
        for one in found:
            key = prefix + one.name
            if one.is_dir(follow_symlinks=False):
                if f"{key}/\U0010ffff" > after:
                    yield from self._walk(f"{key}/", after)
            elif key > after:
                with suppress(FileNotFoundError):
                    yield Entry(key, one.stat(follow_symlinks=False).st_size)

    def _answer(self) -> None:
        """What is not there is missing only where the region itself is there: else nobody knows."""
        if not self.root.is_dir():
            raise FileNotFoundError(f"{self.root} is not there")

    def clean(self) -> int:
        """Files aside that nobody has written to for an hour."""
        removed = 0
        for path in (*(self.root / PARTIAL).glob("*"), *(self.root / PROBE).glob("*")):
            with suppress(FileNotFoundError):
                if path.lstat().st_mtime < time.time() - LEFT_BEHIND:
                    path.unlink()
                    removed += 1
        return removed

    def probe(self) -> None:
        """Through the same file system calls as a real file."""
        body, path = secrets.token_bytes(32), self.root / PROBE / secrets.token_hex(8)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.write_bytes(body)
            if path.read_bytes() != body:
                raise OSError(f"{self.root} gives other bytes than were written")
        finally:
            path.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
