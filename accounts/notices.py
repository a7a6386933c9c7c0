"""Telling the holders of tokens when these end: on every answer, and once by e-mail."""

import logging
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import ApiToken, User

logger = logging.getLogger(__name__)
NOTICE = timedelta(days=14)
ADVICE = "Rotate it (POST /api/v1/tokens/{id}/rotate), or create a new one on your profile page."


def headers(actor: Actor) -> dict[str, str]:
    """What the answer to a token's request says of its end; the warning only in the last fourteen days."""
    if actor.expires_at is None or actor.kind == "license":
        return {}
    told = {"X-Token-Expires-At": _instant(actor.expires_at)}
    if actor.expires_at - timezone.now() <= NOTICE:
        end, advice = actor.expires_at.astimezone(UTC), ADVICE.replace("{id}", actor.credential_id)
        told["Warning"] = f'299 - "This token works until {end:%Y-%m-%d %H:%M} UTC. {advice}"'
    return told


def ends_soon(token: ApiToken) -> bool:
    """Whether the token's end is to be told: within fourteen days, and in the second half of a shorter life."""
    left = token.expires_at - timezone.now()
    return left <= min(NOTICE, (token.expires_at - token.created_at) / 2)


def announce() -> int:
    """Write to everyone whose tokens end within fourteen days, once for each token; returns the number of letters.

    Short-lived tokens are announced in the second half of their life, rotated ones not at all. A token counts as
    announced before its letter leaves, and no longer when the letter could not leave: tomorrow is another try.
    """
    ending: dict[User, list[ApiToken]] = defaultdict(list)
    for token in _ending_soon():
        if ApiToken.objects.filter(pk=token.pk, notified_at__isnull=True).update(notified_at=timezone.now()):
            ending[token.user].append(token)
    return sum(_write(user, tokens) for user, tokens in ending.items())


def _ending_soon() -> list[ApiToken]:
    waiting = ApiToken.objects.live().filter(
        notified_at__isnull=True, successor__isnull=True, expires_at__lte=timezone.now() + NOTICE, user__is_active=True
    )
    tokens = waiting.exclude(user__email="").select_related("user").order_by("expires_at")
    return [token for token in tokens if ends_soon(token)]


def _write(user: User, tokens: list[ApiToken]) -> bool:
    """Send the letter; a failure is logged without the address and gives the tokens back."""
    letter = EmailMessage("Your registry tokens end soon", _letter(user, tokens), to=[user.email])
    try:
        letter.send()
    except (OSError, SMTPException) as problem:
        logger.warning("The notice to user %s could not be sent (%s); it is tried again.", user.pk, problem)
        ApiToken.objects.filter(pk__in=[token.pk for token in tokens]).update(notified_at=None)
        return False
    return True


def _letter(user: User, tokens: list[ApiToken]) -> str:
    lines = [f"- {token.name} ({token.prefix}…), until {token.expires_at:%Y-%m-%d %H:%M} UTC" for token in tokens]
    place = f"{settings.PUBLIC_URL}/profile/tokens" if settings.PUBLIC_URL else "your profile page, “API tokens”"
    return "\n".join(
        [
            f"Hello {user.username},",
            "",
            "these API tokens of yours stop working soon:",
            "",
            *lines,
            "",
            f"Rotate those you still need; the old one can go on working for up to a week. See {place}.",
            "",
        ]
    )


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
