"""A region in an S3 bucket: single PUTs whose answer must name the bytes that were sent, and short patience."""

import base64
import hashlib
import io
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

from accounts import sealing
from registry.mirrors import limits
from registry.mirrors.stores import PROBE, Entry, Mismatch, copy

PURPOSE = "mirror"
LOCATION = "location"  # the metadata of an empty object that is a link
CONNECT_SECONDS, READ_SECONDS = 2, 5
TYPES = {".json": "application/json"}


@lru_cache(maxsize=32)
def bucket(url: str, access_key: str, secret: str) -> "Bucket":
    """The bucket of `s3://name/prefix?endpoint_url=…&region_name=…`, with sealed credentials or those of AWS_*."""
    import boto3
    from botocore.config import Config

    parts = urlsplit(url)
    options: dict[str, Any] = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if access_key:
        options |= {"aws_access_key_id": access_key, "aws_secret_access_key": sealing.unseal(secret, PURPOSE)}
    style = {"addressing_style": "path"} if "endpoint_url" in options else {}
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": 2, "mode": "standard"},
        request_checksum_calculation="when_required",
        s3=style,
    )
    try:
        client = boto3.session.Session().client("s3", config=config, **options)
    except (TypeError, ValueError) as problem:
        raise OSError(f"{parts.scheme}://{parts.netloc} cannot be used: {problem}") from problem
    return Bucket(client, parts.netloc, parts.path.strip("/"))


class Bucket:
    """Objects below a prefix. A link is an empty object with its target, from the region's root, as metadata."""

    def __init__(self, client: Any, name: str, prefix: str) -> None:
        self.client, self.name, self.prefix = client, name, f"{prefix}/" if prefix else ""

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self.name, "Key": self.prefix + key}

    def put(self, key: str, source: Path, size: int, sha256: str) -> None:
        """Hashed before it is sent, and acknowledged with the digest of what arrived."""
        md5 = hashlib.md5(usedforsecurity=False)
        with _Wanted(source) as file:
            if copy(file, md5.update) != (size, sha256):
                raise Mismatch(f"The bytes for {key} are not what was recorded of them")
            file.seek(0)
            self._send(key, file, sha256, md5.hexdigest())

    def write(self, key: str, body: bytes) -> None:
        """A small object."""
        md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
        kind = {"ContentType": TYPES.get(Path(key).suffix, "application/octet-stream")}
        self._send(key, io.BytesIO(body), hashlib.sha256(body).hexdigest(), md5, **kind)

    def _send(self, key: str, body: IO[bytes] | io.RawIOBase, sha256: str, md5: str, **more: Any) -> None:
        """PUT; the answer's SHA-256, or else its entity tag where that is a plain MD5, must be ours."""
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        with faults_as_os_errors(f"take {key}"):
            answer = self.client.put_object(
                **self._at(key), Body=body, ChecksumSHA256=checksum, Metadata={"sha256": sha256}, **more
            )
        tag = answer.get("ETag", "").strip('"')
        arrived = answer.get("ChecksumSHA256") or (checksum if len(tag) != 32 or tag == md5 else "")
        if arrived != checksum:
            self.delete(key)
            raise Mismatch(f"Other bytes arrived as {key} than were sent")

    def link(self, key: str, target: str) -> None:
        """An empty object."""
        with faults_as_os_errors(f"take {key}"):
            self.client.put_object(**self._at(key), Body=b"", Metadata={LOCATION: target})

    def target_of(self, key: str) -> str | None:
        """By its metadata."""
        with faults_as_os_errors(f"tell about {key}"):
            found = self._unless_missing(self.client.head_object, key)
        return found["Metadata"].get(LOCATION) if found else None

    def _unless_missing(self, ask: Any, key: str) -> Any:
        from botocore.exceptions import ClientError

        try:
            return ask(**self._at(key))
        except ClientError as problem:
            code = problem.response.get("Error", {}).get("Code")
            if code in ("404", "NoSuchKey", "NotFound"):
                return None
            raise

    def digest_of(self, key: str) -> tuple[int, str] | None:
        """By reading all of it."""
        try:
            stream = self.open(key)
        except FileNotFoundError:
            return None
        with stream:
            return copy(stream, len)

    def read(self, key: str) -> bytes | None:
        """A small object."""
        try:
            stream = self.open(key)
        except FileNotFoundError:
            return None
        with stream:
            return stream.read()

    def open(self, key: str) -> IO[bytes]:
        """The object's body; one that breaks off is an OSError."""
        with faults_as_os_errors(f"give {key}"):
            found = self._unless_missing(self.client.get_object, key)
        if found is None:
            raise FileNotFoundError(f"There is no {key} in {self.name}")
        return io.BufferedReader(_Body(found["Body"], key), 256 * 1024)

    def delete(self, key: str) -> None:
        """Remove the object."""
        with faults_as_os_errors(f"delete {key}"):
            self.client.delete_object(**self._at(key))

    def entries(self, prefix: str, after: str = "", limit: int = 500) -> list[Entry]:
        """One page of the bucket's own listing."""
        begin = {"StartAfter": self.prefix + after} if after else {}
        with faults_as_os_errors(f"list {prefix}"):
            page = self.client.list_objects_v2(
                Bucket=self.name, Prefix=self.prefix + prefix, MaxKeys=min(limit, 1000), **begin
            )
        return [Entry(one["Key"][len(self.prefix) :], one["Size"]) for one in page.get("Contents", [])]

    def clean(self) -> int:
        """Nothing: what was not sent whole does not exist."""
        return 0

    def probe(self) -> None:
        """A few bytes there and back."""
        key, body = f"{PROBE}/{secrets.token_hex(8)}", secrets.token_bytes(32)
        with faults_as_os_errors("answer"):
            self.client.put_object(**self._at(key), Body=body)
            with self.client.get_object(**self._at(key))["Body"] as answer:
                is_same = answer.read() == body
            self.client.delete_object(**self._at(key))
        if not is_same:
            raise OSError(f"{self.name} gives other bytes than were written")


@contextmanager
def faults_as_os_errors(what: str) -> Iterator[None]:
    """Whatever the client raises becomes the OSError that every store promises."""
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    try:
        yield
    except (BotoCoreError, ClientError, HTTPError) as problem:
        raise OSError(f"The bucket does not {what}: {problem}") from problem


class _Wanted(io.FileIO):
    """A file that is read as long as somebody waits for what becomes of it."""

    def read(self, size: int | None = -1) -> bytes:
        """Raises GivenUp."""
        limits.go_on()
        return super().read(size)


class _Body(io.RawIOBase):
    """An object's body as it comes in."""

    def __init__(self, body: Any, key: str) -> None:
        self.body, self.key = body, key

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with what has arrived."""
        with faults_as_os_errors(f"give the rest of {self.key}"):
            chunk = self.body.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        """Give the connection back."""
        self.body.close()
        super().close()
