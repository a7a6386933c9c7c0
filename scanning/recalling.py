"""Recalling: which versions here an advisory touches, who took them and when, and telling those people.

It stands on the records of downloads, which are kept for DOWNLOAD_RECORD_DAYS: nobody knows who took what before that.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Max, Min, QuerySet, Sum
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import ApiToken, Project, User
from registry import tasks
from registry.models import DownloadCount, DownloadRecord, Release
from scanning import holdings, naming
from scanning.models import Advisory, RecallLetter


class Credential(NamedTuple):
    """What somebody showed when they took a version: by name and beginning, never more of it."""

    kind: str
    name: str = ""
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Taking:
    """That one credential took one version, from the first to the last day, so many times."""

    release: Release
    user: User | None
    project: Project | None
    credential: Credential
    first: date
    last: date
    count: int
    newest: datetime
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recall:
    """What an advisory means here: the versions that it touches, and the records of those who took them."""

    advisory: Advisory
    family: Sequence[Advisory]
    names: Sequence[str]
    versions: Sequence[holdings.Touched]
    records: QuerySet[DownloadRecord]

    @property
    def releases(self) -> dict[int, Release]:
        """The touched versions by their keys."""
        return {one.release.pk: one.release for one in self.versions}

    @property
    def rows(self) -> QuerySet[DownloadRecord, Any]:
        """One for each credential, version and project, the last taken first; `takings` dresses them."""
        taken = self.records.order_by().values("release", "credential", "user", "project")
        summed = taken.annotate(first=Min("day"), last=Max("day"), times=Sum("count"), newest=Max("first_at"))
        return summed.order_by("-last", "release", "credential", "user", "project")

    def takings(self, rows: slice = slice(None)) -> list[Taking]:
        """Who took them: five queries, however many rows."""
        return _dressed(self, list(self.rows[rows]))

    def downloads(self) -> dict[int, int]:
        """How often each version left in all, strangers included, by its key."""
        counted = DownloadCount.objects.filter(release__in=list(self.releases))
        totals = counted.order_by().values("release").annotate(total=Sum("count"))
        return dict(totals.values_list("release", "total"))

    def takers(self) -> dict[int, int]:
        """How many credentials took each version, by its key."""
        counted = self.records.order_by().values("release").annotate(n=Count("credential", distinct=True))
        return dict(counted.values_list("release", "n"))


def recall(advisory: Advisory, actor: Actor) -> Recall:
    """What the flaw touches here and who took it, whichever of the flaw's advisories is given. Needs the scope review.

    Those who are confined to projects learn of these projects' downloads alone. A withdrawn advisory recalls nothing.
    """
    actor.need("review")
    names = naming.joined([advisory])[advisory.osv_id]
    family = _family(advisory, names) if advisory.withdrawn_at is None else []
    versions = holdings.releases(family, actor)
    records = DownloadRecord.objects.filter(release__in=[one.release.pk for one in versions])
    if not actor.sees_everything:
        records = records.filter(project__in=actor.sees_private_of)
    return Recall(advisory, family, names, versions, records)


def _family(advisory: Advisory, names: Iterable[str]) -> list[Advisory]:
    """The standing advisories about the same flaw, this one first."""
    wanted = {name.upper() for name in (advisory.osv_id, *names)}
    found = Advisory.objects.live().filter(names__name__in=wanted).defer("raw").distinct()
    return sorted(found, key=lambda one: (one.pk != advisory.pk, naming.preference(one.osv_id)))


def _dressed(found: Recall, rows: Sequence[Mapping[str, Any]]) -> list[Taking]:
    """The rows with what their keys stand for."""
    releases = found.releases
    users = User.objects.in_bulk({row["user"] for row in rows} - {None})
    projects = Project.objects.in_bulk({row["project"] for row in rows} - {None})
    credentials = credentials_of(row["credential"] for row in rows)
    told = _told(found.family, users)
    return [
        Taking(
            releases[row["release"]],
            users.get(row["user"]),
            projects.get(row["project"]),
            credentials[row["credential"]],
            row["first"],
            row["last"],
            row["times"],
            row["newest"],
            told.get((row["user"], row["release"])),
        )
        for row in rows
    ]


def _told(family: Sequence[Advisory], users: Iterable[int]) -> dict[tuple[int, int], datetime]:
    """When each of the users was told last of each version."""
    letters = RecallLetter.objects.filter(advisory__in=family, user__in=list(users)).order_by("told_at")
    return {(user, release): at for user, release, at in letters.values_list("user", "release", "told_at")}


def credentials_of(texts: Iterable[str]) -> dict[str, Credential]:
    """What records call `kind:id`, by the name that its owner gave it; tokens may be gone by now."""
    wanted = set(texts)
    parts = {text: text.partition(":")[::2] for text in wanted}
    ids = {UUID(key) for kind, key in parts.values() if kind == "token" and _is_uuid(key)}
    named = {str(key): Credential("token", name, prefix) for key, name, prefix in _tokens(ids)}
    return {text: named.get(key, Credential(kind)) for text, (kind, key) in parts.items()}


def _tokens(ids: Iterable[UUID]) -> Iterable[tuple[UUID, str, str]]:
    return ApiToken.objects.filter(pk__in=list(ids)).values_list("pk", "name", "prefix")


def _is_uuid(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


@tasks.periodically("daily")
def forget() -> int:
    """Forget who was told of what they took once the record of their taking it is gone; returns how many went."""
    if not settings.DOWNLOAD_RECORD_DAYS:
        return 0
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    before = midnight - timedelta(days=settings.DOWNLOAD_RECORD_DAYS)
    return RecallLetter.objects.filter(through__lt=before).delete()[0]
