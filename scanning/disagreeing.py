"""Where an advisory's own list of versions and its ranges differ, and why.

Both count when versions are matched, as OSV has it; this only explains. What is compared are the versions that any
advisory about the package lists: no others are known to exist.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from scanning.evaluating import Entry, Package, flat, place_of
from scanning.models import AffectedPackage

PRERELEASE = re.compile(r"(?i)(^|[\d.\-_])(a|b|c|m|rc|alpha|beta|dev|pre|preview|snapshot|milestone|cr)[\d.\-_]*\d*$")
LISTED, RANGED = "listed, but in no range", "in a range, but not listed"
REASONS = {
    "no version": "no version of the ecosystem: without a place in its order, only a list or endless range names it",
    "broken bound": "a bound is no version but a commit or an address, so the range says nothing",
    "before the bound": "a pre-release of the version that the range begins with",
    "outside": "listed although every range ends before it or begins after it",
    "newer than the list": "the range is open at that end, and the list was written before the version came out",
    "pre-release left out": "the range covers a pre-release, which the list passes over",
    "bound never released": "the range ends at a version that no advisory lists, and the list stops before it",
    "left out": "within the list’s own span: released later from an older branch, withdrawn from the index, or a slip",
}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One version on which the two differ."""

    osv_id: str
    ecosystem: str
    name: str
    version: str
    side: str
    reason: str

    def __str__(self) -> str:
        return f"{self.osv_id} {self.ecosystem}:{self.name} {self.version}: {self.side} ({self.reason})"


@dataclass(slots=True)
class Counts:
    """How many of each kind."""

    by_kind: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, one: Disagreement) -> None:
        """Count one."""
        self.by_kind[one.ecosystem, one.side, one.reason] += 1

    def told(self) -> str:
        """The counts, a line each, and what is done about it."""
        lines = [
            f"{number:6} {slug:5} {side}: {reason} – {REASONS[reason]}"
            for (slug, side, reason), number in sorted(self.by_kind.items())
        ]
        total = f"{self.by_kind.total()} disagreements. A version that either names is treated as affected."
        return "\n".join([*lines, total])


def find() -> Iterator[Disagreement]:
    """Every disagreement within standing advisories, package by package."""
    columns = ("ecosystem", "normalized", "name", "advisory__osv_id", "ranges", "versions")
    rows = AffectedPackage.objects.filter(advisory__withdrawn_at=None).order_by("ecosystem", "normalized", "pk")
    package: list[dict[str, Any]] = []
    for row in rows.values(*columns).iterator(chunk_size=500):
        if package and (row["ecosystem"], row["normalized"]) != (package[0]["ecosystem"], package[0]["normalized"]):
            yield from _within(package)
            package = []
        package.append(row)
    yield from _within(package)


def _within(rows: list[dict[str, Any]]) -> Iterator[Disagreement]:
    released = {version: None for row in rows for version in row["versions"]}
    for row in rows:
        if row["versions"] and row["ranges"]:
            yield from _of(row, released)


def _of(row: dict[str, Any], released: dict[str, None]) -> Iterator[Disagreement]:
    slug = row["ecosystem"]
    package = Package(slug, [(0, Entry(slug, row["ranges"], row["versions"]))])
    keys = [key for key in (place_of(slug, one).key for one in row["versions"]) if key]
    known = {place_of(slug, one).key for one in released}
    for version in released:
        is_listed, is_ranged = bool(package.listing(version)), bool(package.covering(version))
        if is_listed == is_ranged:
            continue
        side = LISTED if is_listed else RANGED
        why = _why_listed(row, version) if is_listed else _why_ranged(row, version, max(keys, default=None), known)
        yield Disagreement(row["advisory__osv_id"], slug, row["name"], version, side, why)


def _why_listed(row: dict[str, Any], version: str) -> str:
    slug = row["ecosystem"]
    place = place_of(slug, version)
    if place.key is None:
        return "no version"
    bounds = [(kind, bound) for one in row["ranges"] for kind, bound in flat(one)]
    if any(place_of(slug, bound).key is None for _, bound in bounds if bound != "0"):
        return "broken bound"
    begins = [bound for kind, bound in bounds if kind == "introduced"]
    return "before the bound" if any(_is_prerelease_of(slug, version, bound) for bound in begins) else "outside"


def _why_ranged(row: dict[str, Any], version: str, last: Any, known: set[Any]) -> str:
    slug = row["ecosystem"]
    place = place_of(slug, version).key
    if place is None:
        return "no version"
    ends = [place_of(slug, bound).key for one in row["ranges"] for kind, bound in flat(one) if kind != "introduced"]
    end = min((key for key in ends if key and key >= place), default=None)
    if PRERELEASE.search(version):
        return "pre-release left out"
    if end is not None and end not in known:
        return "bound never released"
    return "newer than the list" if last is None or place > last else "left out"


def _is_prerelease_of(slug: str, version: str, bound: str) -> bool:
    """4.2rc1 of 4.2; 9.0.0.M6 of 9.0.0-M11: before the bound, and of the same release."""
    place, end = place_of(slug, version).key, place_of(slug, bound).key
    stems = [re.match(r"[\d.]*\d", text) for text in (version, bound)]
    same = all(stems) and len({_trimmed(stem.group()) for stem in stems if stem}) == 1
    return bool(same and place and end and place < end)


def _trimmed(stem: str) -> str:
    return re.sub(r"(\.0)+$", "", stem)
