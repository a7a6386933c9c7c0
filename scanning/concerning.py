"""What concerns a person: versions they took, or their projects did, that are touched or in quarantine by now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Max, Min, Q, Sum

from accounts.actors import Actor
from accounts.models import Membership, User
from registry.models import DownloadRecord, Package, Release
from scanning import matching, naming, severities
from scanning.matching import Hit

# What was taken last comes first; of more than this nobody reads the rest.
TAKINGS = 5_000


@dataclass(slots=True)
class Concern:
    """One version: when it was taken, for whom, and what is known against it, the gravest first."""

    release: Release
    first: date
    last: date
    count: int
    projects: list[str] = field(default_factory=list)
    is_mine: bool = False
    hits: Sequence[Hit] = ()

    @property
    def order(self) -> tuple[int, int, str]:
        """The gravest first, then what was taken last."""
        worst = min(
            (severities.ORDER.index(hit.advisory.severity) for hit in self.hits), default=len(severities.ORDER)
        )
        return worst, -self.last.toordinal(), self.release.package.name


def concerns(user: User, actor: Actor) -> list[Concern]:
    """What the person took, or somebody did for a project that they own, and should not use as it is.

    A few queries, however much was taken; packages that the actor may not see any more are left out.
    """
    taken = _taken(user, actor)
    known = matching.match_many(_wanted(one.release) for one in taken)
    for one in taken:
        one.hits = _once_each(known.get(_wanted(one.release), ()))
    bad = [one for one in taken if one.hits or one.release.status == Release.Status.QUARANTINED]
    return sorted(bad, key=lambda one: one.order)


def _taken(user: User, actor: Actor) -> list[Concern]:
    owned = Membership.objects.filter(user=user, role=Membership.Role.OWNER).values("project")
    mine = DownloadRecord.objects.filter(Q(user=user) | Q(project__in=owned))
    rows = mine.order_by().values("release", "user", "project", "project__slug").annotate(
        first=Min("day"), last=Max("day"), times=Sum("count")
    )  # fmt: skip
    shown = list(rows.order_by("-last", "release")[:TAKINGS])
    visible = Package.objects.visible_to(actor)
    held = Release.objects.filter(package__in=visible).select_related("package")
    releases = {one.pk: one for one in held.filter(pk__in={row["release"] for row in shown})}
    found: dict[int, Concern] = {}
    for row in shown:
        if row["release"] in releases:
            _add(found, row, releases[row["release"]], user)
    return list(found.values())


def _add(found: dict[int, Concern], row: Mapping[str, Any], release: Release, user: User) -> None:
    """Put a row to what is known of its version already."""
    one = found.setdefault(release.pk, Concern(release, row["first"], row["last"], 0))
    one.first, one.last = min(one.first, row["first"]), max(one.last, row["last"])
    one.count += row["times"]
    one.is_mine = one.is_mine or row["user"] == user.pk
    one.projects = sorted({*one.projects, row["project__slug"]} - {None})


def _once_each(hits: Iterable[Hit]) -> list[Hit]:
    """One hit for each flaw, under the name that people look up first; the gravest first."""
    shown: set[str] = set()
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda one: naming.preference(one.advisory.osv_id)):
        if hit.advisory.osv_id not in shown:
            kept.append(hit)
            shown.update((hit.advisory.osv_id, *hit.names))
    return sorted(kept, key=lambda one: severities.ORDER.index(one.advisory.severity))


def _wanted(release: Release) -> matching.Wanted:
    return release.package.ecosystem, release.package.name, release.version
