"""S3 itself: clients that do not wait for ever, uploads in parts, addresses that end by themselves."""

import base64
import hashlib
import io
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

CONNECT_SECONDS = 5
READ_SECONDS = 60
# S3 takes at most 5 GB in one request, at most 10,000 parts, and no part but the last below 5 MiB.
PART = 64 * 2**20
MOST_PARTS = 10_000
CHUNK = 1 << 20


def connect(bucket: str, options: dict[str, str], *, patience: float = 0) -> Any:
    """A client as django-storages configures it (credentials from AWS_*).

    `patience` in seconds is for questions that must be answered soon or not at all: one try, that long.
    """
    from botocore.config import Config
    from storages.backends.s3 import S3Storage

    storage = S3Storage(bucket_name=bucket, **options)
    limits = Config(
        signature_version=storage.signature_version or "s3v4",
        connect_timeout=patience or CONNECT_SECONDS,
        read_timeout=patience or READ_SECONDS,
    )
    if patience:
        limits = limits.merge(Config(retries={"total_max_attempts": 1}))
    storage.client_config = storage.client_config.merge(limits)
    return storage.connection.meta.client


def put(client: Any, place: dict[str, str], source: Path, size: int, sha256: str) -> None:
    """Send the first `size` bytes of the file where nothing is yet, each byte under a digest that S3 checks.

    Raises what the client raises, a failed precondition (412) included, and OSError when the file is no longer
    what its digest says.
    """
    with source.open("rb") as file:
        if size > PART:
            _put_in_parts(client, place, file, size, sha256)
            return
        client.put_object(
            **place,
            Body=Window(file, 0, size),
            ContentLength=size,
            ChecksumSHA256=base64.b64encode(bytes.fromhex(sha256)).decode(),
            Metadata={"sha256": sha256},
            IfNoneMatch="*",
        )


def _put_in_parts(client: Any, place: dict[str, str], file: IO[bytes], size: int, sha256: str) -> None:
    """All parts, then the object in one step; what was sent is given up where any of it fails."""
    begun = client.create_multipart_upload(**place, ChecksumAlgorithm="SHA256", Metadata={"sha256": sha256})
    upload = {**place, "UploadId": begun["UploadId"]}
    whole, parts = hashlib.sha256(), []
    step = max(PART, -(-size // MOST_PARTS))
    try:
        for number, start in enumerate(range(0, size, step), 1):
            window = Window(file, start, min(step, size - start))
            parts.append(_put_part(client, upload, number, window, whole))
        if whole.hexdigest() != sha256:
            raise OSError("The staged file has changed while it was sent to S3.")
        client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*")
    except BaseException:
        with suppress(Exception):  # the round that looks for unfinished uploads finds it, too
            client.abort_multipart_upload(**upload)
        raise


def _put_part(client: Any, upload: dict[str, str], number: int, window: "Window", whole: Any) -> dict[str, Any]:
    part = hashlib.sha256()
    while chunk := window.read(CHUNK):
        part.update(chunk)
        whole.update(chunk)
    window.seek(0)
    checksum = base64.b64encode(part.digest()).decode()
    sent = client.upload_part(
        **upload, PartNumber=number, Body=window, ContentLength=window.size, ChecksumSHA256=checksum
    )
    return {"PartNumber": number, "ETag": sent["ETag"], "ChecksumSHA256": checksum}


def forget_unfinished(client: Any, bucket: str, prefix: str, before: float) -> int:
    """Give up uploads in parts that began before the instant (seconds since the epoch); returns how many."""
    forgotten = 0
    for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix):
        for one in page.get("Uploads", []):
            if one["Initiated"].timestamp() < before:
                client.abort_multipart_upload(Bucket=bucket, Key=one["Key"], UploadId=one["UploadId"])
                forgotten += 1
    return forgotten


class Window(io.RawIOBase):
    """So many bytes of a file from a place on, seekable as an upload's retries need it."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self.file, self.start, self.size = file, start, size
        file.seek(start)

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Like a file that is nothing but the window."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.tell(), io.SEEK_END: self.size}[whence]
        return self.file.seek(self.start + base + offset) - self.start

    def tell(self) -> int:
        """The position in the window."""
        return self.file.tell() - self.start

    def read(self, size: int = -1) -> bytes:
        """Up to the window's end and no further."""
        left = max(0, self.size - self.tell())
        return self.file.read(left if size is None or size < 0 else min(size, left))
