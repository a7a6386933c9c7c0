"""Sold license keys of a project, and facts about licenses."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from codesync.answers import LicenseKey, Validity
from codesync.transport import Transport


class Licenses:
    """`/licenses`. Times are milliseconds since the epoch."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def page(self, *, since: int | None = None, until: int | None = None, limit: int = 100) -> dict[str, Any]:
        """One page of keys, the oldest first."""
        return self.transport.ask("GET", "/licenses", query={"since": since, "until": until, "limit": limit})

    def all(self, *, since: int | None = None, until: int | None = None) -> Iterator[LicenseKey]:
        """Every key, page after page."""
        after: int | None = since
        while True:
            found = self.page(since=after, until=until)
            yield from found["data"]
            after = found["pagination"]["next"]
            if after is None:
                return

    def get(self, id: str) -> LicenseKey:
        """One key."""
        return self.transport.ask("GET", f"/licenses/{quote(id, safe='')}")

    def create(self, packages: list[str], constraint: dict[str, Any], **fields: Any) -> LicenseKey:
        """Sell a key; fields: name, key, meta, suspended."""
        return self.transport.ask("POST", "/licenses", json={"packages": packages, "constraint": constraint, **fields})

    def replace(self, id: str, license: dict[str, Any]) -> LicenseKey:
        """All of a key, in place of what it was."""
        return self.transport.ask("PUT", f"/licenses/{quote(id, safe='')}", json=license)

    def delete(self, id: str) -> None:
        """It opens nothing any more."""
        self.transport.ask("DELETE", f"/licenses/{quote(id, safe='')}")

    def validate(self, key: str, package: str, version: str) -> Validity:
        """Whether the key opens the version."""
        asked = {"key": key, "package": package, "version": version}
        return self.transport.ask("POST", "/licenses/validate", json=asked, is_question=True)

    def facts(self, spdx: str) -> dict[str, Any]:
        """What is known of a license or an expression, and what the portal's policy says to it."""
        return self.transport.ask("GET", f"/licenses/{quote(spdx, safe='')}")
