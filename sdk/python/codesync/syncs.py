"""Pulling from upstreams, and how the regions stand."""

from codesync.answers import Regions, SyncRun
from codesync.transport import Transport


class Syncs:
    """`/sync` and `/registry/sync/status`."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def start(self, upstream: str = "") -> SyncRun:
        """Pull from one upstream, or from every enabled one. ApiError 409: it runs already."""
        return self.transport.ask("POST", "/sync", json={"upstream": upstream} if upstream else None)

    def get(self, id: str) -> SyncRun:
        """How a run stands."""
        return self.transport.ask("GET", f"/sync/{id}")

    def latest(self, limit: int = 20) -> dict[str, list[SyncRun]]:
        """The latest runs."""
        return self.transport.ask("GET", "/sync", query={"limit": limit})

    def cancel(self, id: str) -> SyncRun:
        """End a run; what it has taken stays."""
        return self.transport.ask("POST", f"/sync/{id}/cancel")

    def regions(self) -> Regions:
        """How the EU regions stand."""
        return self.transport.ask("GET", "/registry/sync/status")
