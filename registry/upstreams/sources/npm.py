"""npm registries: packuments, read version by version.

Nothing lists everything on npm (`/-/all` is gone): include patterns that are names are asked for one by one, the
others are looked for with `/-/v1/search`, which registries answer up to a depth of their own.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

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
    Site,
    Stream,
    Vanished,
    Web,
)

PACKUMENT = 512 * 2**20
PER_SEARCH, DEEPEST = 250, 10_000
PER_PAGE = 1000
QUESTION = 20.0  # seconds that a waiting client's question may take
FULL = {"Accept": "application/json"}  # the abbreviated form has no dates
INSTALLERS_READ = (
    *("dependencies", "optionalDependencies", "peerDependencies", "peerDependenciesMeta", "bundleDependencies"),
    *("bundledDependencies", "acceptDependencies", "bin", "directories", "engines", "os", "cpu", "libc"),
    "_hasShrinkwrap",
)


class Npm:
    """A registry that speaks npm's protocol."""

    def __init__(self, site: Site, web: Web) -> None:
        self.site, self.web = site, web
        self.base = site.base_url.rstrip("/") + "/"

    def pages(self, since: Cursor, cursor: Cursor) -> Iterator[Page]:
        """A page or more for each package; packuments that did not change since the last listing are not sent again.

        A listing in which a packument could not be read leaves the bookmark where it was, so that it is asked again.
        """
        state = dict(cursor) or {"after": "", "done": 0, "began": _a_day_ago(), "odd": False}
        bookmark = {"began": state["began"], "for": reading.fingerprint(self.site.wanted)}
        known = str(since.get("began", "")) if since.get("for") == bookmark["for"] else ""
        rest = [name for name in sorted(set(self._names())) if name > state["after"]]
        for name in rest:
            listings, troubles = self._offered(name, known)
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
                yield Page(part, None, since if state["odd"] else bookmark, troubles)
        if not rest:
            yield Page((), None, since if state["odd"] else bookmark)

    def open(self, listing: Listing) -> AbstractContextManager[Stream]:
        """The tarball, wherever the packument says it is."""
        return reading.file(self.web, listing)

    def find(self, ecosystem: str, name: str, version: str) -> Sequence[Listing]:
        """The tarball of the version, if there is one."""
        if ecosystem != "npm":
            return ()
        wanted = _canonical(version)
        listings, _ = self._read(name, lambda offered: _canonical(offered) == wanted)
        return tuple(listings)

    def assortment(self, name: str, etag: str = "") -> Assortment | None:
        """Every version that names its tarball, with what an installer reads of its manifest."""
        found: dict[str, dict[str, Any]] = {"versions": {}, "time": {}, "dist-tags": {}}
        headers = FULL | ({"If-None-Match": etag} if etag else {})
        try:
            with self.web.opened(self._address(name), headers=headers, size=PACKUMENT, seconds=QUESTION) as answer:
                said: Any = name
                for section, key, value in streaming.members(answer, tuple(found), ("name",)):
                    if section == "name":
                        said = value
                    elif key is not None:
                        found[section][key] = _worth(value) if section == "versions" else value
                new_etag = str(answer.headers.get("ETag", ""))[:200]
        except Rejected as refusal:
            if etag and refusal.status == 304:
                return None
            raise
        self._need_same(name, said)
        goods = (self._goods(name, version, facts, found["time"]) for version, facts in found["versions"].items())
        tags = {tag: version for tag, version in found["dist-tags"].items() if isinstance(version, str)}
        return Assortment(name, tuple(one for one in goods if one is not None), tags, new_etag)

    def _goods(self, name: str, version: str, facts: dict[str, Any], dates: dict[str, Any]) -> Goods | None:
        listing = self._listing(name, version, facts, dates)
        if listing is None:
            return None
        return Goods(version, (listing,), facts["raw"], facts["license"], facts["runs_scripts"])

    # --- which packages ----------------------------------------------------------------------------------------
    def _names(self) -> Iterator[str]:
        """The names that are wanted: as they stand in the patterns, and as the search finds them; never ours."""
        wanted = self.site.wanted
        for pattern in wanted.include or ("*",):
            found = self._search(pattern) if set("*?[") & set(pattern) else (pattern,)
            yield from (name for name in found if name in wanted and not self.site.is_internal(name))

    def _search(self, pattern: str) -> Iterator[str]:
        """Every name that the search gives for the words before the first wildcard."""
        start = min(pattern.find(sign) for sign in "*?[" if sign in pattern)
        scope, slash, _ = pattern[:start].partition("/")
        text = f"scope:{scope[1:]}" if slash and scope.startswith("@") else pattern[:start].strip("@/-_.")
        for offset in range(0, DEEPEST, PER_SEARCH):
            found = self._searched(text, offset)
            yield from (name for one in found if (name := _name_of(one)))
            if len(found) < PER_SEARCH:
                return

    def _searched(self, text: str, offset: int) -> list[Any]:
        query = f"text={quote(text, safe='')}&size={PER_SEARCH}&from={offset}"
        try:
            answer = self.web.json(f"{self.base}-/v1/search?{query}")
        except Denied:
            raise
        except Refused as problem:
            raise Nonsense(
                f"The upstream cannot be searched: give names as include patterns. {problem.message}"
            ) from None
        found = answer.get("objects") if isinstance(answer, dict) else None
        if not isinstance(found, list):
            raise Nonsense("The upstream's search answers without a list of packages.")
        return found

    # --- what a package offers -----------------------------------------------------------------------------------
    def _offered(self, name: str, known: str) -> tuple[list[Listing], list[tuple[str, str]]]:
        """All versions; what cannot be read of this package alone is a trouble, and stops none of the others."""
        try:
            return self._read(name, lambda offered: True, known)
        except Denied:
            raise
        except (Refused, InvalidInput) as problem:
            return [], [(name, problem.message)]

    def _read(
        self, name: str, wants: Callable[[str], bool], known: str = ""
    ) -> tuple[list[Listing], list[tuple[str, str]]]:
        """The versions that are wanted, in the packument's order; none where there is nothing (new) of that name."""
        versions: dict[str, Any] = {}
        dates: dict[str, Any] = {}
        said: Any = name
        headers = FULL | ({"If-Modified-Since": known} if known else {})
        try:
            with self.web.opened(self._address(name), headers=headers, size=PACKUMENT) as answer:
                for section, key, value in streaming.members(answer, ("versions", "time"), ("name",)):
                    if section == "versions" and wants(key):
                        versions[key] = _kept(value)
                    elif section == "time":
                        dates[key] = value
                    elif section == "name":
                        said = value
        except Vanished:
            return [], []
        except Rejected as answer:
            if answer.status == 304:
                return [], []
            raise
        self._need_same(name, said)
        read = {version: self._listing(name, version, facts, dates) for version, facts in versions.items()}
        odd = [(name, f"Version {version[:80]} names no tarball.") for version, one in read.items() if one is None]
        return [one for one in read.values() if one is not None], odd

    def _need_same(self, name: str, said: Any) -> None:
        if not isinstance(said, str) or said.lower() != name.lower():
            raise Nonsense(f"The upstream was asked for {name} and answers with another package.")

    def _address(self, name: str) -> str:
        return self.base + quote(name, safe="@")

    def _listing(self, name: str, version: str, facts: dict[str, Any], dates: dict[str, Any]) -> Listing | None:
        address = self._tarball(facts["tarball"])
        if not address:
            return None
        return Listing(
            ecosystem="npm",
            name=name,
            version=version,
            filename=f"{name.rpartition('/')[2]}-{version}.tgz",
            locator=address,
            digests={**reading.hexadecimal("sha1", facts["shasum"]), **reading.integrity(facts["integrity"])},
            released_at=reading.moment(dates.get(version)),
            deprecated=facts["deprecated"],
        )

    def _tarball(self, said: Any) -> str:
        """Where it says the tarball is; http on the registry's own host, as old packuments have it, means https."""
        if not isinstance(said, str) or not said or len(said) > reading.LOCATOR:
            return ""
        if said.startswith(self.base) and said.isprintable():
            return said
        address, own = urljoin(self.base, said), urlsplit(self.base)
        if own.scheme == "https" and address.startswith(f"http://{own.netloc}/"):
            return "https" + address.removeprefix("http")
        return address


def _a_day_ago() -> str:
    """As HTTP writes it: a day is more than two clocks differ."""
    return format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)


def _kept(facts: Any) -> dict[str, Any]:
    """What is needed of a version's manifest; the rest is let go."""
    facts = facts if isinstance(facts, dict) else {}
    dist = facts.get("dist") if isinstance(facts.get("dist"), dict) else {}
    kept = {key: dist.get(key) for key in ("tarball", "shasum", "integrity")}
    return {**kept, "deprecated": reading.words(facts.get("deprecated"), "It is deprecated upstream.")}


def _worth(facts: Any) -> dict[str, Any]:
    """The same, and what an installer reads before it asks for the file."""
    facts = facts if isinstance(facts, dict) else {}
    scripts = facts.get("scripts") if isinstance(facts.get("scripts"), dict) else {}
    license_ = facts.get("license")
    license_ = license_.get("type") if isinstance(license_, dict) else license_
    return _kept(facts) | {
        "raw": {key: facts[key] for key in INSTALLERS_READ if key in facts},
        "license": license_[:255] if isinstance(license_, str) else "",
        "runs_scripts": facts.get("hasInstallScript") is True
        or bool({"preinstall", "install", "postinstall"} & scripts.keys()),
    }


def _name_of(found: Any) -> str:
    package = found.get("package") if isinstance(found, dict) else None
    name = package.get("name") if isinstance(package, dict) else None
    return name if isinstance(name, str) else ""


def _canonical(version: str) -> str:
    try:
        return ecosystems.get("npm").canonical_version(version)
    except InvalidInput:
        return version
