"""Which advisories touch which versions: found by the packages' names in an index, then looked up in their charts.

What was read about a package is kept for the next question, and used as long as the index says that it holds. What
cannot be charted is evaluated plainly.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any, NamedTuple

from registry import ecosystems
from registry.errors import InvalidInput, Unavailable
from scanning import charting, naming
from scanning.charting import Charts
from scanning.evaluating import Entry, Match, Package
from scanning.models import Advisory, AffectedPackage

Wanted = tuple[str, str, str]
Name = tuple[str, str]
# What the answer about a package depends on: each entry's key, its advisory and that one's digest. Primary keys alone
# would not do: SQLite gives those of a rolled-back transaction out again.
Signature = tuple[tuple[int, int, str], ...]
KEPT = 10_000
TRIES = 3  # an import may replace rows between two queries
Known = Charts | Package
_packages: OrderedDict[Name, tuple[Signature, Known]] = OrderedDict()
_lock = Lock()


class Told(NamedTuple):
    """What those who ask are told of an advisory."""

    pk: int
    osv_id: str
    aliases: list[str]
    severity: str
    cvss: float | None
    summary: str
    url: str


@dataclass(frozen=True, slots=True)
class Hit:
    """That an advisory touches a version; `names` are all the other names of the flaw."""

    advisory: Told
    match: Match
    names: tuple[str, ...] = ()


def match(slug: str, version: str, ranges: Iterable[Mapping[str, Any]], versions: Iterable[str]) -> Match | None:
    """The match of a version with one affected entry of an advisory, or None."""
    found = Package(slug, [(0, Entry(slug, ranges, versions))]).matches(version)
    return Match(found[0]) if 0 in found else None


def match_many(wanted: Iterable[Wanted]) -> dict[Wanted, list[Hit]]:
    """What is known against each (ecosystem, name, version), for those of which anything is known.

    Thousands of packages cost a few queries, however many advisories there are; documents are not loaded. Raises
    Unavailable where imports keep replacing what is asked about.
    """
    asked: dict[Name, list[Wanted]] = defaultdict(list)
    for one in dict.fromkeys(wanted):
        asked[one[0], _normalized(one[0], one[1])].append(one)
    found: dict[Wanted, Mapping[int, str]] = {}
    for name, package in _known(asked).items():
        for one in asked[name]:
            if matches := package.matches(one[2]):
                found[one] = matches
    return _with_advisories(found)


@lru_cache(maxsize=65536)
def _normalized(slug: str, name: str) -> str:
    """The name as it is looked up; what is no name, or of no ecosystem here, is looked up in vain."""
    try:
        return ecosystems.get(slug).normalize_name(name)
    except InvalidInput:
        return name


def _known(asked: Mapping[Name, Iterable[Wanted]]) -> dict[Name, Known]:
    """What standing advisories say about the packages, for those that they are about."""
    for _ in range(TRIES):
        signatures = _signatures(asked)
        plain = {name for name in signatures if not all(charting.can_ask(slug, v) for slug, _, v in asked[name])}
        with _lock:
            kept = {name: _packages[name] for name in signatures if name in _packages}
        current = {
            name: package
            for name, (signature, package) in kept.items()
            if signature == signatures[name] and (name not in plain or isinstance(package, Package))
        }
        missing = {name: signature for name, signature in signatures.items() if name not in current}
        fresh = _read(missing, plain)
        if len(fresh) == len(missing):
            _keep(missing, fresh)
            return current | fresh
    raise Unavailable("The advisories are being replaced right now. Ask again in a minute.")


def _signatures(names: Iterable[Name]) -> dict[Name, Signature]:
    by_slug: dict[str, list[str]] = defaultdict(list)
    for slug, normalized in names:
        by_slug[slug].append(normalized)
    found: dict[Name, list[tuple[int, int, str]]] = defaultdict(list)
    for slug, wanted in by_slug.items():
        for chunk in naming.chunked(wanted):
            live = AffectedPackage.objects.filter(ecosystem=slug, normalized__in=chunk, advisory__withdrawn_at=None)
            columns = live.order_by("pk").values_list("normalized", "pk", "advisory_id", "advisory__digest")
            for normalized, key, advisory, digest in columns:
                found[slug, normalized].append((key, advisory, digest))
    return {name: tuple(signed) for name, signed in found.items()}


def _read(signatures: Mapping[Name, Signature], plain: AbstractSet[Name]) -> dict[Name, Known]:
    """The packages from the database; those of which an entry is gone by now are left out."""
    charts: dict[int, str] = {}
    for chunk in _keys({name: one for name, one in signatures.items() if name not in plain}):
        drawn = AffectedPackage.objects.filter(pk__in=chunk, chart_scheme=charting.SCHEME)
        charts.update(drawn.values_list("pk", "chart"))
    known: dict[Name, Known] = {}
    others: dict[Name, Signature] = {}
    for name, signature in signatures.items():
        drawn_ones = [(advisory, charts.get(key, "")) for key, advisory, _ in signature]
        if all(chart for _, chart in drawn_ones):
            known[name] = Charts(name[0], drawn_ones)
        else:
            others[name] = signature
    return known | _read_plainly(others)


def _read_plainly(signatures: Mapping[Name, Signature]) -> dict[Name, Package]:
    rows: dict[int, tuple[Any, Any]] = {}
    for chunk in _keys(signatures):
        columns = AffectedPackage.objects.filter(pk__in=chunk).values_list("pk", "ranges", "versions")
        rows.update((key, (ranges, versions)) for key, ranges, versions in columns)
    return {
        name: Package(name[0], [(advisory, Entry(name[0], *rows[key])) for key, advisory, _ in signature])
        for name, signature in signatures.items()
        if all(key in rows for key, _, _ in signature)
    }


def _keys(signatures: Mapping[Name, Signature]) -> Iterator[Sequence[int]]:
    return naming.chunked([key for signature in signatures.values() for key, _, _ in signature])


def _keep(signatures: Mapping[Name, Signature], packages: Mapping[Name, Known]) -> None:
    with _lock:
        _packages.update((name, (signatures[name], package)) for name, package in packages.items())
        while len(_packages) > KEPT:
            _packages.popitem(last=False)


def forget() -> None:
    """Forget what was read before: for measuring."""
    with _lock:
        _packages.clear()


def _with_advisories(found: Mapping[Wanted, Mapping[int, str]]) -> dict[Wanted, list[Hit]]:
    known: dict[int, Told] = {}
    for chunk in naming.chunked(sorted({key for matches in found.values() for key in matches})):
        rows = Advisory.objects.filter(pk__in=chunk).order_by().values_list(*Told._fields)
        known.update((row[0], Told(*row)) for row in rows)
    names = naming.joined(known.values())
    pairs = {pair for matches in found.values() for pair in matches.items()}
    fixes = {fix: Match(fix) for fix in {fix for _, fix in pairs}}
    hits: dict[tuple[int, str], Hit] = {}
    for one in pairs:
        advisory = known[one[0]]
        hits[one] = Hit(advisory, fixes[one[1]], names[advisory.osv_id])
    return {one: [hits[pair] for pair in matches.items()] for one, matches in found.items()}
