"""Which advisories touch which versions: found by the packages' names in an index, then evaluated.

What is read of an affected entry is kept for the next question, under everything that could change it.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from registry import ecosystems
from registry.errors import InvalidInput, Unavailable
from scanning import naming
from scanning.evaluating import Entry, Match
from scanning.models import Advisory, AffectedPackage

Wanted = tuple[str, str, str]
# Primary keys alone would not do: SQLite gives those of a rolled-back transaction out again.
EntryKey = tuple[int, str, str]
KEPT = 20_000
TRIES = 3  # an import may replace rows between two queries
_entries: OrderedDict[EntryKey, Entry] = OrderedDict()
_lock = Lock()


@dataclass(frozen=True, slots=True)
class Hit:
    """That an advisory touches a version; `names` are all the other names of the flaw."""

    advisory: Advisory
    match: Match
    names: tuple[str, ...] = ()


def match(slug: str, version: str, ranges: Iterable[Mapping[str, Any]], versions: Iterable[str]) -> Match | None:
    """The match of a version with one affected entry of an advisory, or None."""
    return Entry(slug, ranges, versions).match(version)


def match_many(wanted: Iterable[Wanted]) -> dict[Wanted, list[Hit]]:
    """What is known against each (ecosystem, name, version), for those of which anything is known.

    Thousands of packages cost a few queries, however many advisories there are; documents are not loaded.
    """
    asked: dict[tuple[str, str], list[Wanted]] = defaultdict(list)
    for one in dict.fromkeys(wanted):
        asked[one[0], _normalized(one[0], one[1])].append(one)
    found: dict[Wanted, dict[int, Match]] = defaultdict(dict)
    for package, entries in _entries_of(asked).items():
        for advisory_id, entry in entries:
            for one in asked[package]:
                if hit := entry.match(one[2]):
                    found[one][advisory_id] = _better(found[one].get(advisory_id), hit)
    return _with_advisories(found)


def _normalized(slug: str, name: str) -> str:
    """The name as it is looked up; what is no name, or of no ecosystem here, is looked up in vain."""
    try:
        return ecosystems.get(slug).normalize_name(name)
    except InvalidInput:
        return name


def _better(one: Match | None, other: Match) -> Match:
    """Of two entries of an advisory that match, the one that knows a fix."""
    return one if one and one.fixed_in else other


def _entries_of(packages: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[tuple[int, Entry]]]:
    """The entries of standing advisories about each package, with the advisory's key."""
    names: dict[str, list[str]] = defaultdict(list)
    for slug, normalized in packages:
        names[slug].append(normalized)
    for _ in range(TRIES):
        rows = [row for slug, wanted in names.items() for row in _rows(slug, wanted)]
        entries = _read({key: slug for key, slug, _ in rows})
        if len(entries) == len(rows):
            found: dict[tuple[str, str], list[tuple[int, Entry]]] = defaultdict(list)
            for key, slug, advisory in rows:
                found[slug, key[2]].append((advisory, entries[key]))
            return found
    raise Unavailable("The advisories are being replaced right now. Ask again in a minute.")


def _rows(slug: str, names: list[str]) -> Iterator[tuple[EntryKey, str, int]]:
    for chunk in naming.chunked(names):
        live = AffectedPackage.objects.filter(ecosystem=slug, normalized__in=chunk, advisory__withdrawn_at=None)
        columns = live.order_by("pk").values_list("pk", "advisory__digest", "normalized", "advisory_id")
        yield from (((key, digest, name), slug, advisory) for key, digest, name, advisory in columns)


def _read(keys: Mapping[EntryKey, str]) -> dict[EntryKey, Entry]:
    """The entries under these keys: those that are kept, and the rest from the database, if they are still there."""
    with _lock:
        held = {key: _entries[key] for key in keys if key in _entries}
    missing = {key[0]: key for key in keys if key not in held}
    fresh: dict[EntryKey, Entry] = {}
    for chunk in naming.chunked(list(missing)):
        for pk, ranges, versions in AffectedPackage.objects.filter(pk__in=chunk).values_list(
            "pk", "ranges", "versions"
        ):
            key = missing[pk]
            fresh[key] = Entry(keys[key], ranges, versions)
    with _lock:
        _entries.update(fresh)
        while len(_entries) > KEPT:
            _entries.popitem(last=False)
    return held | fresh


def _with_advisories(found: Mapping[Wanted, Mapping[int, Match]]) -> dict[Wanted, list[Hit]]:
    known: dict[int, Advisory] = {}
    for chunk in naming.chunked(sorted({key for matches in found.values() for key in matches})):
        known |= Advisory.objects.defer("raw").in_bulk(chunk)
    names = naming.joined(known.values())
    return {
        one: [Hit(known[key], match, names[known[key].osv_id]) for key, match in matches.items()]
        for one, matches in found.items()
    }
