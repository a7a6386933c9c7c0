"""Retaining: which versions of a product stay. The rest is retired once a day, with the grace that unlisting has.

A version stays if it is among the last N uploads, or younger than D days, or pinned; a product without a rule keeps
everything. What goes can be restored for PURGE_GRACE_HOURS. Pins hold retention back and nothing else: who may delete
a version may delete a pinned one.
"""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from accounts import auditing
from accounts.actors import SYSTEM, Actor
from registry import documents, grants, retiring, tasks
from registry.errors import Conflict, Forbidden, InvalidInput, NotFound
from registry.models import Package, Product, Release, ReleasePin

logger = logging.getLogger(__name__)
MOST = 100_000


class Going(NamedTuple):
    """A product, and the versions of it that retention would retire now, oldest first."""

    product: Product
    releases: list[Release]


def going(product: Product) -> list[Release]:
    """The versions that no rule and no pin keeps, oldest first."""
    if not product.has_retention or product.deleted_at is not None:
        return []
    listed = Release.objects.listed().filter(package_id=product.pk, origin=Release.Origin.PUBLISHED)
    releases = list(listed.select_related("package__project", "project", "pin").order_by("-submitted_at", "-pk"))
    last = releases[: product.keep_versions or 0]
    young = timezone.now() - timedelta(days=product.keep_days) if product.keep_days else None
    kept = {one.pk for one in last} | {one.pk for one in releases if young and one.submitted_at > young}
    return [one for one in reversed(releases) if one.pk not in kept and not hasattr(one, "pin")]


def plan(name: str = "") -> Iterator[Going]:
    """What retention would do now, without doing it: the products from which something would go."""
    for product in _ruled(name):
        if releases := going(product):
            yield Going(product, releases)


def retire_due(name: str = "") -> int:
    """Retire what no rule keeps; returns how many versions went. Doing it twice does it once."""
    return sum(_retire_some(product) for product in _ruled(name))


tasks.periodically("daily")(retire_due)


def _ruled(name: str) -> list[Product]:
    ruled = Product.objects.filter(deleted_at__isnull=True).exclude(keep_versions=None, keep_days=None)
    chosen = ruled.filter(package__name=name) if name else ruled
    if name and not Product.objects.filter(package__name=name, deleted_at__isnull=True).exists():
        raise NotFound(f"There is no product {name[:128]}.")
    return list(chosen.select_related("package").order_by("pk"))


def _retire_some(product: Product) -> int:
    """What goes of one product; one that fails stops none of the others."""
    try:
        return _retire(product)
    except Exception:
        logger.exception("Retention failed for %s", product)
        return 0


def _retire(product: Product) -> int:
    """One transaction for each product, which looks again under its lock: a pin may have come."""
    with transaction.atomic():
        documents.hold(product.pk)
        product.refresh_from_db()
        due = going(product)
        for release in due:
            retiring.unlist(release, SYSTEM, f"Retention: {in_words(product)}.")
    if due:
        logger.info("Retention retired %s versions of %s", len(due), product)
    return len(due)


def in_words(product: Product) -> str:
    """The rule as a phrase."""
    rules = [f"the last {product.keep_versions} versions are kept"] if product.keep_versions else []
    rules += [f"versions younger than {product.keep_days} days are kept"] if product.keep_days else []
    return " and ".join(rules) or "every version is kept"


def set_rule(package: Package, versions: int | None, days: int | None, actor: Actor) -> Product:
    """Keep the newest so many versions and those younger than so many days; None for no such rule."""
    _need_maintainer(package, actor)
    for word, number in (("keepVersions", versions), ("keepDays", days)):
        if number is not None and not 1 <= number <= MOST:
            raise InvalidInput(f"Give {word} from 1 to {MOST:,}, or null.", details={word: ["out of range"]})
    with transaction.atomic():
        documents.hold(package.pk)
        Product.objects.filter(pk=package.pk).update(keep_versions=versions, keep_days=days)
        details = {"versions": versions, "days": days}
        auditing.record("product.retention", str(package), actor, details=details, project=package.project.slug)
    return Product.objects.select_related("package").get(pk=package.pk)


def pin(release: Release, actor: Actor) -> None:
    """Keep the version, whatever retention says; pinning twice changes nothing. Raises Conflict for unlisted ones."""
    _need_maintainer(release.package, actor)
    with transaction.atomic():
        documents.hold(release.package_id)
        if not Release.objects.listed().filter(pk=release.pk).exists():
            raise Conflict(f"{release.version} is unlisted and goes; a pin cannot hold it.", code="already_unlisted")
        _, made = ReleasePin.objects.get_or_create(release=release, defaults={"pinned_by": actor.user})
        if made:
            _note("release.pinned", release, actor)


def unpin(release: Release, actor: Actor) -> None:
    """Leave the version to retention again."""
    _need_maintainer(release.package, actor)
    with transaction.atomic():
        documents.hold(release.package_id)
        if (standing := ReleasePin.objects.filter(release=release).first()) is not None:
            standing.delete()
            _note("release.unpinned", release, actor)


def _note(action: str, release: Release, actor: Actor) -> None:
    package = release.package
    name = f"{package.ecosystem}:{package.name}@{release.version}"
    auditing.record(action, name, actor, project=release.project.slug)


def _need_maintainer(package: Package, actor: Actor) -> None:
    if grants.find_product(package) is None or not grants.of(package, actor).maintainer:
        raise Forbidden("Only maintainers of the product, and admins, decide what is kept.", code="not_granted")
