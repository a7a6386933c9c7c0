"""Time limits for what a region is asked: one that hangs delays its own work and nobody else's.

A system call on a dead file system cannot be cut short, so it runs in a thread that is given up on.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, TypeVar

from registry.mirrors.stores import Entry, Store

SECONDS = 10.0
SLOWEST = 1_000_000  # bytes in a second that a region must manage
Answer = TypeVar("Answer")


def within(seconds: float, what: str, ask: Callable[[], Answer]) -> Answer:
    """What `ask` returns or raises; TimeoutError, which is an OSError, when it takes longer."""
    ended: list[Answer] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            ended.append(ask())
        except BaseException as problem:
            failed.append(problem)

    thread = threading.Thread(target=run, name=what, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not ended:
        raise TimeoutError(f"The region did not {what} within {seconds:.0f} s")
    return ended[0]


class Patient:
    """A store each of whose answers may take so long and no longer. What is opened reads without a limit."""

    def __init__(self, store: Store, seconds: float = SECONDS) -> None:
        self.store, self.seconds = store, seconds

    def put(self, key: str, source: Path, size: int, sha256: str) -> None:
        """Longer for longer files."""
        limit = self.seconds + size / SLOWEST
        within(limit, f"take {key}", lambda: self.store.put(key, source, size, sha256))

    def write(self, key: str, body: bytes) -> None:
        """Within the limit."""
        within(self.seconds, f"take {key}", lambda: self.store.write(key, body))

    def link(self, key: str, target: str) -> None:
        """Within the limit."""
        within(self.seconds, f"take {key}", lambda: self.store.link(key, target))

    def target_of(self, key: str) -> str | None:
        """Within the limit."""
        return within(self.seconds, f"tell of {key}", lambda: self.store.target_of(key))

    def digest_of(self, key: str, size: int = 0) -> tuple[int, str] | None:
        """Longer for longer files."""
        return within(self.seconds + size / SLOWEST, f"give {key}", lambda: self.store.digest_of(key))

    def read(self, key: str) -> bytes | None:
        """Within the limit."""
        return within(self.seconds, f"give {key}", lambda: self.store.read(key))

    def open(self, key: str) -> IO[bytes]:
        """Until the first bytes can be read."""
        return within(self.seconds, f"give {key}", lambda: self.store.open(key))

    def delete(self, key: str) -> None:
        """Within the limit."""
        within(self.seconds, f"delete {key}", lambda: self.store.delete(key))

    def entries(self, prefix: str, after: str = "", limit: int = 500) -> list[Entry]:
        """Within the limit."""
        return within(self.seconds, f"list {prefix}", lambda: self.store.entries(prefix, after, limit))

    def clean(self) -> int:
        """Within the limit."""
        return within(self.seconds, "remove what is old", self.store.clean)

    def probe(self) -> None:
        """Within the limit."""
        within(self.seconds, "answer", self.store.probe)
