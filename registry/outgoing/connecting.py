"""A connection to an address that was looked at, with a clock that runs over everything that happens on it."""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Iterable, Sequence
from typing import Any

from registry.errors import Unavailable
from registry.outgoing.addresses import IP, Place

SHORTEST = 0.001


class Unreachable(Unavailable):
    """The other side does not answer, not in time, or not in HTTP."""

    code = "unreachable"


class Clock:
    """How long a single wait may take, and all of them together; seconds."""

    def __init__(self, each: float, total: float) -> None:
        self.each = each
        self.ends = time.monotonic() + total

    def left(self, each: float | None = None) -> float:
        """What the next wait may take; raises TimeoutError once nothing is left."""
        left = self.ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("out of time")
        return max(min(self.each if each is None else each, left), SHORTEST)


class _Reader(io.RawIOBase):
    """The receiving half of a socket, every wait of which asks the clock."""

    def __init__(self, wire: socket.socket, clock: Clock) -> None:
        self.wire, self.clock = wire, clock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.wire.settimeout(self.clock.left())
        return self.wire.recv_into(buffer)

    def readall(self) -> bytes:
        """Refused: http.client asks for this only where a chunk has a negative size, and then it has no end."""
        raise OSError("a body without an end")


class _Wire:
    """What http.client needs of a socket."""

    def __init__(self, wire: socket.socket, clock: Clock) -> None:
        self.wire, self.clock = wire, clock

    def sendall(self, data: bytes) -> None:
        self.wire.settimeout(self.clock.left())
        self.wire.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self.wire, self.clock))

    def close(self) -> None:
        """Nothing: http.client closes before the body is read, and leaves the rest to counted references."""


class Connection(http.client.HTTPConnection):
    """HTTP/1.1 to one of the addresses, and never to what the name means a moment later. No proxies."""

    def __init__(self, place: Place, addresses: Sequence[IP], clock: Clock, connect: float) -> None:
        super().__init__(place.host, place.port)
        self.wire: socket.socket | None = None
        self.place, self.addresses, self.clock, self.patience = place, addresses, clock, connect

    def hang_up(self) -> None:
        """Close the socket itself."""
        self.close()
        if self.wire is not None:
            self.wire.close()

    def connect(self) -> None:
        """Try the addresses one after the other; TLS proves the name, not the address."""
        self.wire = self._reach(self.addresses)
        if self.place.scheme == "https":
            self.wire.settimeout(self.clock.left(self.patience))
            self.wire = ssl.create_default_context().wrap_socket(self.wire, server_hostname=self.place.host)
        self.sock: Any = _Wire(self.wire, self.clock)

    def _reach(self, addresses: Iterable[IP]) -> socket.socket:
        problem: OSError = OSError("no address")
        for address in addresses:
            try:
                return socket.create_connection((str(address), self.place.port), self.clock.left(self.patience))
            except OSError as refused:
                problem = refused
        raise problem
