"""Scanning again: what an advisory touches when it changes, and everything in its turn."""

from collections import defaultdict
from collections.abc import Iterable
from functools import reduce
from operator import or_

from django.db.models import Q

from registry import approving, tasks
from registry.models import Job, Package, Release

PACKAGE = "rescan-package"


def packages_touched(pairs: Iterable[tuple[str, str]]) -> int:
    """Queue a look at every package held here that is among the (ecosystem, normalized name) pairs; how many are.

    For the import of advisories, inside its transaction: one query finds them, and each has one job however often
    it is named.
    """
    names: dict[str, set[str]] = defaultdict(set)
    for slug, normalized in pairs:
        names[slug].add(normalized)
    if not names:
        return 0
    named = (Q(ecosystem=slug, normalized__in=wanted) for slug, wanted in names.items())
    held = list(Package.objects.filter(reduce(or_, named)).order_by("pk").values_list("pk", flat=True))
    for package_id in held:
        tasks.enqueue(PACKAGE, package_id)
    return len(held)


@tasks.handles(PACKAGE)
def look_at_package(job: Job) -> None:
    """Judge the versions of the package again."""
    for release in Release.objects.filter(package_id=job.ref, purged_at=None):
        approving.reconsider(release)
