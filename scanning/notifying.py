"""Telling owners what became of a version of theirs: each event once, what comes together in one letter."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from smtplib import SMTPException
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Membership, User
from registry import tasks
from registry.models import Decision, Job, Release
from scanning.models import Notice

logger = logging.getLogger(__name__)
LETTER = "letter"
# Seconds: an advisory may strike fifty versions, and nobody wants fifty letters.
GATHERING, PAUSE = 20, 300
PATIENCE, SENDING = timedelta(days=7), timedelta(minutes=5)
TITLES = {
    "quarantined": "{name} {version} was put into quarantine",
    "flagged": "{name} {version} breaks the policy",
    "approved": "{name} {version} is out of quarantine",
}
MEANINGS = {
    "quarantined": "It cannot be downloaded until the reason is gone or a maintainer decides otherwise.",
    "flagged": "It can still be downloaded: the policy marks such versions and lets them stay.",
    "approved": "It can be downloaded again.",
}


def on_decision(decision: Decision, **_: Any) -> None:
    """Note the news of a quarantine, a flag or a release, in the transaction that decides it."""
    if decision.answer in ("quarantined", "flagged") or _is_release(decision):
        release, names = decision.release, {"version": decision.release.version, "name": decision.release.package.name}
        place = f"{settings.PUBLIC_URL}/packages/{release.package.ecosystem}/{quote(names['name'], safe='@/')}"
        lines = [decision.reason, MEANINGS[decision.answer], place if settings.PUBLIC_URL else ""]
        title, text = TITLES[decision.answer].format(**names), "\n".join(line for line in lines if line)
        tell(owners(release), title, text, event=f"decision:{decision.pk}")


def _is_release(decision: Decision) -> bool:
    """Whether the approval lets a version out of quarantine."""
    if decision.answer != Decision.Answer.APPROVED:
        return False
    before = Decision.objects.filter(release=decision.release_id, answer__in=Release.Status.values)
    last = before.exclude(pk=decision.pk).first()
    return last is not None and last.answer == Decision.Answer.QUARANTINED


def owners(release: Release) -> list[User]:
    """Who cares for the package and who brought the version; where nobody is left, the owners of its project."""
    caring = Q(pk__in=release.package.maintainers.values("user")) | Q(pk=release.submitted_by_id)
    people = User.objects.filter(is_active=True).exclude(email="")
    if found := list(people.filter(caring).order_by("pk")):
        return found
    owning = Membership.objects.filter(project=release.project_id, role=Membership.Role.OWNER)
    return list(people.filter(pk__in=owning.values("user")).order_by("pk"))


def tell(users: Iterable[User], title: str, text: str, *, event: str) -> None:
    """Note the news for each of the users and queue their letters; the same event twice is told once.

    Inside the caller's transaction: what is rolled back was never news.
    """
    people = list(users)
    notices = [Notice(user=user, event=event, title=title[:400], text=text) for user in people]
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
    for user in people:
        tasks.enqueue(LETTER, user.pk, delay=GATHERING)


@tasks.handles(LETTER)
def send(job: Job) -> None:
    """Send what the user was not told yet, as one letter.

    A mail server that is away is no failure for a week; after that the job says what is wrong. A worker that dies
    while it sends leaves the news to the next one, so that in the worst case it is told twice and never not at all.
    """
    user = User.objects.filter(pk=job.ref, is_active=True).exclude(email="").first()
    waiting = Notice.objects.filter(user_id=int(job.ref), sent_at=None)
    news = _claim(waiting)
    if user is None or not news:
        if user is not None and waiting.exists():
            raise tasks.Later(SENDING.total_seconds())
        return
    try:
        _letter(user, news).send()
    except (OSError, SMTPException) as problem:
        waiting.filter(pk__in=[one.pk for one in news]).update(claimed_at=None)
        logger.warning("The letter to user %s could not be sent (%s).", user.pk, type(problem).__name__)
        if timezone.now() - news[0].created_at > PATIENCE:
            raise
        raise tasks.Later(PAUSE) from problem
    waiting.filter(pk__in=[one.pk for one in news]).update(sent_at=timezone.now())


def _claim(waiting: QuerySet[Notice]) -> list[Notice]:
    """What no other worker is sending now."""
    now = timezone.now()
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - SENDING)
    keys = list(waiting.filter(free).values_list("pk", flat=True))
    mine = [pk for pk in keys if waiting.filter(free, pk=pk).update(claimed_at=now)]
    return list(Notice.objects.filter(pk__in=mine).order_by("pk"))


def _letter(user: User, news: list[Notice]) -> EmailMessage:
    subject = news[0].title if len(news) == 1 else f"{news[0].title}, and {len(news) - 1} more"
    parts = [f"Hello {user.username},", *(f"{one.title}.\n{one.text}".strip() for one in news)]
    return EmailMessage(subject, "\n\n".join(parts) + "\n", to=[user.email])
