"""What an affected entry says, drawn along its ecosystem's version order as text, so that no bound is read to ask it.

A chart is drawn once, when an advisory is imported, by the plain evaluation; asking it compares texts. Where a version
has no text, or a chart is of another scheme, the plain evaluation answers instead. Nothing here reads the database.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from registry.ecosystems import sort_texts
from scanning.evaluating import BEGINNING, RANKS, Entry, Key, Package, flat, place_of, spot_of

FORM = 1  # of the chart itself
SCHEME = FORM * 100 + sort_texts.SCHEME
END = "\N{INFINITY}"  # after every text
MOST_CUTS = 500  # drawing takes the square of them
Span = tuple[str, str, int, str]


def draw(slug: str, ranges: Iterable[Mapping[str, Any]], versions: Iterable[str]) -> str:
    """The chart of an entry, as JSON: [fix for what is no version, [start, end, fix, …], {other listed version: fix}].

    A fix is empty where none is known; the first is null where such versions do not match. Empty for the few entries
    that cannot be charted.
    """
    entry = Entry(slug, ranges := list(ranges), versions)
    package = Package(slug, [(0, entry)])
    edges = _edges(slug, ranges, package)
    if edges is None:
        return ""
    spans = _spans(entry, edges)
    nowhere = entry.hit(None)
    listed: dict[str, str] = {}
    for version in sorted(entry.listed):
        canonical, text = spot_of(slug, version)
        if canonical and text is None:
            return ""
        if nowhere if text is None else any(start <= text < end for start, end, _ in spans):
            continue
        listed[canonical or version] = entry.fixed_after(package.at(version), entry.ranges).fixed_in
    try:
        flattened = [text for span in spans for text in span]
        return orjson.dumps([nowhere and nowhere.fixed_in, flattened, listed]).decode()
    except orjson.JSONEncodeError:  # half of a surrogate pair
        return ""


def _edges(slug: str, ranges: Iterable[Mapping[str, Any]], package: Package) -> list[str] | None:
    """Where the package's cuts are; None where there are too many, or a bound has no text."""
    if len(package.cuts) > MOST_CUTS:
        return None
    texts: dict[Key | None, str | None] = {BEGINNING: ""}
    for bound in (bound for one in ranges for _, bound in flat(one)):
        texts[place_of(slug, bound).key] = spot_of(slug, bound).text
    edges: list[str] = []
    for key, rank in package.cuts:
        text = texts[key]
        if text is None:
            return None
        edges.append(text + sort_texts.LAST if rank == RANKS["last_affected"] else text)
    return edges


def _spans(entry: Entry, edges: list[str]) -> list[tuple[str, str, str]]:
    """The stretches that match, as (start, end, fix); neighbours of one answer are one."""
    spans: list[tuple[str, str, str]] = []
    for at, (start, end) in enumerate(zip(["", *edges], [*edges, END], strict=True)):
        hit = entry.hit(at) if start < end else None
        if hit is None:
            continue
        if spans and spans[-1][1:] == (start, hit.fixed_in):
            start = spans.pop()[0]
        spans.append((start, end, hit.fixed_in))
    return spans


class Charts:
    """Everything that is charted about one package."""

    __slots__ = ("listed", "nowhere", "slug", "spans")

    def __init__(self, slug: str, charts: Iterable[tuple[int, str]]) -> None:
        self.slug = slug
        self.spans: list[Span] = []
        self.listed: dict[str, tuple[tuple[int, str], ...]] = {}
        self.nowhere: tuple[tuple[int, str], ...] = ()
        for advisory, chart in charts:
            nowhere, spans, listed = orjson.loads(chart)
            if nowhere is not None:
                self.nowhere += ((advisory, nowhere),)
            parts = iter(spans)
            self.spans += [(start, end, advisory, fix) for start, end, fix in zip(parts, parts, parts, strict=True)]
            for version, fix in listed.items():
                self.listed[version] = (*self.listed.get(version, ()), (advisory, fix))

    def matches(self, version: str) -> Mapping[int, str]:
        """As `Package.matches`, for a version that `can_ask`."""
        canonical, text = spot_of(self.slug, version)
        if text is None:
            found = list(self.nowhere)
        else:
            found = [(advisory, fix) for start, end, advisory, fix in self.spans if start <= text < end]
        if self.listed:
            found += self.listed.get(canonical or version, ())
        matches = dict(found)
        return matches if len(matches) == len(found) else _best(found)


def can_ask(slug: str, version: str) -> bool:
    """Whether charts answer for the version: it has a text, or is no version at all."""
    canonical, text = spot_of(slug, version)
    return text is not None or canonical is None


def _best(found: Iterable[tuple[int, str]]) -> dict[int, str]:
    """Of several entries of an advisory that match, the first that knows a fix."""
    best: dict[int, str] = {}
    for advisory, fix in found:
        best[advisory] = best.get(advisory) or fix
    return best
