"""Does an affected entry of an advisory touch a version? OSV's own evaluation, in each ecosystem's version order.

A version is affected if it stands in `versions` or falls into one of `ranges` (https://ossf.github.io/osv-schema/
#evaluation): where the two differ, both count. GIT ranges say nothing about released versions. Pure: nothing here
reads the database.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from registry import ecosystems
from registry.ecosystems import Ecosystem
from registry.errors import InvalidInput

Key = tuple[Any, ...]
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


NOWHERE = Place(None, None)


@lru_cache(maxsize=65536)
def place_of(slug: str, version: str) -> Place:
    """Where a version stands; advisories and lockfiles name the same ones again and again."""
    ecosystem = ecosystems.get(slug)
    try:
        canonical = ecosystem.canonical_version(version)
    except InvalidInput:
        canonical = _completed(ecosystem, version)
    return Place(canonical, (1, ecosystem.sort_key(canonical))) if canonical else NOWHERE


def _completed(ecosystem: Ecosystem, version: str) -> str:
    """Advisories write 4 or 4.0 where the ecosystem wants three numbers."""
    short = SHORT.match(version)
    if short is None:
        return ""
    try:
        return ecosystem.canonical_version(f"{short[1]}.{short[2] or 0}.0")
    except InvalidInput:
        return ""


class Entry:
    """An affected entry, read once to be asked often."""

    def __init__(self, slug: str, ranges: Iterable[Mapping[str, Any]], versions: Iterable[str]) -> None:
        self.slug, self.listed = slug, frozenset(versions)
        read = (Range.of(slug, one, bool(self.listed)) for one in ranges)
        self.ranges = [one for one in read if one]

    @cached_property
    def canonical(self) -> frozenset[str | None]:
        """The listed versions in their one spelling."""
        return frozenset(place_of(self.slug, one).canonical for one in self.listed) - {None}

    def lists(self, version: str) -> bool:
        """Whether the version is listed, in any spelling."""
        return version in self.listed or (
            bool(self.listed) and place_of(self.slug, version).canonical in self.canonical
        )

    def contains(self, version: str) -> bool:
        """Whether the version falls into a range."""
        place = place_of(self.slug, version).key
        return any(one.contains(place) for one in self.ranges)

    def match(self, version: str) -> Match | None:
        """The match with a version, or None."""
        place = place_of(self.slug, version).key
        hits = [one for one in self.ranges if one.contains(place)]
        if not hits and not self.lists(version):
            return None
        fixes = [fix for fix in (one.first_fix(place) for one in hits or self.ranges) if fix]
        return Match(min(fixes)[1] if fixes else "")


@dataclass(frozen=True, slots=True)
class Range:
    """The events of a range in version order, its fixes, and the limits before which all that counts."""

    moments: list[tuple[Key, int]]
    kinds: list[str]
    fixes: list[tuple[Key, str]]
    limits: list[Key]

    @classmethod
    def of(cls, slug: str, entry: Mapping[str, Any], has_versions: bool) -> "Range | None":
        """The range, or None for one that says nothing about versions.

        A bound that is no version (real databases hold commits there) makes the range useless where the versions are
        listed; where they are not, the bound is left out, so that rather too many versions match than too few.
        """
        if entry.get("type") == "GIT":
            return None
        events, limits = [], []
        for kind, bound in flat(entry):
            key = BEGINNING if kind == "introduced" and bound == "0" else place_of(slug, bound).key
            if key is None and has_versions and bound != "*":
                return None
            if kind == "limit" and key is not None:
                limits.append(key)
            elif kind in RANKS and (key is not None or kind == "introduced"):
                events.append((key or BEGINNING, RANKS[kind], kind, bound))
        events.sort(key=lambda event: event[:2])
        fixes = [(key, bound) for key, _, kind, bound in events if kind == "fixed"]
        return cls([event[:2] for event in events], [event[2] for event in events], fixes, limits)

    def contains(self, place: Key | None) -> bool:
        """Whether a version at that place is affected; one without a place only where nothing bounds the range.

        The last event that the version has reached decides; a last affected version is only passed by later ones.
        """
        if place is None:
            return bool(self.kinds) and not self.limits and set(self.kinds) == {"introduced"}
        if self.limits and not any(place < limit for limit in self.limits):
            return False
        reached = bisect_right(self.moments, (place, RANKS["introduced"]))
        return reached > 0 and self.kinds[reached - 1] == "introduced"

    def first_fix(self, place: Key | None) -> tuple[Key, str] | None:
        """The first fix after that place."""
        return next((fix for fix in self.fixes if place is None or fix[0] > place), None)


def flat(entry: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """The events of a range, one by one, as (kind, bound)."""
    for event in entry.get("events", ()):
        for kind, bound in event.items():
            if isinstance(bound, str):
                yield kind, bound
