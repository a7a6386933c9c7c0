"""Where blobs lie: a directory or an S3 bucket. Small on purpose: put if absent, open, delete, list.

Django's own storages are not used for this: they write to the final name without syncing and overwrite.
"""

import io
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import parse_qs, urlsplit

from registry import buckets


class BlobStore(Protocol):
    """Immutable objects under keys that are never used twice. Every fault is an OSError.

    A FileNotFoundError says that the store answers and the object is not there.
    """

    def put_if_absent(self, key: str, source: Path, size: int, sha256: str) -> None:
        """Store the first `size` bytes of `source`, durably; an object that is there already is left as it is."""

    def open(self, key: str, offset: int = 0, length: int | None = None) -> IO[bytes]:
        """The object's bytes from `offset` on, of which the caller will read at most `length`; see `size_of`."""

    def exists(self, key: str) -> bool:
        """Whether the object is there."""

    def delete(self, key: str) -> None:
        """Remove the object; a missing one is no fault."""

    def old_keys(self, before: float) -> Iterator[str]:
        """Keys of objects last written before the instant (seconds since the epoch)."""

    def forget_unfinished(self, before: float) -> int:
        """Give up what began to be written before the instant and is no object yet; returns how many."""

    def local_path(self, key: str) -> Path | None:
        """The object's path on this machine, or None."""

    def temporary_url(self, key: str, seconds: int, headers: dict[str, str]) -> str | None:
        """An address that gives the object with these headers to anyone, for so long, or None."""

    def probe(self, patience: float) -> None:
        """Return if objects could be written and read now; the store has so many seconds to answer."""


@cache
def from_url(url: str) -> BlobStore:
    """A store from `file:///path` or `s3://bucket/prefix?endpoint_url=…`."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return DirectoryStore(Path(parts.path))
    if parts.scheme == "s3":
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return S3Store(parts.netloc, parts.path.strip("/"), **query)
    raise ValueError(f"STORAGE_URL must begin with file:// or s3://, not {parts.scheme}://")


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class DirectoryStore:
    """Blobs as files. A file appears under its key whole and synced, or not at all."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put_if_absent(self, key: str, source: Path, size: int, sha256: str) -> None:
        """Link the staged file into place when it is exactly the blob, else copy; both atomic."""
        target = self.root / key
        changed = [target.parent]
        while not changed[-1].is_dir() and changed[-1] != self.root:
            changed.append(changed[-1].parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not self._is_whole(target, size):
            self._place(source, target, size)
        for folder in changed:
            _sync_directory(folder)

    def _is_whole(self, target: Path, size: int) -> bool:
        return target.is_file() and target.stat().st_size == size

    def _place(self, source: Path, target: Path, size: int) -> None:
        """Link when the staged file is exactly the blob and on the same file system, else copy."""
        if source.stat().st_size == size and not target.exists():
            try:
                os.link(source, target)
            except FileExistsError:
                return
            except OSError:
                self._copy(source, target, size)
            return
        self._copy(source, target, size)

    def _copy(self, source: Path, target: Path, size: int) -> None:
        """For a prefix of the file, another file system, or a damaged object: a synced copy, then a rename."""
        partial = target.with_name(f"{target.name}.{secrets.token_hex(8)}.partial")
        try:
            with source.open("rb") as read, partial.open("xb") as write:
                left = size
                while left and (chunk := read.read(min(left, 1 << 20))):
                    write.write(chunk)
                    left -= len(chunk)
                write.flush()
                os.fsync(write.fileno())
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    def open(self, key: str, offset: int = 0, length: int | None = None) -> IO[bytes]:
        """The file, positioned. A folder that is not there at all is a disk that is away, not a lost file."""
        try:
            file = (self.root / key).open("rb")
        except FileNotFoundError:
            if not (self.root / "sha256").is_dir():
                raise OSError(f"The folder of the blobs is not there: {self.root}") from None
            raise
        file.seek(offset)
        return file

    def exists(self, key: str) -> bool:
        """Whether the file is there."""
        return (self.root / key).is_file()

    def delete(self, key: str) -> None:
        """Unlink; readers that have it open keep reading."""
        (self.root / key).unlink(missing_ok=True)

    def old_keys(self, before: float) -> Iterator[str]:
        """Every file written before the instant, partial copies of dead processes included."""
        for path in self.root.glob("sha256/*/*/*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    yield path.relative_to(self.root).as_posix()

    def forget_unfinished(self, before: float) -> int:
        """Nothing: partial copies are among the old keys."""
        return 0

    def local_path(self, key: str) -> Path | None:
        """Where the file lies."""
        return self.root / key

    def temporary_url(self, key: str, seconds: int, headers: dict[str, str]) -> str | None:
        """None: a folder has no address."""
        return None

    def probe(self, patience: float) -> None:
        """Write a byte to a file without a name; before the first upload the folder itself is still to be made."""
        folder = next(place for place in (self.root, *self.root.parents) if place.exists())
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b".")
            file.flush()


class S3Store:
    """Blobs in a bucket, by the client that django-storages configures (credentials from AWS_*)."""

    def __init__(self, bucket: str, prefix: str = "", **options: str) -> None:
        public = options.pop("public_endpoint_url", "")
        self.bucket, self.prefix = bucket, f"{prefix}/" if prefix else ""
        self.options = options
        self.impatient: dict[float, Any] = {}
        self.client: Any = buckets.connect(bucket, options)
        self.signer: Any = buckets.connect(bucket, {**options, "endpoint_url": public}) if public else self.client

    def _key(self, key: str) -> str:
        return self.prefix + key

    def put_if_absent(self, key: str, source: Path, size: int, sha256: str) -> None:
        """A conditional PUT with the digest, in parts where it is long: the store itself refuses a second write."""
        from botocore.exceptions import BotoCoreError, ClientError

        if size > buckets.PART and self._is_whole(key, size):
            return
        try:
            buckets.put(self.client, {"Bucket": self.bucket, "Key": self._key(key)}, source, size, sha256)
        except (BotoCoreError, ClientError) as problem:
            # there already, or an answer was lost on the way: what counts is what the bucket holds
            if not self._is_whole(key, size):
                raise OSError(f"S3 did not take {key}: {problem}") from problem

    def _is_whole(self, key: str, size: int) -> bool:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return bool(self.client.head_object(Bucket=self.bucket, Key=self._key(key))["ContentLength"] == size)
        except (BotoCoreError, ClientError):
            return False

    def open(self, key: str, offset: int = 0, length: int | None = None) -> IO[bytes]:
        """The object's body as a stream, and no more of it than is wanted."""
        end = "" if length is None else offset + length - 1
        span = {"Range": f"bytes={offset}-{end}"} if offset or length else {}
        with _faults_as_os_errors(f"give {key}"):
            answer = self.client.get_object(Bucket=self.bucket, Key=self._key(key), **span)
        size = int(answer.get("ContentRange", "").rpartition("/")[2] or answer["ContentLength"])
        return io.BufferedReader(_Body(answer["Body"], key, size), 256 * 1024)

    def exists(self, key: str) -> bool:
        """Whether the bucket holds the object."""
        from botocore.exceptions import ClientError

        with _faults_as_os_errors(f"tell about {key}"):
            try:
                self.client.head_object(Bucket=self.bucket, Key=self._key(key))
            except ClientError as problem:
                if problem.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                    raise
                return False
        return True

    def delete(self, key: str) -> None:
        """Remove the object."""
        with _faults_as_os_errors(f"delete {key}"):
            self.client.delete_object(Bucket=self.bucket, Key=self._key(key))

    def old_keys(self, before: float) -> Iterator[str]:
        """Every object written before the instant, page by page."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self._key("sha256/"))
        with _faults_as_os_errors("list its objects"):
            for page in pages:
                for item in page.get("Contents", []):
                    if item["LastModified"].timestamp() < before:
                        yield item["Key"][len(self.prefix) :]

    def forget_unfinished(self, before: float) -> int:
        """Uploads in parts whose process died."""
        with _faults_as_os_errors("list its unfinished uploads"):
            return buckets.forget_unfinished(self.client, self.bucket, self._key("sha256/"), before)

    def local_path(self, key: str) -> Path | None:
        """Nowhere on this machine."""
        return None

    def temporary_url(self, key: str, seconds: int, headers: dict[str, str]) -> str | None:
        """A signed address, made without asking anybody."""
        given = {f"Response{name.replace('-', '')}": value for name, value in headers.items()}
        place = {"Bucket": self.bucket, "Key": self._key(key), **given}
        url: str = self.signer.generate_presigned_url("get_object", Params=place, ExpiresIn=seconds)
        return url

    def probe(self, patience: float) -> None:
        """Ask for an object that need not be there, once."""
        with suppress(FileNotFoundError), _faults_as_os_errors("answer"):
            self._impatient(patience).get_object(Bucket=self.bucket, Key=self._key("health"))["Body"].close()

    def _impatient(self, patience: float) -> Any:
        """A client that gives up soon; making one takes longer than asking."""
        if patience not in self.impatient:
            self.impatient[patience] = buckets.connect(self.bucket, self.options, patience=patience)
        return self.impatient[patience]


@contextmanager
def _faults_as_os_errors(what: str) -> Iterator[None]:
    """Whatever the client raises becomes the OSError that every store promises."""
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    try:
        yield
    except (BotoCoreError, ClientError, HTTPError) as problem:
        is_lost = isinstance(problem, ClientError) and problem.response["Error"].get("Code") in {"NoSuchKey", "404"}
        raise (FileNotFoundError if is_lost else OSError)(f"S3 cannot {what}: {problem}") from problem


class _Body(io.RawIOBase):
    """An object's body as it comes in; one that breaks off is an error, never a short file."""

    def __init__(self, body: Any, key: str, size: int) -> None:
        self.body, self.key, self.size = body, key, size

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with what has arrived."""
        with _faults_as_os_errors(f"give the rest of {self.key}"):
            chunk = self.body.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        """Give the connection back."""
        self.body.close()
        super().close()


def size_of(opened: IO[bytes]) -> int:
    """The size of the whole object that a store has opened, wherever the stream begins."""
    body = getattr(opened, "raw", None)
    return body.size if isinstance(body, _Body) else os.fstat(opened.fileno()).st_size
