"""Telling owners what became of a version of theirs: once for each event and person, by e-mail, from a job each."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from smtplib import SMTPException
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q
from django.utils import timezone

from accounts.models import Membership, User
from registry import tasks
from registry.models import Decision, Job, Release

logger = logging.getLogger(__name__)
DECIDED, LETTER = "tell-owners", "letter"
TOLD = (Decision.Answer.QUARANTINED, Decision.Answer.FLAGGED)
PATIENCE, PAUSE = timedelta(days=7), 300
SUBJECTS = {
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
    """Queue the news of a quarantine, a flag or a release, in the transaction that decides it."""
    if decision.answer in TOLD or _is_release(decision):
        tasks.enqueue(DECIDED, decision.pk)


def _is_release(decision: Decision) -> bool:
    """Whether the approval lets a version out of quarantine."""
    if decision.answer != Decision.Answer.APPROVED:
        return False
    before = Decision.objects.filter(release=decision.release, answer__in=Release.Status.values)
    last = before.exclude(pk=decision.pk).first()
    return last is not None and last.answer == Decision.Answer.QUARANTINED


@tasks.handles(DECIDED)
def tell_owners(job: Job) -> None:
    """One letter, as a job of its own, for each owner: a mailbox that refuses keeps no other waiting."""
    decision = Decision.objects.select_related("release__package").get(pk=job.ref)
    for user in owners(decision.release):
        tell(user, *_letter(decision, user), event=f"decision:{decision.pk}")


def tell(user: User, subject: str, body: str, *, event: str) -> None:
    """Queue one letter to the user about the event; asked for twice, it is sent once."""
    key = f"{LETTER}:{event}:{user.pk}"
    if user.email and not Job.objects.filter(dedupe_key=key).exists():
        payload = {"subject": subject, "body": body, "since": timezone.now().isoformat()}
        tasks.enqueue(LETTER, user.pk, dedupe=key, payload=payload)


def owners(release: Release) -> Iterable[User]:
    """Who cares for the package and who brought the version; where nobody is left, the owners of its project."""
    caring = Q(pk__in=release.package.maintainers.values("user")) | Q(pk=release.submitted_by_id)
    people = User.objects.filter(is_active=True).exclude(email="")
    if found := list(people.filter(caring).order_by("pk")):
        return found
    owning = Membership.objects.filter(project=release.project_id, role=Membership.Role.OWNER)
    return people.filter(pk__in=owning.values("user")).order_by("pk")


@tasks.handles(LETTER)
def send(job: Job) -> None:
    """Send the letter. A mail server that is away is no failure for a week; after that the job says what is wrong."""
    user = User.objects.filter(pk=job.ref, is_active=True).exclude(email="").first()
    if user is None:
        return
    try:
        EmailMessage(job.payload["subject"], job.payload["body"], to=[user.email]).send()
    except (OSError, SMTPException) as problem:
        logger.warning("The letter of job %s could not be sent (%s).", job.pk, type(problem).__name__)
        if timezone.now() - job.created_at > PATIENCE:
            raise
        raise tasks.Later(PAUSE) from problem


def _letter(decision: Decision, user: User) -> tuple[str, str]:
    release, package = decision.release, decision.release.package
    names = {"name": package.name, "version": release.version}
    place = f"{settings.PUBLIC_URL}/packages/{quote(package.name, safe='@/')}" if settings.PUBLIC_URL else ""
    lines = [
        f"Hello {user.username},",
        f"{SUBJECTS[decision.answer].format(**names)} ({package.ecosystem}), on {decision.at:%Y-%m-%d %H:%M} UTC.",
        f"The reason: {decision.reason}" if decision.reason else "",
        MEANINGS[decision.answer],
        f"See {place}" if place else "",
    ]
    return SUBJECTS[decision.answer].format(**names), "\n\n".join(line for line in lines if line) + "\n"
