"""JFrog Artifactory: listed by AQL, folder by folder where that is refused; files by their paths.

Pages are sorted and overlap a little, since things come and go while one lists.
"""

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import orjson

from registry import ecosystems
from registry.errors import RegistryError
from registry.upstreams.sources import layouts
from registry.upstreams.sources.base import (
    Cursor,
    Denied,
    Listing,
    Nonsense,
    Page,
    Rejected,
    Site,
    Stream,
    Vanished,
    Web,
)

ROWS = 1000
OVERLAP = 50
DEEPEST = 64
MARGIN = timedelta(hours=1)  # clocks differ
REFUSALS = (Rejected, Vanished, Denied)
HEADERS = {"sha1": "X-Checksum-Sha1", "sha256": "X-Checksum-Sha256", "md5": "X-Checksum-Md5"}
LENGTHS = {"md5": 32, "sha1": 40, "sha256": 64}
FIELDS = ("repo", "path", "name", "size", "created", "modified", "actual_md5", "actual_sha1", "sha256")


@dataclass(frozen=True, slots=True)
class File:
    """A file as any of the three ways of listing tells it."""

    path: str
    size: int | None
    digests: Mapping[str, str]
    modified: datetime | None
    created: datetime | None = None


class Artifactory:
    """One repository: local, remote (its cache) or virtual; of npm, Python or plain files."""

    def __init__(self, site: Site, web: Web) -> None:
        self.site, self.web = site, web
        base = site.base_url.rstrip("/")
        self.base = base if urlsplit(base).path else f"{base}/artifactory"
        if site.ecosystem not in layouts.RULES:
            raise Rejected("Say which ecosystem the repository holds: npm, pypi or generic.")
        self.rule = layouts.RULES[site.ecosystem]

    # --- the source ------------------------------------------------------------------------------------------------
    def pages(self, since: Cursor, cursor: Cursor) -> Iterator[Page]:
        """By AQL; where that is refused, or knows nothing of the repository (virtual ones), folder by folder."""
        begun = cursor.get("begun") or (datetime.now(UTC) - MARGIN).isoformat()
        after = str(since.get("after", ""))
        if "folder" not in cursor:
            try:
                if (yield from self._by_aql(after, begun, int(cursor.get("offset", 0)))):
                    return
            except REFUSALS:
                if cursor.get("offset"):
                    raise
        yield from self._by_folder(after, begun, tuple(cursor.get("folder", ())))

    @contextmanager
    def open(self, listing: Listing) -> Iterator[Stream]:
        """The file, with what the server says of its bytes now."""
        with self.web.file(self._content_url(listing.locator)) as reply:
            reply.told = {
                name: value.lower() for name, header in HEADERS.items() if (value := reply.headers.get(header, ""))
            }
            yield reply

    def find(self, ecosystem: str, name: str, version: str) -> Sequence[Listing]:
        """By AQL over file names, else in the folder where the version would lie."""
        if ecosystem != self.site.ecosystem:
            return ()
        rules = ecosystems.get(ecosystem)
        wanted = rules.normalize_name(name), rules.canonical_version(version)
        found = [self._listing(file) for file in self._candidates(name, version)]
        return tuple(one for one in found if isinstance(one, Listing) and _identity(one) == wanted)

    # --- AQL -------------------------------------------------------------------------------------------------------
    def _by_aql(self, after: str, begun: str, offset: int) -> Generator[Page, None, bool]:
        """Returns False, without a page, where AQL finds nothing at all in the whole repository."""
        while True:
            rows, is_trimmed = self._ask(_since(after), offset, ROWS)
            if not rows and not offset and not after:
                return False
            if not rows and is_trimmed:
                raise Nonsense("Artifactory cuts its answers, and tells nothing beyond the cut.")
            is_last = len(rows) < ROWS and not is_trimmed
            offset += len(rows) if is_trimmed else len(rows) - OVERLAP
            yield self._page(rows, None if is_last else {"offset": offset, "begun": begun}, begun)
            if is_last:
                return True

    def _ask(self, criteria: Sequence[object], offset: int, limit: int) -> tuple[list[File], bool]:
        """Files, sorted, and whether the server says that it cut the answer."""
        key = self.site.repository
        found = [{"$or": [{"repo": key}, {"repo": f"{key}-cache"}]}, *criteria]
        query = (
            f"items.find({_json({'type': 'file', '$and': found})}).include({_json(FIELDS)[1:-1]})"
            f'.sort({{"$asc":["path","name"]}}).offset({offset}).limit({limit})'
        )
        url, headers = f"{self.base}/api/search/aql", {"Content-Type": "text/plain"}
        answer = self.web.json(url, method="POST", body=query.encode(), headers=headers)
        try:
            rows = [_of_aql(row) for row in answer["results"]]
            return rows, bool(answer["range"].get("notification"))
        except (TypeError, KeyError, ValueError, AttributeError):
            raise Nonsense("The answer to the search is not in the form that Artifactory gives.") from None

    # --- folders ---------------------------------------------------------------------------------------------------
    def _by_folder(self, after: str, begun: str, done: tuple[str, ...]) -> Iterator[Page]:
        """Depth first, in the order of names, so that the path of the last file is a cursor."""
        files: list[File] = []
        seen, last = 0, done
        for entry in self._walk((), done):
            seen += 1
            if isinstance(entry, File):
                last = tuple(entry.path.split("/"))
                if not after or _is_after(entry, after):
                    files.append(entry)
            if len(files) >= ROWS or seen >= ROWS:
                yield self._page(files, {"folder": list(last), "begun": begun}, begun)
                files, seen = [], 0
        yield self._page(files, None, begun)

    def _walk(self, folder: tuple[str, ...], done: tuple[str, ...]) -> Iterator[File | None]:
        """Every file below the folder that comes after `done`; None for each folder that was looked into."""
        yield None
        if len(folder) > DEEPEST:
            raise Nonsense(f"The folders of the repository are more than {DEEPEST} levels deep.")
        for name, file in sorted(self._entries(folder), key=lambda entry: entry[0]):
            path = (*folder, name)
            if file is None:
                if path >= done[: len(path)]:
                    yield from self._walk(path, done)
            elif path > done:
                yield file if file.digests else self._info(path)

    def _entries(self, folder: tuple[str, ...]) -> list[tuple[str, File | None]]:
        """Name and file of what lies in the folder; None for folders, files without digests where no list is given."""
        url = self._storage_url("/".join(folder))
        try:
            answer = self.web.json(f"{url}?list&deep=0&listFolders=1")
            rows = answer["files"]
            return [_of_list(row, folder) for row in rows if row["uri"] != "/"]
        except Rejected:  # the free edition lists nothing
            return [_of_child(row, folder) for row in self.web.json(url).get("children", [])]
        except (TypeError, KeyError, ValueError, AttributeError):
            raise Nonsense("The list of a folder is not in the form that Artifactory gives.") from None

    def _info(self, path: tuple[str, ...]) -> File | None:
        """One file; None if it has gone since its folder was listed, or is a folder after all."""
        try:
            row = self.web.json(self._storage_url("/".join(path)))
            if "checksums" not in row:
                return None
            return File("/".join(path), _size(row.get("size")), _digests(row["checksums"]), _time(row["lastModified"]))
        except Vanished:
            return None
        except (TypeError, KeyError, ValueError, AttributeError):
            raise Nonsense("The facts about a file are not in the form that Artifactory gives.") from None

    # --- one version -----------------------------------------------------------------------------------------------
    def _candidates(self, name: str, version: str) -> list[File]:
        folder, pattern = _place_of(self.site.ecosystem, name, version)
        try:
            found, _ = self._ask([{"name": {"$match": pattern}}], 0, ROWS)
            if found:
                return found
        except REFUSALS:
            pass
        try:
            entries = self._entries(tuple(folder.split("/")))
        except Vanished:
            return []
        files = [file for _, file in entries if file is not None]
        full = (file if file.digests else self._info(tuple(file.path.split("/"))) for file in files)
        return [file for file in full if file is not None]

    # --- what a file is --------------------------------------------------------------------------------------------
    def _page(self, files: Sequence[File], cursor: Cursor | None, begun: str) -> Page:
        listings, troubles = [], []
        for file in files:
            found = self._listing(file)
            if isinstance(found, Listing):
                if found.name in self.site.wanted:
                    listings.append(found)
            elif found:
                troubles.append((file.path, found))
        return Page(listings, cursor, {} if cursor else {"after": begun}, troubles)

    def _listing(self, file: File) -> Listing | str:
        """The listing, or why there is none: "" where the file is no package at all."""
        if layouts.is_hidden(file.path) or not layouts.is_package_file(self.site.ecosystem, file.path):
            return ""
        named = self.rule(file.path)
        if named is None:
            return "Its path does not tell which package and which version it is."
        mark = file.modified.isoformat() if file.modified else ""
        return Listing(
            self.site.ecosystem,
            *named,
            filename=file.path.rpartition("/")[2],
            locator=file.path,
            size=file.size,
            digests=file.digests,
            mark=mark,
            released_at=min(filter(None, (file.modified, file.created)), default=None),
        )

    def _content_url(self, path: str) -> str:
        return f"{self.base}/{_quoted(self.site.repository)}/{_quoted(path)}"

    def _storage_url(self, path: str) -> str:
        return f"{self.base}/api/storage/{_quoted(self.site.repository)}" + (f"/{_quoted(path)}" if path else "")


def _place_of(ecosystem: str, name: str, version: str) -> tuple[str, str]:
    """The folder of a version, and an AQL pattern for the names of its files."""
    if ecosystem == "npm":
        return f"{name}/-", f"{name.rpartition('/')[2]}-{version}.tgz"
    if ecosystem == "pypi":
        return f"{name}/{version}", re.sub(r"[-_.]+", "?", name) + f"-{version}*"
    return f"{name.replace('.', '/')}/{version}", "*"


def _identity(listing: Listing) -> tuple[str, str] | None:
    rules = ecosystems.get(listing.ecosystem)
    try:
        return rules.normalize_name(listing.name), rules.canonical_version(listing.version)
    except RegistryError:
        return None


def _since(after: str) -> list[object]:
    """Caches keep the dates of what they cache, so that any of the three may be the new one."""
    if not after:
        return []
    instant = datetime.fromisoformat(after).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return [{"$or": [{field: {"$gt": instant}} for field in ("modified", "created", "updated")]}]


def _is_after(file: File, after: str) -> bool:
    return file.modified is None or file.modified > datetime.fromisoformat(after)


def _of_aql(row: Mapping[str, Any]) -> File:
    folder, name = str(row["path"]), str(row["name"])
    told = {"md5": row.get("actual_md5"), "sha1": row.get("actual_sha1"), "sha256": row.get("sha256")}
    path = name if folder == "." else f"{folder}/{name}"
    return File(path, _size(row.get("size")), _digests(told), _time(row["modified"]), _time(row.get("created")))


def _of_list(row: Mapping[str, Any], folder: tuple[str, ...]) -> tuple[str, File | None]:
    """Booleans and sizes come as such, or as texts."""
    name = str(row["uri"]).strip("/")
    if str(row.get("folder", "")).lower() == "true":
        return name, None
    told = {"sha1": row.get("sha1"), "sha256": row.get("sha2")}
    return name, File("/".join((*folder, name)), _size(row.get("size")), _digests(told), _time(row["lastModified"]))


def _of_child(row: Mapping[str, Any], folder: tuple[str, ...]) -> tuple[str, File | None]:
    """What is not said to be a folder is taken for a file, which `_info` will know."""
    name = str(row["uri"]).strip("/")
    is_folder = str(row.get("folder", "." not in name)).lower() == "true"
    return name, None if is_folder else File("/".join((*folder, name)), None, {}, None)


def _digests(told: Mapping[str, Any]) -> dict[str, str]:
    """Those that are of the right form; old servers lack some, and declared ones may be anything."""
    return {
        name: digest
        for name, length in LENGTHS.items()
        if (digest := str(told.get(name) or "").lower()) and re.fullmatch(rf"[0-9a-f]{{{length}}}", digest)
    }


def _size(said: object) -> int | None:
    """A number, or a text that is one; -1 is a folder's."""
    size = int(str(said)) if said not in (None, "") else -1
    return size if size >= 0 else None


def _time(said: object) -> datetime | None:
    moment = datetime.fromisoformat(str(said)) if said else None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _quoted(path: str) -> str:
    """Percent-encoded, `;` too, which would begin parameters."""
    return quote(path, safe="/@")


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
