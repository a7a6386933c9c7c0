"""Which versions held here an advisory touches."""

from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q

from accounts.actors import Actor
from registry.models import Package, Release
from scanning import matching
from scanning.models import Advisory, AffectedPackage


def touched(advisory: Advisory, actor: Actor) -> list[dict[str, Any]]:
    """The versions, visible to the actor and not removed, that the advisory touches; none for a withdrawn one."""
    affected = list(advisory.affected.all()) if advisory.withdrawn_at is None else []
    if not affected:
        return []
    return [_row(release, match) for release in _releases(affected, actor) if (match := _match(release, affected))]


def _releases(affected: list[AffectedPackage], actor: Actor) -> list[Release]:
    slugs = {one.ecosystem for one in affected}
    named = (
        Q(ecosystem=slug, normalized__in={one.normalized for one in affected if one.ecosystem == slug})
        for slug in slugs
    )
    packages = Package.objects.filter(reduce(or_, named)).visible_to(actor)
    held = Release.objects.filter(package__in=packages, purged_at=None)
    return list(held.select_related("package").order_by("package__name", "pk"))


def _match(release: Release, affected: list[AffectedPackage]) -> matching.Match | None:
    package = release.package
    entries = [one for one in affected if (one.ecosystem, one.normalized) == (package.ecosystem, package.normalized)]
    matches = (matching.match(one.ecosystem, release.version, one.ranges, one.versions) for one in entries)
    return next((match for match in matches if match), None)


def _row(release: Release, match: matching.Match) -> dict[str, Any]:
    return {
        "ecosystem": release.package.ecosystem,
        "name": release.package.name,
        "version": release.version,
        "status": release.status,
        "fixed_in": match.fixed_in or None,
    }
