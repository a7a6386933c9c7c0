"""Time limits for what a region is asked: one that hangs delays its own work and nobody else's."""

from pathlib import Path
from typing import IO

from registry.mirrors.limits import within
from registry.mirrors.stores import Entry, Store

SECONDS = 10.0
SLOWEST = 1_000_000  # bytes in a second that a region must manage


class Reading:
    """What a region has opened; each of its reads may take so long and no longer."""

    def __init__(self, opened: IO[bytes], seconds: float) -> None:
        self.opened, self.seconds, self.hangs = opened, seconds, False

    def read(self, size: int, /) -> bytes:
        """At most so many bytes, empty at the end."""
        try:
            return within(self.seconds, "give the rest", lambda: self.opened.read(size))
        except TimeoutError:
            self.hangs = True
            raise

    def close(self) -> None:
        """Give it back, unless that would wait for what hangs."""
        if not self.hangs:
            self.opened.close()


class Patient:
    """A store each of whose answers may take so long and no longer."""

    def __init__(self, store: Store, seconds: float | None = None) -> None:
        self.store, self.seconds = store, SECONDS if seconds is None else seconds

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

    def open(self, key: str) -> Reading:
        """Within the limit, and so is each read."""
        return Reading(within(self.seconds, f"give {key}", lambda: self.store.open(key)), self.seconds)

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
