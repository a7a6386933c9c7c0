"""A load generator on raw sockets: a few connections kept alive, each sending as soon as it has its answer."""

import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle

LAST_CHUNK = b"\r\n0\r\n\r\n"


@dataclass
class Measured:
    """What came back: how many answers, how long each took (seconds), and what was not 2xx."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failures: list[bytes] = field(default_factory=list)

    def __add__(self, other: "Measured") -> "Measured":
        """What came back in both."""
        latencies, failures = self.latencies + other.latencies, self.failures + other.failures
        return Measured(self.seconds + other.seconds, latencies, failures)

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """The latency (milliseconds) that this share of the answers stayed below."""
        ranked = sorted(self.latencies)
        return ranked[min(len(ranked) - 1, int(len(ranked) * share))] * 1000 if ranked else float("nan")


class Connection:
    """One client: sends a request, collects the answer, sends the next."""

    def __init__(self, address: tuple[str, int], requests: Iterator[bytes]) -> None:
        self.address, self.requests = address, requests
        self.connect()

    def connect(self) -> None:
        """A new socket; the server closes the old one now and then."""
        self.socket = socket.create_connection(self.address, timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self) -> bool:
        """Send the next request; False when there is none left."""
        request = next(self.requests, None)
        if request is None:
            return False
        self.began = time.perf_counter()
        self.received, self.expected, self.head, self.end = 0, -1, b"", b""
        self.is_chunked = False
        self.socket.sendall(request)
        return True

    def receive(self) -> bool:
        """Take what has arrived; True when the answer is complete."""
        chunk = self.socket.recv(262_144)
        if not chunk:
            raise ConnectionError("The server hung up in the middle of an answer.")
        self.received += len(chunk)
        if self.expected < 0:
            self.head += chunk
            self._read_head()
        self.end = (self.end + chunk)[-len(LAST_CHUNK) :]
        return self.end == LAST_CHUNK if self.is_chunked else 0 <= self.expected <= self.received

    def _read_head(self) -> None:
        end = self.head.find(b"\r\n\r\n")
        if end >= 0:
            lower = self.head[:end].lower()
            if b"transfer-encoding: chunked" in lower:
                self.expected, self.is_chunked = end + 4, True
                return
            at = lower.index(b"content-length:") + 15
            self.expected = end + 4 + int(lower[at:].split(b"\r\n", 1)[0])


def measure(
    address: tuple[str, int], requests: list[bytes], seconds: float, connections: int = 4, *, once: bool = False
) -> Measured:
    """Send the requests round and round for so long (or each once), over so many connections."""
    supply = iter(requests) if once else cycle(requests)
    measured, selector = Measured(), selectors.DefaultSelector()
    began = time.perf_counter()
    until = began + seconds
    for _ in range(connections):
        one = Connection(address, supply)
        if one.send():
            selector.register(one.socket, selectors.EVENT_READ, one)
    while selector.get_map():
        for key, _ in selector.select(60):
            _take(key.data, measured, selector, until)
    measured.seconds = time.perf_counter() - began
    return measured


def _take(one: Connection, measured: Measured, selector: selectors.BaseSelector, until: float) -> None:
    """Go on with a connection that has something to read."""
    if not one.receive():
        return
    measured.latencies.append(time.perf_counter() - one.began)
    if one.head[9:10] != b"2":
        measured.failures.append(one.head[:300])
    selector.unregister(one.socket)
    if b"connection: close" in one.head.lower():
        one.socket.close()
        one.connect()
    if time.perf_counter() < until and one.send():
        selector.register(one.socket, selectors.EVENT_READ, one)
    else:
        one.socket.close()
