"""Several reports of one flaw become one: by id or alias, per package and version."""

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce

from registry import ecosystems
from scanning import severities
from scanning.scanners.base import Flaw

# People look a flaw up by these first.
PREFERRED = ("GHSA-", "PYSEC-", "MAL-", "CVE-")


def merge(flaws: Iterable[Flaw]) -> list[Flaw]:
    """One flaw per thing that is wrong, the gravest first; aliases of aliases count, too."""
    groups: list[list[Flaw]] = []
    for flaw in flaws:
        same = [group for group in groups if any(_are_one(flaw, other) for other in group)]
        groups = [group for group in groups if group not in same]
        groups.append([*(other for group in same for other in group), flaw])
    merged = [reduce(_join, sorted(group, key=_preference)) for group in groups]
    return sorted(merged, key=lambda flaw: (severities.ORDER.index(flaw.severity), flaw.identifier))


def _are_one(one: Flaw, other: Flaw) -> bool:
    same_release = (one.ecosystem, one.package, one.version) == (other.ecosystem, other.package, other.version)
    return same_release and not one.names.isdisjoint(other.names)


def _preference(flaw: Flaw) -> tuple[int, str]:
    known = (rank for rank, prefix in enumerate(PREFERRED) if flaw.identifier.startswith(prefix))
    return next(known, len(PREFERRED)), flaw.identifier


def _join(one: Flaw, other: Flaw) -> Flaw:
    """The preferred report, filled up from the other; the worse rating and the later fix count."""
    return replace(
        one,
        aliases=tuple(sorted((one.names | other.names) - {one.identifier})),
        severity=severities.worse(one.severity, other.severity),
        cvss=max((score for score in (one.cvss, other.cvss) if score is not None), default=None),
        summary=one.summary or other.summary,
        fixed_in=_later(one, other),
        url=one.url or other.url,
        tools=tuple(dict.fromkeys((*one.tools, *other.tools))),
    )


def _later(one: Flaw, other: Flaw) -> str:
    if one.fixed_in and other.fixed_in:
        return max(one.fixed_in, other.fixed_in, key=ecosystems.get(one.ecosystem).sort_key)
    return one.fixed_in or other.fixed_in
