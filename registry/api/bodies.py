"""The body of a request while it comes in: counted, its end remembered, given up when its sender stalls."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from registry.errors import InvalidInput

BLOCK = 512 * 1024
ENOUGH = 64 * 1024  # bytes that must come within UPLOAD_STALL_SECONDS
TAIL = 256
BYTES_RECEIVED = slice(128, 136)  # in Linux' struct tcp_info


class Body:
    """Gives the bytes in order. Django reads no body without a length, but servers mark the end of chunked ones."""

    def __init__(self, request: HttpRequest) -> None:
        environ = request.META
        is_chunked = not environ.get("CONTENT_LENGTH") and environ.get("wsgi.input_terminated")
        self.stream: Any = environ["wsgi.input"] if is_chunked else request
        self.socket: socket.socket | None = environ.get("gunicorn.socket")
        length = environ.get("CONTENT_LENGTH")
        self.announced = int(length) if length and length.isascii() and length.isdigit() else None
        self.size, self.tail = 0, b""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, empty at the end. Raises InvalidInput when the connection breaks or stalls."""
        with _watch.over(self.socket) if self.socket else nullcontext() as watched:
            try:
                chunk: bytes = self.stream.read(min(size, BLOCK))
            except OSError as problem:
                raise self._broken_off() from problem
        if watched and watched.has_stalled:
            raise InvalidInput(
                f"The upload stalled after {self.size + len(chunk)} bytes: less than {ENOUGH // 1024} kB came in "
                f"{settings.UPLOAD_STALL_SECONDS:g} seconds. Send the file again.",
                code="stalled",
            )
        self.size += len(chunk)
        self.tail = chunk[-TAIL:] if len(chunk) >= TAIL else (self.tail + chunk)[-TAIL:]
        return chunk

    def finish(self) -> None:
        """Read what may be left. Raises InvalidInput where less has come than was announced."""
        while self.read(BLOCK):
            pass
        if self.announced is not None and self.size != self.announced:
            raise self._broken_off()

    def _broken_off(self) -> InvalidInput:
        of = f" of {self.announced}" if self.announced is not None else ""
        return InvalidInput(f"Only {self.size}{of} bytes arrived. Send the file again.", code="broken_off")


@dataclass(slots=True, eq=False)
class _Watched:
    """A connection from which a block is awaited."""

    socket: socket.socket
    until: float
    received: int | None
    has_stalled: bool = False


class _Watch:
    """One thread that closes the reading side of connections from which too little comes; their readers wake up."""

    def __init__(self) -> None:
        self.watched: set[_Watched] = set()
        self.lock = threading.Lock()
        self.is_running = False

    @contextmanager
    def over(self, connection: socket.socket) -> Iterator[_Watched]:
        """Watch the connection while the block runs."""
        until = time.monotonic() + settings.UPLOAD_STALL_SECONDS
        one = _Watched(connection, until, _received(connection))
        with self.lock:
            self.watched.add(one)
            if not self.is_running:
                self.is_running = True
                threading.Thread(target=self._run, name="upload watch", daemon=True).start()
        try:
            yield one
        finally:
            with self.lock:
                self.watched.discard(one)

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(min(1.0, settings.UPLOAD_STALL_SECONDS / 2)):
            with self.lock:  # so that no connection is closed that is read by somebody else by now
                for one in self.watched:
                    if time.monotonic() > one.until:
                        self._judge(one)

    def _judge(self, one: _Watched) -> None:
        now = _received(one.socket)
        if now is not None and one.received is not None and now - one.received >= ENOUGH:
            one.received, one.until = now, time.monotonic() + settings.UPLOAD_STALL_SECONDS
            return
        one.has_stalled = True
        try:
            one.socket.shutdown(socket.SHUT_RD)
        except OSError:
            return


_watch = _Watch()


def _received(connection: socket.socket) -> int | None:
    """Bytes that the kernel has taken from the peer, where it tells."""
    try:
        told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, BYTES_RECEIVED.stop)
    except (OSError, AttributeError):
        return None
    return int.from_bytes(told[BYTES_RECEIVED], "little") if len(told) == BYTES_RECEIVED.stop else None
