"""Several reports of one flaw become one: by id or alias, per package and version."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from functools import reduce

from registry import ecosystems
from scanning import severities
from scanning.scanners.base import Flaw

# People look a flaw up by these first.
PREFERRED = ("GHSA-", "PYSEC-", "MAL-", "CVE-")
GRAVEST_FIRST = ("malware", "secret", "vulnerability", "license")
KNOWN = frozenset(rules.slug for rules in ecosystems.ALL)


def merge(flaws: Iterable[Flaw]) -> list[Flaw]:
    """One flaw per thing that is wrong, the gravest first; aliases of aliases count, too."""
    merged = [reduce(_join, sorted(group, key=_preference)) for group in _groups(list(flaws))]
    return sorted(merged, key=lambda flaw: (severities.ORDER.index(flaw.severity), flaw.identifier))


def _groups(flaws: list[Flaw]) -> list[list[Flaw]]:
    """Those that share a name, or that others join; each name leads to one of the reports that carry it."""
    leads = list(range(len(flaws)))

    def first_of(position: int) -> int:
        while leads[position] != position:
            leads[position] = leads[leads[position]]
            position = leads[position]
        return position

    carriers: dict[tuple[str, ...], int] = {}
    for position, flaw in enumerate(flaws):
        for name in flaw.names:
            carrier = carriers.setdefault((*_where(flaw), name.upper()), position)
            leads[first_of(position)] = first_of(carrier)
    groups: defaultdict[int, list[Flaw]] = defaultdict(list)
    for position, flaw in enumerate(flaws):
        groups[first_of(position)].append(flaw)
    return list(groups.values())


def _where(flaw: Flaw) -> tuple[str, str, str]:
    """The release it is about, however a tool spells its name."""
    name = ecosystems.get(flaw.ecosystem).normalize_name(flaw.package) if flaw.ecosystem in KNOWN else flaw.package
    return flaw.ecosystem, name, flaw.version


def _preference(flaw: Flaw) -> tuple[int, str, tuple[str, ...]]:
    known = (rank for rank, prefix in enumerate(PREFERRED) if flaw.identifier.startswith(prefix))
    return next(known, len(PREFERRED)), flaw.identifier, flaw.tools


def _join(one: Flaw, other: Flaw) -> Flaw:
    """The preferred report, filled up from the other; the worse kind, the worse rating and the later fix count."""
    return replace(
        one,
        kind=min(one.kind, other.kind, key=GRAVEST_FIRST.index),
        aliases=tuple(sorted((one.names | other.names) - {one.identifier})),
        severity=severities.worse(one.severity, other.severity),
        cvss=max((score for score in (one.cvss, other.cvss) if score is not None), default=None),
        summary=one.summary or other.summary,
        fixed_in=_later(one, other),
        url=one.url or other.url,
        tools=tuple(dict.fromkeys((*one.tools, *other.tools))),
    )


def _later(one: Flaw, other: Flaw) -> str:
    if one.fixed_in and other.fixed_in and one.ecosystem in KNOWN:
        return max(one.fixed_in, other.fixed_in, key=ecosystems.get(one.ecosystem).sort_key)
    return one.fixed_in or other.fixed_in
