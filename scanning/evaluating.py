"""Does an affected entry of an advisory touch a version? OSV's own evaluation, in each ecosystem's version order.

A version is affected if it stands in `versions` or falls into one of `ranges` (https://ossf.github.io/osv-schema/
#evaluation): where the two differ, both count. GIT ranges say nothing about released versions. Pure: nothing here
reads the database.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from registry import ecosystems
from registry.ecosystems import Ecosystem
from registry.errors import InvalidInput

Key = tuple[Any, ...]
Cut = tuple[Key, int]
BEGINNING: Key = (0,)
# At one and the same version, a fix comes before a new introduction, and the last affected version after both.
RANKS = {"fixed": 0, "introduced": 1, "last_affected": 2}
SHORT = re.compile(r"^v?(\d+)(?:\.(\d+))?$")


@dataclass(frozen=True, slots=True)
class Match:
    """That the version is affected, and the first version after it that is not (empty where none is known)."""

    fixed_in: str = ""


class Place(NamedTuple):
    """A version in its one spelling, and where it stands in its ecosystem's order; neither for what is no version."""

    canonical: str | None
    key: Key | None


class Spot(NamedTuple):
    """The same with the place as text that sorts as the key, for those versions that have one."""

    canonical: str | None
    text: str | None


@lru_cache(maxsize=65536)
def place_of(slug: str, version: str) -> Place:
    """Where a version stands; advisories and lockfiles name the same ones again and again."""
    canonical = spot_of(slug, version).canonical
    return Place(canonical, (1, ecosystems.get(slug).sort_key(canonical)) if canonical else None)


@lru_cache(maxsize=65536)
def spot_of(slug: str, version: str) -> Spot:
    """Where a version stands, for what is charted: reading plain numbers takes no parsing."""
    ecosystem = ecosystems.get(slug)
    try:
        canonical = ecosystem.canonical_version(version)
    except InvalidInput:
        canonical = _completed(ecosystem, version)
    return Spot(canonical, ecosystem.sort_text(canonical)) if canonical else NOWHERE


NOWHERE = Spot(None, None)


def _completed(ecosystem: Ecosystem, version: str) -> str:
    """Advisories write 4 or 4.0 where the ecosystem wants three numbers."""
    short = SHORT.match(version)
    if short is None:
        return ""
    try:
        return ecosystem.canonical_version(f"{short[1]}.{short[2] or 0}.0")
    except InvalidInput:
        return ""


@dataclass(slots=True)
class Range:
    """The events of a range in version order, and the limits before which they count.

    A place is asked for by its number among the cuts of the package: `numbers` and `ends` are those of the events and
    limits, and a cut is behind the place where its number is smaller.
    """

    moments: list[Cut]
    kinds: list[str]
    bounds: list[str]
    limits: list[Cut]
    numbers: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, slug: str, entry: Mapping[str, Any], has_versions: bool) -> "Range | None":
        """The range, or None for one that says nothing about versions.

        A bound that is no version (real databases hold commits there) makes the range useless where the versions are
        listed; where they are not, the bound is left out, so that rather too many versions match than too few.
        """
        if entry.get("type") == "GIT":
            return None
        events: list[tuple[Cut, str, str]] = []
        limits: list[Cut] = []
        for kind, bound in flat(entry):
            key = BEGINNING if kind == "introduced" and bound == "0" else place_of(slug, bound).key
            if key is None and has_versions and bound != "*":
                return None
            if kind == "limit" and key is not None:
                limits.append((key, RANKS["fixed"]))
            elif kind in RANKS and (key is not None or kind == "introduced"):
                events.append(((key or BEGINNING, RANKS[kind]), kind, bound))
        events.sort(key=itemgetter(0))
        return cls([one[0] for one in events], [one[1] for one in events], [one[2] for one in events], sorted(limits))

    def contains(self, at: int | None) -> bool:
        """Whether a version at that place is affected; one without a place only where nothing bounds the range.

        The last event that the version has reached decides; a last affected version is only passed by later ones.
        """
        if at is None:
            return bool(self.kinds) and not self.limits and set(self.kinds) == {"introduced"}
        if self.ends and self.ends[-1] < at:
            return False
        reached = bisect_left(self.numbers, at)
        return reached > 0 and self.kinds[reached - 1] == "introduced"

    def first_fix(self, at: int | None) -> tuple[int, str] | None:
        """The first fix after that place."""
        events = zip(self.numbers, self.kinds, self.bounds, strict=True)
        return next(
            (fix for fix in ((n, b) for n, k, b in events if k == "fixed") if at is None or fix[0] >= at), None
        )


class Entry:
    """An affected entry, read once to be asked often."""

    def __init__(self, slug: str, ranges: Iterable[Mapping[str, Any]], versions: Iterable[str]) -> None:
        self.listed = frozenset(versions)
        read = (Range.of(slug, one, bool(self.listed)) for one in ranges)
        self.ranges = [one for one in read if one]

    def hit(self, at: int | None) -> Match | None:
        """The match of the ranges alone with whatever stands at the place."""
        hits = [one for one in self.ranges if one.contains(at)]
        return self.fixed_after(at, hits) if hits else None

    def fixed_after(self, at: int | None, ranges: Iterable[Range]) -> Match:
        """A match that names the first fix in the ranges after the place."""
        fixes = [fix for fix in (one.first_fix(at) for one in ranges) if fix]
        return Match(min(fixes)[1] if fixes else "")


class Package:
    """Everything that is said about one package, cut into stretches of its version order within which nothing changes.

    A question is then one search for the stretch, whose answer is worked out once, and one look into the lists.
    """

    def __init__(self, slug: str, entries: Iterable[tuple[int, Entry]]) -> None:
        self.slug, self.entries = slug, list(entries)
        self.cuts = _number([one for _, entry in self.entries for one in entry.ranges])
        self.stretches: dict[int | None, tuple[set[int], dict[int, str]]] = {}

    def matches(self, version: str) -> Mapping[int, str]:
        """By the number of each advisory that touches the version: the first version after it that is fixed."""
        ranged, found = self._stretch(self.at(version))
        listed = self.listing(version)
        return found if listed <= ranged else self._with_listed(found, listed - ranged, version)

    def listing(self, version: str) -> AbstractSet[int]:
        """The positions of the entries that list the version, in any spelling."""
        spelled = self.listed.get(version)
        if spelled and len(spelled) == len(self.entries):
            return spelled
        canonical = self.canonical.get(place_of(self.slug, version).canonical, NONE) if self.listed else NONE
        return canonical | spelled if spelled else canonical

    def covering(self, version: str) -> AbstractSet[int]:
        """The positions of the entries with a range that the version falls into."""
        return self._stretch(self.at(version))[0]

    @cached_property
    def listed(self) -> dict[str, set[int]]:
        """By listed version as it is spelled: the positions of the entries that list it."""
        gathered: dict[str, set[int]] = {}
        for position, (_, entry) in enumerate(self.entries):
            for one in entry.listed:
                gathered.setdefault(one, set()).add(position)
        return gathered

    @cached_property
    def canonical(self) -> dict[str | None, set[int]]:
        """The same by the one spelling."""
        gathered: dict[str | None, set[int]] = {}
        for one, positions in self.listed.items():
            if spelled := place_of(self.slug, one).canonical:
                gathered[spelled] = gathered.get(spelled, set()) | positions
        return gathered

    def at(self, version: str) -> int | None:
        """How many cuts lie behind the version; None for what is no version."""
        place = place_of(self.slug, version).key
        return None if place is None else bisect_right(self.cuts, (place, RANKS["introduced"]))

    def _stretch(self, at: int | None) -> tuple[set[int], dict[int, str]]:
        """Which entries have a range around the place, and what their advisories answer."""
        if at not in self.stretches:
            hits = {position: hit for position, (_, one) in enumerate(self.entries) if (hit := one.hit(at))}
            found: dict[int, str] = {}
            for position, hit in hits.items():
                _keep_better(found, self.entries[position][0], hit)
            self.stretches[at] = set(hits), found
        return self.stretches[at]

    def _with_listed(self, found: Mapping[int, str], positions: Iterable[int], version: str) -> dict[int, str]:
        whole, at = dict(found), self.at(version)
        for position in sorted(positions):
            advisory, entry = self.entries[position]
            _keep_better(whole, advisory, entry.fixed_after(at, entry.ranges))
        return whole


NONE: AbstractSet[int] = frozenset()


def _number(ranges: Iterable[Range]) -> list[Cut]:
    """Cut the version order at every event and limit, and tell the ranges the numbers of theirs."""
    ends = [(cut, one.numbers) for one in ranges for cut in one.moments]
    ends += [(cut, one.ends) for one in ranges for cut in one.limits]
    cuts: list[Cut] = []
    for cut, numbers in sorted(ends, key=itemgetter(0)):
        if not cuts or cuts[-1] != cut:
            cuts.append(cut)
        numbers.append(len(cuts) - 1)
    return cuts


def _keep_better(found: dict[int, str], advisory: int, hit: Match) -> None:
    """Of two entries of an advisory that match, the one that knows a fix."""
    found[advisory] = found.get(advisory) or hit.fixed_in


def flat(entry: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """The events of a range, one by one, as (kind, bound)."""
    for event in entry.get("events", ()):
        for kind, bound in event.items():
            if isinstance(bound, str):
                yield kind, bound
