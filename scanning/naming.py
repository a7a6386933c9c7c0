"""One flaw, many names: GHSA-…, CVE-…, PYSEC-…. Advisories that share a name are about the same flaw."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from scanning.models import Advisory, AdvisoryName

T = TypeVar("T")

CHUNK = 500
ROUNDS = 8
# People look a flaw up by these first.
PREFERRED = ("GHSA-", "PYSEC-", "MAL-", "CVE-")


class Named(Protocol):
    """What is known of an advisory's names."""

    @property
    def pk(self) -> int:
        """The row."""

    @property
    def osv_id(self) -> str:
        """Its own id."""

    @property
    def aliases(self) -> list[str]:
        """The other names that it goes by."""


def preference(identifier: str) -> tuple[int, str]:
    """A sort key: the name by which a flaw is shown comes first."""
    known = (rank for rank, prefix in enumerate(PREFERRED) if identifier.startswith(prefix))
    return next(known, len(PREFERRED)), identifier


def find(name: str) -> Advisory | None:
    """The advisory of that id, else the best that goes by that alias: standing before withdrawn."""
    found = list(Advisory.objects.named(name))
    own = [one for one in found if one.osv_id.upper() == name.upper()]
    ranked = sorted(own or found, key=lambda one: (one.withdrawn_at is not None, preference(one.osv_id)))
    return ranked[0] if ranked else None


def joined(advisories: Iterable[Named]) -> dict[str, tuple[str, ...]]:
    """For each advisory, by its id, every other name of its flaw, aliases of aliases included; a few queries.

    Withdrawn advisories join nothing: what they say may be what they were withdrawn for.
    """
    spelled: dict[str, str] = {}
    families: dict[str, set[str]] = {}
    known: set[int] = set()
    asked = list(advisories)
    fresh: list[tuple[int, str, list[str]]] = [(one.pk, one.osv_id, one.aliases) for one in asked]
    for _ in range(ROUNDS):
        if not fresh:
            break
        known.update(key for key, _, _ in fresh)
        seen = set(spelled)
        for _, osv_id, aliases in fresh:
            spelled[osv_id.upper()] = osv_id
            if aliases:
                spelled.update((name.upper(), name) for name in aliases)
                _unite(families, [one.upper() for one in (osv_id, *aliases)])
        fresh = _sharing(spelled.keys() - seen, known)
    return {one.osv_id: _others(one.osv_id, families, spelled) for one in asked}


def _unite(families: dict[str, set[str]], names: list[str]) -> None:
    """Make one family of the names and of whatever families they are in."""
    whole = set(names)
    if not families.keys().isdisjoint(whole):
        whole.update(*[families[name] for name in names if name in families])
    for name in whole:
        families[name] = whole


def _others(osv_id: str, families: dict[str, set[str]], spelled: dict[str, str]) -> tuple[str, ...]:
    others = [spelled[name] for name in families.get(osv_id.upper(), ()) if name != osv_id.upper()]
    return tuple(sorted(others, key=preference) if len(others) > 1 else others)


def _sharing(names: Iterable[str], known: set[int]) -> list[tuple[int, str, list[str]]]:
    """The standing advisories beside the known ones that go by one of the names."""
    keys: set[int] = set()
    for chunk in chunked(sorted(names)):
        keys.update(AdvisoryName.objects.filter(name__in=chunk).values_list("advisory", flat=True))
    rows: list[tuple[int, str, list[str]]] = []
    for others in chunked(sorted(keys - known)):
        rows += Advisory.objects.live().filter(pk__in=others).values_list("pk", "osv_id", "aliases")
    return rows


def chunked(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """The items in pieces that a query may name."""
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
