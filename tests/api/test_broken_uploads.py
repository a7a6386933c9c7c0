"""Uploads that lie about their length, stall or break off, sent to the real server over real sockets."""

import json
import re
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from registry.models import Blob, Release
from tests import builders
from tests.builders import Cast

FILE = bytes(range(256)) * 8192
BODY = (
    b'--b\r\nContent-Disposition: form-data; name="product"\r\n\r\ntool\r\n'
    b'--b\r\nContent-Disposition: form-data; name="version"\r\n\r\nv1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="t.bin"\r\n\r\n' + FILE + b"\r\n--b--\r\n"
)
MULTIPART = "multipart/form-data; boundary=b"


class Server:
    """The real server, for one token."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token

    def open(self, line: str, length: int | None, kind: str) -> socket.socket:
        """A connection that has sent everything before the body; chunked without a length."""
        size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
        lines = (f"{line} HTTP/1.1", "Host: localhost", f"X-Api-Token: {self.token}", f"Content-Type: {kind}", size)
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.sendall("\r\n".join((*lines, "", "")).encode())
        return connection

    def begin(self, length: int | None = len(BODY)) -> socket.socket:
        """An upload of which nothing has been sent yet."""
        return self.open("POST /product/upload", length, MULTIPART)

    def send(self, line: str, body: bytes, kind: str = "application/json") -> int:
        """A whole request; its status."""
        with self.open(line, len(body), kind) as connection:
            connection.sendall(body)
            return heard(connection)[0]


def heard(connection: socket.socket) -> tuple[int, str]:
    """The status and the sentence of the answer."""
    start, _, body = connection.recv(2**16).partition(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", start.lower())[1])
    while len(body) < length:
        body += connection.recv(2**16)
    return int(start.split()[1]), json.loads(body[:length]).get("error", "")


def eventually(is_so: Callable[[], bool]) -> bool:
    """Whether it becomes so soon: the server notices an aborted connection a moment later."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if is_so():
            return True
    return False


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_uploads_that_lie_stall_or_break_off_are_told_so_and_leave_nothing(serve, cast: Cast, tmp_path: Path):
    port = serve(DATABASE_URL=builders.database_url(), UPLOAD_STALL_SECONDS="2")
    server = Server(port, builders.token(cast.alice, "read", "publish"))
    assert server.send("PUT /product/create", b'{"name": "tool"}') == 201

    with server.begin(len(BODY) + 1000) as longer:
        longer.sendall(BODY)
        longer.shutdown(socket.SHUT_WR)
        status, said = heard(longer)
        assert (status, f"Only {len(BODY)} of {len(BODY) + 1000} bytes arrived" in said) == (400, True)
    with server.begin(len(BODY) - 2000) as shorter:
        shorter.sendall(BODY)
        status, said = heard(shorter)
        assert (status, "may be cut off" in said) == (400, True)
    with server.begin(None) as unfinished:
        unfinished.sendall(b"%x\r\n" % len(BODY) + BODY[:1000])
        unfinished.shutdown(socket.SHUT_WR)
        assert heard(unfinished)[0] == 400
    with server.begin() as stalled:
        stalled.sendall(BODY[:1_200_000])
        # meanwhile nothing is locked: others read and write
        assert server.send("PUT /product/create", b'{"name": "other"}') == 201
        status, said = heard(stalled)
        assert (status, "stalled after" in said) == (400, True)
    with server.begin() as aborted:
        aborted.sendall(BODY[:1_200_000])
        assert eventually(lambda: any((tmp_path / "staging").iterdir()))
        aborted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert eventually(lambda: not any((tmp_path / "staging").iterdir()))
    assert not list((tmp_path / "blobs").rglob("*.*"))
    assert (Blob.objects.count(), Release.objects.count()) == (0, 0)
    assert server.send("POST /product/upload", BODY, MULTIPART) == 201
    assert server.send("POST /product/upload", BODY, MULTIPART) == 409
    (stored,) = (tmp_path / "blobs").rglob("*.0")
    assert (stored.read_bytes(), stored.stat().st_nlink) == (FILE, 1)  # linked, not copied, and no longer staged
