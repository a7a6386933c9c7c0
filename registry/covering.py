"""What a sold key covers: of a private package it shows the versions it was sold for, and of the others a reason.

What the key says is judged above (`Actor.entitlements`); here every list and every door asks it in the same words.
For everybody else, and for public packages, nothing here costs anything.
"""

from collections.abc import Iterable

from accounts.actors import Actor, Objection
from registry import documents
from registry.errors import Forbidden
from registry.models import Package, Release, ReleaseManifest


class NotCovered(Forbidden):
    """A licence key does not open this: `details` holds the code and the reason."""

    code = "not_covered"

    def __init__(self, objection: Objection) -> None:
        super().__init__(objection.reason, details={"code": objection.code, "reason": objection.reason})


def is_restricted(package: Package, actor: Actor) -> bool:
    """Whether the actor sees the package by a key alone, version by version."""
    return bool(actor.entitlements) and package.is_private and not actor.sees_project(package.project_id)


def objection_to(release: Release, actor: Actor) -> Objection | None:
    """Why the actor's key does not open the release; None where it does, or where no key is needed or shown."""
    package = release.package
    if not is_restricted(package, actor):
        return None
    key = next((one for one in actor.entitlements if package.pk in one.packages), None)
    if key is None:
        return objection_to_name(package.name, actor)
    return key.objection_to_all() or key.objection(package.ecosystem, release.version, release.submitted_at)


def objection_to_name(name: str, actor: Actor) -> Objection:
    """What a key is told of any name that it does not open, held here or not, so that no name leaks."""
    closed = (one.objection_to_all() for one in actor.entitlements)
    unknown = Objection("PACKAGE_NOT_COVERED", f"The licence key does not cover {name[:214]}, if it is held here.")
    return next(filter(None, closed), unknown)


def refuse_unless_covered(release: Release, actor: Actor) -> None:
    """Raise NotCovered for a release that the actor's key does not open."""
    if (objection := objection_to(release, actor)) is not None:
        raise NotCovered(objection)


def covered(releases: Iterable[Release], actor: Actor) -> list[Release]:
    """Those that the actor's key opens, all where none is needed; the packages of the releases must be at hand."""
    return [release for release in releases if objection_to(release, actor) is None]


def latest(package: Package, actor: Actor) -> Release:
    """The newest version of a restricted package that the key opens; raises NotCovered if it opens none."""
    held = list(package.releases.listed().select_related("package__project", "project", "submitted_by"))
    found = documents.latest_of(package.ecosystem, covered(held, actor))
    if found is None:
        newest = documents.latest_of(package.ecosystem, held)
        reason = objection_to(newest, actor) if newest else None
        raise NotCovered(reason or objection_to_name(package.name, actor))
    return found


def present(package: Package, newest: Release | None) -> None:
    """Let the package at hand speak for the version that the key opens, not for a newer one; nothing is saved."""
    package.latest_version = newest.version if newest else ""
    package.license = newest.license if newest else ""
    if newest:
        package.latest_status = newest.status


def present_all(packages: list[Package], actor: Actor) -> None:
    """The same for a page of a list, in one query, and none at all where no key is shown."""
    restricted = {one.pk: one for one in packages if is_restricted(one, actor)}
    if not restricted:
        return
    held: dict[int, list[Release]] = {pk: [] for pk in restricted}
    for release in Release.objects.listed().filter(package__in=restricted):
        release.package = restricted[release.package_id]
        held[release.package_id].append(release)
    for pk, package in restricted.items():
        present(package, documents.latest_of(package.ecosystem, covered(held[pk], actor)))


def present_alone(package: Package, actor: Actor) -> list[Release]:
    """The releases that the key opens, newest first, the package speaking for them; raises NotCovered if none."""
    releases = documents.releases_of(package)
    for release in releases:
        release.package = package
    newest = latest(package, actor)
    if newest.version != package.latest_version:
        described = ReleaseManifest.objects.filter(release=newest)
        for field, value in (
            described.values("description", "homepage", "repository", "keywords").first() or {}
        ).items():
            setattr(package, field, value)
    present(package, newest)
    return covered(releases, actor)
