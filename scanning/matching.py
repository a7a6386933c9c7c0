"""Does an advisory touch this version? OSV's own evaluation, in each ecosystem's own version order.

A version is affected if it stands in `versions` or falls into one of `ranges` (https://ossf.github.io/osv-schema/
#evaluation). GIT ranges say nothing about released versions. Pure: nothing here reads the database.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

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


def match(slug: str, version: str, ranges: Iterable[Mapping[str, Any]], versions: Iterable[str]) -> Match | None:
    """The match of a version with one affected entry of an advisory, or None."""
    ecosystem = ecosystems.get(slug)
    listed = list(versions)
    usable = [one for one in (_Range.of(ecosystem, entry, bool(listed)) for entry in ranges) if one]
    place = _key(ecosystem, version)
    hits = [one for one in usable if one.contains(place)]
    if not hits and not _is_listed(ecosystem, version, listed):
        return None
    return Match(fixed_in=_first_fix(place, hits or usable))


def _is_listed(ecosystem: Ecosystem, version: str, listed: list[str]) -> bool:
    if version in listed:
        return True
    canonical = _canonical(ecosystem, version)
    return canonical is not None and any(_canonical(ecosystem, other) == canonical for other in listed)


@dataclass(frozen=True, slots=True)
class _Range:
    """The events of a range in version order, and the limits before which they count."""

    events: list[tuple[Key, str, str]]
    limits: list[Key]

    @classmethod
    def of(cls, ecosystem: Ecosystem, entry: Mapping[str, Any], has_versions: bool) -> "_Range | None":
        """The range, or None for one that says nothing about versions.

        A bound that is no version (real databases hold commits there) makes the range useless where the versions are
        listed; where they are not, the bound is left out, so that rather too many versions match than too few.
        """
        if entry.get("type") == "GIT":
            return None
        events, limits = [], []
        for kind, bound in _flat(entry):
            key = BEGINNING if kind == "introduced" and bound == "0" else _key(ecosystem, bound)
            if key is None and has_versions and bound != "*":
                return None
            if kind == "limit" and key is not None:
                limits.append(key)
            elif kind in RANKS and (key is not None or kind == "introduced"):
                events.append((key or BEGINNING, kind, bound))
        events.sort(key=lambda event: (event[0], RANKS[event[1]]))
        return cls(events, limits)

    def contains(self, place: Key | None) -> bool:
        """Whether a version at that place is affected; one without a place only where nothing bounds the range."""
        if place is None:
            return bool(self.events) and not self.limits and all(kind == "introduced" for _, kind, _ in self.events)
        if self.limits and not any(place < limit for limit in self.limits):
            return False
        affected = False
        for key, kind, _ in self.events:
            if kind == "introduced" and place >= key:
                affected = True
            elif (kind == "fixed" and place >= key) or (kind == "last_affected" and place > key):
                affected = False
        return affected


def _flat(entry: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for event in entry.get("events", ()):
        for kind, bound in event.items():
            if isinstance(bound, str):
                yield kind, bound


def _first_fix(place: Key | None, ranges: list[_Range]) -> str:
    fixes = [(key, bound) for one in ranges for key, kind, bound in one.events if kind == "fixed"]
    later = [fix for fix in fixes if place is None or fix[0] > place]
    return min(later, key=lambda fix: fix[0])[1] if later else ""


def _key(ecosystem: Ecosystem, version: str) -> Key | None:
    """Where the version stands in its ecosystem's order, or None for what is no version there."""
    canonical = _canonical(ecosystem, version)
    return None if canonical is None else (1, ecosystem.sort_key(canonical))


def _canonical(ecosystem: Ecosystem, version: str) -> str | None:
    try:
        return ecosystem.canonical_version(version)
    except InvalidInput:
        return _completed(ecosystem, version)


def _completed(ecosystem: Ecosystem, version: str) -> str | None:
    """Advisories write 4 or 4.0 where the ecosystem wants three numbers."""
    short = SHORT.match(version)
    if short is None:
        return None
    try:
        return ecosystem.canonical_version(f"{short[1]}.{short[2] or 0}.0")
    except InvalidInput:
        return None
