"""Scans, advisories, and the question which packages of a lockfile are vulnerable."""

from typing import Any

from codesync.answers import Audit, Scan
from codesync.packages import path
from codesync.transport import Transport


class Security:
    """`/security`, `/advisories` and `/audit`."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def scan(self, name: str, *, version: str = "", ecosystem: str = "") -> Scan:
        """The latest scan of a version."""
        where = path(name).replace("/packages/", "/security/scans/", 1)
        return self.transport.ask("GET", where, query={"version": version, "ecosystem": ecosystem})

    def request_scan(self, name: str, *, version: str = "", ecosystem: str = "") -> dict[str, Any]:
        """Have it scanned again."""
        wanted = {"name": name, "version": version, "ecosystem": ecosystem}
        return self.transport.ask("POST", "/security/scans", json={k: v for k, v in wanted.items() if v})

    def audit_lockfile(self, text: str, format: str = "", license: str = "") -> Audit:
        """What is known against the packages of a lockfile; `license`: of the work that takes them in."""
        return self._audit(lockfile=text, format=format, license=license)

    def audit_purls(self, purls: list[str]) -> Audit:
        """What is known against these package URLs, at most 5,000."""
        return self._audit(purls=purls)

    def advisory(self, id: str) -> dict[str, Any]:
        """An advisory as OSV JSON, with the versions held by the portal that it touches."""
        return self.transport.ask("GET", f"/advisories/{id}")

    def _audit(self, **asked: Any) -> Audit:
        given = {name: value for name, value in asked.items() if value or name in ("lockfile", "purls")}
        return self.transport.ask("POST", "/audit", json=given, is_question=True)
