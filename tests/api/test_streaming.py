"""Uploads and downloads pass through: however large a file is, the web process holds little of it."""

import io
import itertools
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests import builders
from tests.api.clients import ApiClient

SIZE = 48 * 1024 * 1024
ROOM = 6 * 1024 * 1024
BLOCK = bytes(range(256)) * 256


class Endless(io.RawIOBase):
    """A request body that is made while it is read."""

    def __init__(self, head: bytes, tail: bytes) -> None:
        self.pieces: Iterator[bytes] = itertools.chain([head], itertools.repeat(BLOCK, SIZE // len(BLOCK)), [tail])
        self.rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.rest:
            piece = next(self.pieces, None)
            if piece is None:
                return 0
            self.rest = piece
        count = min(len(buffer), len(self.rest))
        buffer[:count], self.rest = self.rest[:count], self.rest[count:]
        return count


HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.tgz"\r\n\r\n'
BODIES = {
    "raw": ("application/octet-stream", b"", b""),
    "multipart": ("multipart/form-data; boundary=b", HEAD, b"\r\n--b--\r\n"),
}


@pytest.mark.parametrize("kind", BODIES)
def test_a_large_upload_is_never_held_in_memory(cast, client_of, kind: str):
    alice: ApiClient = client_of(cast.alice)
    content_type, head, tail = BODIES[kind]
    alice.get("/me")  # what is loaded once is not the upload's
    chunked = {"wsgi.input": Endless(head, tail), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    tracemalloc.start()

    answer = alice.generic("POST", "/packages/publish", b"", content_type, **chunked)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (answer.status_code, "not signed" in answer.json()["error"]) == (422, True)
    assert peak < ROOM, f"{peak / 2**20:.1f} MiB"
    assert list(Path(settings.STAGING_DIR).iterdir()) == []


def test_a_large_download_is_never_held_in_memory(cast, pair, nobody: ApiClient):
    large = os.urandom(12 * 1024 * 1024)
    builders.published(cast.alice, pair, builders.npm_tarball("large", files={"data.bin": large}))
    archive_size = int(nobody.head("/packages/large/versions/1.0.0/download")["Content-Length"])
    tracemalloc.start()

    answer: Any = nobody.get("/packages/large/versions/1.0.0/download")
    sent = sum(len(chunk) for chunk in answer.streaming_content)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sent == archive_size
    assert peak < ROOM, f"{peak / 2**20:.1f} MiB"
