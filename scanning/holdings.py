"""Which versions held here an advisory touches."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.db.models import Q

from accounts.actors import Actor
from registry import covering
from registry.models import Package, Release
from scanning import matching
from scanning.models import Advisory, AffectedPackage


class Touched(NamedTuple):
    """A version that is touched, and in which one that is mended; "" where none is known."""

    release: Release
    fixed_in: str


def touched(advisory: Advisory, actor: Actor) -> list[dict[str, Any]]:
    """The versions, visible to the actor and not removed, that the advisory touches; none for a withdrawn one."""
    return [_row(one) for one in releases([advisory], actor) if not one.release.is_purged]


def releases(advisories: Iterable[Advisory], actor: Actor) -> list[Touched]:
    """The versions, visible to the actor, that any of the standing advisories touches; removed ones, too.

    A few queries for all of them.
    """
    keys = {advisory.pk for advisory in advisories if advisory.withdrawn_at is None}
    held = _candidates(keys, actor)
    known = matching.match_many(_wanted(release) for release in held)
    found = []
    for release in held:
        hits = [hit for hit in known.get(_wanted(release), ()) if hit.advisory.pk in keys]
        if hits:
            found.append(Touched(release, next((hit.match.fixed_in for hit in hits if hit.match.fixed_in), "")))
    return found


def _candidates(keys: Iterable[int], actor: Actor) -> list[Release]:
    """Every version of the packages that the advisories are about."""
    affected = AffectedPackage.objects.filter(advisory__in=keys).values_list("ecosystem", "normalized")
    names: dict[str, set[str]] = {}
    for slug, normalized in affected:
        names.setdefault(slug, set()).add(normalized)
    if not names:
        return []
    named = (Q(ecosystem=slug, normalized__in=some) for slug, some in names.items())
    packages = Package.objects.filter(reduce(or_, named)).visible_to(actor)
    held = Release.objects.filter(package__in=packages).select_related("package").order_by("package__name", "pk")
    return covering.covered(held, actor)


def _wanted(release: Release) -> matching.Wanted:
    return release.package.ecosystem, release.package.name, release.version


def _row(one: Touched) -> dict[str, Any]:
    return {
        "ecosystem": one.release.package.ecosystem,
        "name": one.release.package.name,
        "version": one.release.version,
        "status": one.release.status,
        "fixed_in": one.fixed_in or None,
    }
