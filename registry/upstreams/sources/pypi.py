"""Python indexes: the simple API as JSON (PEP 691, 700), or as HTML (PEP 503) where that is all there is."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

from registry import ecosystems
from registry.errors import InvalidInput, Refused
from registry.upstreams.sources import reading, streaming
from registry.upstreams.sources.base import (
    START,
    Assortment,
    Cursor,
    Denied,
    Goods,
    Listing,
    Nonsense,
    Page,
    Rejected,
    Reply,
    Site,
    Stream,
    Vanished,
    Web,
)

INDEX = 512 * 2**20
PROJECT = 128 * 2**20
PER_PAGE = 1000
JSON, HTML = "application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+html"
EITHER = {"Accept": f"{JSON}, {HTML};q=0.2, text/html;q=0.1"}
HIDDEN = frozenset({"quarantined"})  # PEP 792: offers no files
NEEDED = ("filename", "url", "hashes", "size", "upload-time", "yanked", "requires-python")
QUESTION = 20.0  # seconds that a waiting client's question may take
Files = Iterator[Mapping[str, Any]]


class PyPi:
    """An index that pip can install from. `base_url` may end in /simple or leave it out."""

    def __init__(self, site: Site, web: Web) -> None:
        self.site, self.web = site, web
        base = site.base_url.rstrip("/")
        self.base = (base if base.endswith("/simple") else f"{base}/simple") + "/"

    def pages(self, since: Cursor, cursor: Cursor) -> Iterator[Page]:
        """A page or more for each project, in the order of normal names.

        Where the index tells serials (PyPI does), only projects whose serial grew since the last listing are read.
        """
        known = int(since.get("serial", 0)) if since.get("for") == reading.fingerprint(self.site.wanted) else 0
        names, newest = self._names(known)
        state = dict(cursor) or {"after": "", "done": 0, "serial": newest, "odd": False}
        rest = names[bisect_right(names, state["after"]) :]
        fresh = {"serial": state["serial"], "for": reading.fingerprint(self.site.wanted)}
        for name in rest:
            listings, troubles = self._offered(name)
            state["odd"] = state["odd"] or bool(troubles)
            while state["done"] + PER_PAGE < len(listings):
                part = listings[state["done"] : state["done"] + PER_PAGE]
                state["done"] += PER_PAGE
                yield Page(part, dict(state), START)
            part = listings[state["done"] :]
            state |= {"after": name, "done": 0}
            if name != rest[-1]:
                yield Page(part, dict(state), START, troubles)
            else:
                yield Page(part, None, since if state["odd"] else fresh, troubles)
        if not rest:
            yield Page((), None, since if state["odd"] else fresh)

    def open(self, listing: Listing) -> AbstractContextManager[Stream]:
        """The file, wherever the index says it is."""
        return reading.file(self.web, listing)

    def find(self, ecosystem: str, name: str, version: str) -> Sequence[Listing]:
        """The files of the version: wheels that run anywhere, then the sdist, then wheels of single platforms."""
        if ecosystem != "pypi":
            return ()
        rules = ecosystems.get("pypi")
        wanted = rules.canonical_version(version)
        listings, _ = self._read(rules.normalize_name(name))
        mine = [one for one in listings if rules.canonical_version(one.version) == wanted]
        return tuple(sorted(mine, key=lambda one: (_rank(one.filename), one.filename)))

    def assortment(self, name: str, etag: str = "") -> Assortment | None:
        """Every version that has an sdist or a wheel."""
        normal = ecosystems.get("pypi").normalize_name(name)
        headers = EITHER | ({"If-None-Match": etag} if etag else {})
        listings: list[Listing] = []
        try:
            with self.web.opened(f"{self.base}{normal}/", headers=headers, size=PROJECT, seconds=QUESTION) as answer:
                for file in _files_of_json(answer, normal) if _is_json(answer) else _files_of_html(answer):
                    self._take(normal, file, answer.url, listings, [])
                new_etag = str(answer.headers.get("ETag", ""))[:200]
        except Rejected as refusal:
            if etag and refusal.status == 304:
                return None
            raise
        versions = defaultdict[str, list[Listing]](list)
        for one in sorted(listings, key=lambda one: (_rank(one.filename), one.filename)):
            versions[one.version].append(one)
        return Assortment(normal, tuple(Goods(key, tuple(files)) for key, files in versions.items()), {}, new_etag)

    # --- which projects ----------------------------------------------------------------------------------------
    def _names(self, known: int) -> tuple[list[str], int]:
        """The normal names that are wanted and new, sorted, and the highest serial that the index tells."""
        normal = ecosystems.get("pypi").normalize_name
        names, newest = set[str](), 0
        if self.site.wanted.plain is not None:
            names.update(map(normal, self.site.wanted.plain))
        else:
            for name, serial in self._index():
                newest = max(newest, serial)
                if (not known or serial > known) and (name in self.site.wanted or normal(name) in self.site.wanted):
                    names.add(normal(name))
        return sorted(name for name in names if not self.site.is_internal(name)), newest

    def _index(self) -> Iterator[tuple[str, int]]:
        with self.web.opened(self.base, headers=EITHER, size=INDEX) as answer:
            if _is_json(answer):
                for _, _, one in streaming.members(answer, ("projects",)):
                    if isinstance(one, dict) and isinstance(one.get("name"), str):
                        yield one["name"], _serial(one.get("_last-serial"))
            else:
                yield from ((text, 0) for text, _ in _links(answer))

    # --- what a project offers -----------------------------------------------------------------------------------
    def _offered(self, name: str) -> tuple[list[Listing], list[tuple[str, str]]]:
        """All its files; what cannot be read of this project alone is a trouble, and stops none of the others."""
        try:
            return self._read(name)
        except Denied:
            raise
        except (Refused, InvalidInput) as problem:
            return [], [(name, problem.message)]

    def _read(self, name: str) -> tuple[list[Listing], list[tuple[str, str]]]:
        """Its sdists and wheels in the index's order; nothing where the index does not know the project."""
        listings: list[Listing] = []
        troubles: list[tuple[str, str]] = []
        try:
            with self.web.opened(f"{self.base}{name}/", headers=EITHER, size=PROJECT) as answer:
                files = _files_of_json(answer, name) if _is_json(answer) else _files_of_html(answer)
                for one in files:
                    self._take(name, one, answer.url, listings, troubles)
        except Vanished:
            pass
        return listings, troubles

    def _take(
        self, name: str, file: Mapping[str, Any], page: str, listings: list[Listing], troubles: list[tuple[str, str]]
    ) -> None:
        filename, url = file.get("filename"), file.get("url")
        if not isinstance(filename, str) or not isinstance(url, str) or len(filename) > 255:
            troubles.append((name, "A file has no name or no address."))
            return
        parsed = _parsed(filename)
        if parsed is None or parsed[0] != name:
            return  # eggs, installers and other files of old that nothing here reads
        address = urldefrag(urljoin(page, url)).url
        if len(address) > reading.LOCATOR:
            troubles.append((name, f"The address of {filename} is too long."))
            return
        hashes = file.get("hashes")
        given = hashes.items() if isinstance(hashes, dict) else ()
        digests = {key: text for one in given for key, text in reading.hexadecimal(*one).items()}
        size = file.get("size")
        listings.append(
            Listing(
                ecosystem="pypi",
                name=name,
                version=parsed[1],
                filename=filename,
                locator=address,
                size=size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
                digests=digests,
                released_at=reading.moment(file.get("upload-time")),
                yanked=reading.words(file.get("yanked"), "It is yanked upstream."),
                requires=_short(file.get("requires-python")),
            )
        )


def _short(text: Any) -> str:
    return text if isinstance(text, str) and len(text) <= 512 and text.isprintable() else ""


def _rank(filename: str) -> int:
    """Wheels that run anywhere are installed without running code, and their metadata is final."""
    if filename.endswith("-none-any.whl"):
        return 0
    return 2 if filename.endswith(".whl") else 1


def _parsed(filename: str) -> tuple[str, str] | None:
    """The normal name and the version that the file's name tells, if it is a wheel or a tar.gz."""
    try:
        if filename.endswith(".whl"):
            name, version, _, _ = parse_wheel_filename(filename)
        elif filename.endswith(".tar.gz"):
            name, version = parse_sdist_filename(filename)
        else:
            return None
    except (InvalidWheelFilename, InvalidSdistFilename, ValueError):
        return None
    return str(name), str(version)


def _is_json(answer: Reply) -> bool:
    return str(answer.headers.get("Content-Type", "")).partition(";")[0].strip().endswith("json")


def _serial(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


# --- as JSON ---------------------------------------------------------------------------------------------------------
def _files_of_json(answer: Reply, name: str) -> Files:
    """Each file; none where the index quarantined the project, which it may say behind its files."""
    files: list[Mapping[str, Any]] = []
    is_hidden = False
    for section, _, value in streaming.members(answer, ("files",), ("name", "project-status", "meta")):
        if section == "name" and not _same_name(value, name):
            raise Nonsense(f"The index was asked for {name} and answers with another project.")
        if section == "files":
            if not isinstance(value, dict):
                raise Nonsense("The index lists files that are none.")
            files.append({key: value.get(key) for key in NEEDED})
        is_hidden = is_hidden or _status(section, value) in HIDDEN
    return iter(() if is_hidden else files)


def _status(section: str, value: Any) -> Any:
    """PEP 792: an object of its own; and earlier, a word in `meta`."""
    if not isinstance(value, dict):
        return None
    return value.get("status") if section == "project-status" else value.get("project-status")


def _same_name(said: Any, name: str) -> bool:
    return isinstance(said, str) and ecosystems.get("pypi").normalize_name(said) == name


# --- as HTML ---------------------------------------------------------------------------------------------------------
class _Anchors(HTMLParser):
    """Collects the links of a page: their text and attributes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: dict[str, str | None] | None = None
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.open, self.text = dict(attrs), ""

    def handle_data(self, data: str) -> None:
        if self.open is not None:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self.open is not None:
            self.found.append((self.text.strip(), self.open))
            self.open = None


def _links(answer: Reply) -> Iterator[tuple[str, dict[str, str | None]]]:
    """The links of the page as they come in; a page without its end is refused."""
    anchors, seen = _Anchors(), b""
    while piece := answer.read(streaming.PIECE):
        anchors.feed(piece.decode("utf-8", "replace"))
        seen = (seen + piece)[-512:]
        yield from anchors.found
        anchors.found.clear()
    if not re.search(rb"</(body|html)>|</a>\s*(<br\s*/?>\s*)*$", seen, re.IGNORECASE) and seen.strip():
        raise Nonsense("The index's page ends too early.")


def _files_of_html(answer: Reply) -> Files:
    """The files behind the links of a project's page, in the shape that the JSON has."""
    for text, attributes in _links(answer):
        href = attributes.get("href") or ""
        algorithm, _, digest = urlsplit(href).fragment.partition("=")
        yield {
            "filename": text or unquote(urlsplit(href).path.rpartition("/")[2]),
            "url": href,
            "hashes": {algorithm: digest},
            "upload-time": attributes.get("data-upload-time"),
            "requires-python": attributes.get("data-requires-python"),
            "yanked": (attributes["data-yanked"] or True) if "data-yanked" in attributes else False,
        }
