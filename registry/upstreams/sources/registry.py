"""Another instance of this portal, through its REST API: what it has approved, with its digests and signatures."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urljoin

from registry import ecosystems
from registry.errors import InvalidInput, Refused
from registry.upstreams.sources import reading
from registry.upstreams.sources.base import (
    START,
    Cursor,
    Denied,
    Listing,
    Nonsense,
    Page,
    Site,
    Stream,
    Vanished,
    Web,
)

PER_PAGE, OVERLAP = 100, 10
MARGIN = timedelta(hours=1)
SIGNATURE = 64 * 1024
Row = Mapping[str, Any]


class Registry:
    """A portal like this one. `base_url` is where people reach it; the API below it is found."""

    def __init__(self, site: Site, web: Web) -> None:
        self.site, self.web = site, web
        base = site.base_url.rstrip("/")
        self.base = (base if base.endswith("/v1") else f"{base}/api/v1") + "/"

    def pages(self, since: Cursor, cursor: Cursor) -> Iterator[Page]:
        """A page for each page of its list, what changed last first, until what the last listing has seen.

        Pages overlap by a few rows, so that what leaves the list meanwhile takes nothing else out of sight.
        """
        state = dict(cursor) or {"offset": 0, "newest": "", "odd": False}
        bookmark = {"for": reading.fingerprint(self.site.wanted)}
        seen = reading.moment(since.get("newest")) if since.get("for") == bookmark["for"] else None
        is_last = False
        while not is_last:
            rows = self._rows(int(state["offset"]))
            state["newest"] = state["newest"] or (str(rows[0]["updated_at"]) if rows else "")
            fresh = [row for row in rows if not _is_older(row, seen)]
            is_last = len(rows) < PER_PAGE or len(fresh) < len(rows)
            listings, troubles = self._offered_all(fresh)
            state |= {"offset": state["offset"] + PER_PAGE - OVERLAP, "odd": bool(state["odd"] or troubles)}
            if not is_last:
                yield Page(listings, dict(state), START, troubles)
            elif state["odd"] or not state["newest"]:
                yield Page(listings, None, since, troubles)
            else:
                yield Page(listings, None, bookmark | {"newest": state["newest"]}, troubles)

    def open(self, listing: Listing) -> AbstractContextManager[Stream]:
        """The file, through the other portal's own gates."""
        return reading.file(self.web, listing)

    def find(self, ecosystem: str, name: str, version: str) -> Sequence[Listing]:
        """The files of the version, its primary first."""
        try:
            return tuple(self._files({"name": name, "ecosystem": ecosystem}, version))
        except Vanished:
            return ()

    # --- which packages ----------------------------------------------------------------------------------------
    def _rows(self, offset: int) -> list[Row]:
        """A page of its list; the newest first."""
        query = f"limit={PER_PAGE}&offset={offset}&ordering=-updated&status=approved"
        query += f"&ecosystem={quote(self.site.ecosystem)}" if self.site.ecosystem else ""
        answer = self.web.json(f"{self.base}packages?{query}")
        rows = answer.get("packages") if isinstance(answer, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) and "updated_at" in row for row in rows):
            raise Nonsense("The upstream answers without a list of packages: is it a portal like this one?")
        return rows

    def _offered_all(self, rows: Sequence[Row]) -> tuple[list[Listing], list[tuple[str, str]]]:
        """The files of all approved versions; a package that cannot be read stops none of the others."""
        listings: list[Listing] = []
        troubles: list[tuple[str, str]] = []
        for row in rows:
            name = str(row.get("name", ""))
            if name not in self.site.wanted:
                continue
            try:
                listings += self._offered(row)
            except Vanished:
                continue
            except Denied:
                raise
            except (Refused, InvalidInput) as problem:
                troubles.append((name, problem.message))
        return listings, troubles

    def _offered(self, row: Row) -> Iterator[Listing]:
        versions = _need(self.web.json(self._address(row)), "versions", list)
        for one in versions:
            if isinstance(one, dict) and _is_offered(one) and one.get("download_url"):
                yield from self._files(row, str(one.get("version")))

    # --- what a version holds --------------------------------------------------------------------------------------
    def _files(self, row: Row, version: str) -> Iterator[Listing]:
        """Its files, if it is approved and listed."""
        address = self._address(row, f"/versions/{quote(version, safe='+')}")
        found = self.web.json(address)
        files = _need(found, "artifacts", list)
        if not _is_offered(found) or not _is(row, version, found):
            return
        signature = self._signature(row, version) if found.get("signature") else ""
        for position, file in enumerate(files):
            yield self._listing(row, found, file, signature if not position else "")

    def _listing(self, row: Row, found: Row, file: Any, signature: str) -> Listing:
        filename = _need(file, "filename", str)
        version = _need(found, "version", str)
        path = f"/versions/{quote(version, safe='+')}/files/{quote(filename, safe='+')}"
        size = file.get("size")
        return Listing(
            ecosystem=str(row["ecosystem"]),
            name=_need(found, "name", str),
            version=version,
            filename=filename[:255],
            locator=self._address(row, path),
            size=size if isinstance(size, int) else None,
            digests={
                **reading.hexadecimal("sha256", file.get("sha256")),
                **reading.hexadecimal("sha512", file.get("sha512")),
            },
            released_at=reading.moment(found.get("published_at")),
            deprecated=reading.words(found.get("deprecated"), "It is deprecated upstream."),
            signature=signature,
        )

    def _signature(self, row: Row, version: str) -> str:
        address = self._address(row, f"/versions/{quote(version, safe='+')}/signature")
        with self.web.opened(address, size=SIGNATURE) as answer:
            pieces = iter(lambda: answer.read(SIGNATURE), b"")
            return b"".join(pieces).decode("ascii", "replace")

    def _address(self, row: Row, path: str = "") -> str:
        name = quote(str(row.get("name", "")), safe="@")
        return urljoin(self.base, f"packages/{name}{path}?ecosystem={quote(str(row.get('ecosystem', '')))}")


def _need(document: Any, key: str, kind: type) -> Any:
    value = document.get(key) if isinstance(document, dict) else None
    if not isinstance(value, kind) or value == "":
        raise Nonsense(f"The upstream answers without “{key}”: is it a portal like this one?")
    return value


def _is_offered(version: Row) -> bool:
    return version.get("status") == "approved" and not version.get("unlisted")


def _is(row: Row, version: str, found: Row) -> bool:
    """Whether it answered with what was asked for: the same package, and no tag for the version."""
    rules = ecosystems.get(str(row["ecosystem"]))
    try:
        same = rules.canonical_version(str(found.get("version"))) == rules.canonical_version(version)
    except InvalidInput:
        return False
    return same and rules.normalize_name(str(found.get("name"))) == rules.normalize_name(str(row["name"]))


def _is_older(row: Row, seen: datetime | None) -> bool:
    """Whether the last listing has seen it; an hour of margin, for what was written out of order."""
    updated = reading.moment(row.get("updated_at"))
    return seen is not None and updated is not None and updated < seen - MARGIN
