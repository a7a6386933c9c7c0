"""What this portal itself holds of the versions that somebody uses, as far as the asker may know."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from accounts.actors import Actor
from registry import ecosystems
from registry.models import Package, Release
from scanning import naming
from scanning.evaluating import place_of

Wanted = tuple[str, str, str]
UNLISTED, REMOVED = "unlisted", "removed"
STATUSES = (*Release.Status.values, UNLISTED, REMOVED)


@dataclass(frozen=True, slots=True)
class Standing:
    """A version held here: its status, or how it was retired; spelled as it was published."""

    name: str
    version: str
    status: str


def of(wanted: Iterable[Wanted], actor: Actor) -> dict[Wanted, Standing]:
    """Of each (ecosystem, name, version) that is held here and visible to the actor; a query per 500 names."""
    keyed = {one: _key(*one) for one in set(wanted)}
    by_slug: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for slug, normalized, canonical in keyed.values():
        if canonical:
            by_slug[slug].add((normalized, canonical))
    held: dict[Wanted, Standing] = {}
    for slug, pairs in by_slug.items():
        for chunk in naming.chunked(sorted(pairs)):
            held |= _held(slug, chunk, actor)
    return {one: held[key] for one, key in keyed.items() if key in held}


def _key(slug: str, name: str, version: str) -> Wanted:
    return slug, ecosystems.get(slug).normalize_name(name), place_of(slug, version).canonical or ""


def _held(slug: str, pairs: Iterable[tuple[str, str]], actor: Actor) -> dict[Wanted, Standing]:
    names, versions = {name for name, _ in pairs}, {version for _, version in pairs}
    visible = Package.objects.visible_to(actor).filter(ecosystem=slug, normalized__in=names)
    rows = Release.objects.filter(package__in=visible, canonical__in=versions).order_by("pk")
    columns = ("package__normalized", "package__name", "canonical", "version", "status", "unlisted_at", "purged_at")
    return {
        (slug, normalized, canonical): Standing(name, version, _word(status, unlisted, purged))
        for normalized, name, canonical, version, status, unlisted, purged in rows.values_list(*columns)
    }


def _word(status: str, unlisted: object, purged: object) -> str:
    if purged:
        return REMOVED
    return UNLISTED if unlisted else status
