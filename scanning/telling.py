"""Telling people of recalls: those who took a version that an advisory touches, and the owners of their projects."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import auditing
from accounts.actors import Actor
from accounts.models import Membership, User
from registry import tasks
from registry.models import Job, Release
from scanning import notifying, recalling
from scanning.models import Advisory, Notice, RecallLetter
from scanning.recalling import Recall, Taking

KIND = "recall"
LINES = 50
BATCH = 500


@dataclass(frozen=True, slots=True)
class Told:
    """How many people were told now, of how many versions."""

    people: int
    versions: int


def notify(advisory: Advisory, actor: Actor) -> Told:
    """Tell everybody who took a touched version, and the owners of the projects that they took it for.

    Nobody is told the same twice: only of versions and downloads that are new since the last time. Who may no longer
    see a private package is not told of it. Needs the scope review. Letters leave by jobs, after the transaction.
    """
    actor.need("review")
    with transaction.atomic():
        _one_at_a_time(advisory)
        found = recalling.recall(advisory, actor)
        news = _news(found, _concerned(found.takings()))
        if not news:
            return Told(0, 0)
        versions = {one.release.pk for takings in news.values() for one in takings}
        event = f"recall:{advisory.pk}:{timezone.now().timestamp()}"
        _write(found, news, event)
        tasks.enqueue(KIND, event)
        details = {"people": len(news), "versions": len(versions)}
        auditing.record("advisory.recalled", advisory.osv_id, actor, details=details)
    return Told(len(news), len(versions))


@tasks.handles(KIND)
def send(job: Job) -> None:
    """Queue the letters of one recall that were not sent yet; doing it twice sends none twice."""
    for user in Notice.objects.filter(event=job.ref, sent_at=None).values_list("user", flat=True):
        tasks.enqueue(notifying.LETTER, user)


def _one_at_a_time(advisory: Advisory) -> None:
    """Let the second of two clicks wait, so that it finds that everybody was told."""
    Advisory.objects.select_for_update().only("pk").get(pk=advisory.pk)


def _concerned(takings: Sequence[Taking]) -> dict[User, list[Taking]]:
    """What each person has to know: their own takings and those for projects they own, of packages they may see."""
    owners = _members({one.project.pk for one in takings if one.project}, role=Membership.Role.OWNER)
    concerned: dict[int, list[Taking]] = defaultdict(list)
    for one in takings:
        of_project = owners[one.project.pk] if one.project else set()
        for key in of_project | ({one.user.pk} if one.user else set()):
            concerned[key].append(one)
    people = User.objects.filter(is_active=True).in_bulk(list(concerned))
    inside = _members({one.release.package.project_id for one in takings if one.release.package.is_private})
    seen = {
        user: [one for one in concerned[key] if _may_see(user, one.release, inside)] for key, user in people.items()
    }
    return {user: mine for user, mine in seen.items() if mine}


def _members(projects: Iterable[int], **more: str) -> defaultdict[int, set[int]]:
    """Who belongs to each of the projects."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    rows = Membership.objects.filter(project__in=list(projects), **more)
    for project, user in rows.values_list("project", "user"):
        found[project].add(user)
    return found


def _may_see(user: User, release: Release, inside: defaultdict[int, set[int]]) -> bool:
    """Whether the person, signed in today, would see the package."""
    package = release.package
    sees_all = user.is_maintainer and not user.lacks_second_factor
    return sees_all or not package.is_private or user.pk in inside[package.project_id]


def _news(found: Recall, concerned: dict[User, list[Taking]]) -> dict[User, list[Taking]]:
    """What they were not told of yet, by any of the flaw's advisories."""
    letters = RecallLetter.objects.filter(advisory__in=found.family, user__in=[user.pk for user in concerned])
    through: dict[tuple[int, int], datetime] = {}
    for user_id, release_id, at in letters.values_list("user", "release", "through"):
        through[user_id, release_id] = max(at, through.get((user_id, release_id), at))
    news = {}
    for user, takings in concerned.items():
        fresh = [
            one for one in takings if (known := through.get((user.pk, one.release.pk))) is None or one.newest > known
        ]
        if fresh:
            news[user] = fresh
    return news


# --- writing it down -----------------------------------------------------------------------------------------------
def _write(found: Recall, news: dict[User, list[Taking]], event: str) -> None:
    """The news of each person, and what they have been told of from now on."""
    title = _title(found.advisory)
    notices = [
        Notice(user=user, event=event, title=title, text=_text(found, user, takings)) for user, takings in news.items()
    ]
    Notice.objects.bulk_create(notices, batch_size=BATCH)
    newest: dict[tuple[int, int], datetime] = {}
    for user, takings in news.items():
        for one in takings:
            key = user.pk, one.release.pk
            newest[key] = max(one.newest, newest.get(key, one.newest))
    now = timezone.now()
    letters = [
        RecallLetter(advisory=found.advisory, user_id=user, release_id=release, through=through, told_at=now)
        for (user, release), through in newest.items()
    ]
    RecallLetter.objects.bulk_create(
        letters,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["advisory", "user", "release"],
        update_fields=["through", "told_at"],
    )


def _title(advisory: Advisory) -> str:
    return f"Recall: {advisory.osv_id} ({advisory.severity}) touches what you downloaded"[:400]


def _text(found: Recall, user: User, takings: Sequence[Taking]) -> str:
    """The letter: what is wrong, which versions, taken when and with what, mended where."""
    fixed = {one.release.pk: one.fixed_in for one in found.versions}
    lines = [_line(one, user, fixed[one.release.pk]) for one in takings[:LINES]]
    if len(takings) > LINES:
        lines.append(f"- and {len(takings) - LINES} more")
    place = f"{settings.PUBLIC_URL}/profile/notices" if settings.PUBLIC_URL else ""
    said = [found.advisory.summary, found.advisory.url, *lines, place and f"All that concerns you: {place}"]
    return "\n".join(one for one in said if one)


def _line(taking: Taking, user: User, fixed_in: str) -> str:
    package, days = taking.release.package, f"on {taking.first}"
    if taking.last != taking.first:
        days = f"from {taking.first} to {taking.last}"
    mended = f"Use {fixed_in} or later." if fixed_in else "No fixed version is known."
    return (
        f"- {package.name} {taking.release.version} ({package.ecosystem}), taken {days} {_by(taking, user)}. {mended}"
    )


def _by(taking: Taking, user: User) -> str:
    """With what the person took it; of others only who, and for which project."""
    if taking.user == user:
        credential = taking.credential
        named = f"your token “{credential.name}” ({credential.prefix}…)" if credential.prefix else "a deleted token"
        return f"with {named}" if credential.kind == "token" else "by you, signed in"
    if taking.credential.kind == "license":
        return f"with a license key for the project {taking.project}"
    who = taking.user.username if taking.user else "somebody who has left"
    return f"by {who} for the project {taking.project}"
