"""Who signs in, by a password or by the word of GitHub: few tries, one answer for every failure, an event for each."""

import hashlib
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, authenticate
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts import auditing, rate_limiting, second_factor
from accounts.actors import Actor
from accounts.addresses import client_address
from accounts.errors import Unauthenticated
from accounts.models import User
from accounts.wording import storable

QUARTER = 15 * 60
TRIES_OF_ONE_CALLER = rate_limiting.Rate(10, QUARTER)
# Wider, so that a stranger cannot lock someone out by failing in their name from a few places.
TRIES_PER_NAME = rate_limiting.Rate(100, QUARTER)
TRIES_PER_ADDRESS = rate_limiting.Rate(50, QUARTER)


class LimitedBackend(ModelBackend):
    """Django's own, which answers no more once a name or an address has failed too often in a quarter of an hour."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """The user, or None; PermissionDenied, which Django turns into the same failure, when there were too many."""
        counted = rate_limiting.admit(_counters(str(username or ""), _address(request)))
        if counted is None:
            raise PermissionDenied("Too many tries.")
        user = super().authenticate(request, username=username, password=password, **kwargs)
        if user is not None:
            rate_limiting.take_back(counted)
        return user


class GitHubBackend(ModelBackend):
    """Knows no password: it stands in sessions that began with GitHub's word, and says so in the audit trail."""

    def authenticate(self, request: HttpRequest | None, *args: Any, **kwargs: Any) -> None:
        """Nobody; GitHub's word is heard in `accounts.web.github_dialogue`."""


BY_PASSWORD = f"{__name__}.{LimitedBackend.__name__}"
BY_GITHUB = f"{__name__}.{GitHubBackend.__name__}"


class CodeNeeded(Unauthenticated):
    """The password was right, and this person's second factor is asked for, or was wrong."""

    code = "code_needed"


def identify(request: HttpRequest, username: str, password: str, code: str) -> User:
    """Who has this password, and shows this code of their second factor, without opening a session.

    Counted and noted as every sign-in. Raises Unauthenticated, alike for whatever is wrong, and CodeNeeded.
    """
    user = authenticate(request, username=storable(username, 150), password=password)
    if not isinstance(user, User):
        message = "The user name or the password is wrong; after many tries, wait a quarter of an hour."
        raise Unauthenticated(message, code="bad_password")
    if user.second_factor_since is None:
        return user
    if not code:
        raise CodeNeeded("This account asks for a one-time password: the six digits that your app shows.")
    try:
        second_factor.check(user, code, Actor(kind="session", user=user, address=_address(request)))
    except second_factor.WrongCode as wrong:
        raise CodeNeeded(f"That one-time password is not right. {wrong.message}") from wrong
    return user


def watch() -> None:
    """Have every sign-in and sign-out noted, through whatever form it comes; called once when the app is ready."""
    user_logged_in.connect(note_success, dispatch_uid="accounts.signing_in.success")
    user_login_failed.connect(note_failure, dispatch_uid="accounts.signing_in.failure")
    user_logged_out.connect(note_end, dispatch_uid="accounts.signing_in.end")


def note_success(sender: object, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    """The audit event of a sign-in."""
    actor = Actor(kind="session", user=user, address=_address(request))
    by_github = request is not None and request.session.get(BACKEND_SESSION_KEY) == BY_GITHUB
    details = {"by": "github"} if by_github else None
    auditing.record("session.opened", f"user:{user.pseudonym}", actor, details=details)


def note_end(sender: object, request: HttpRequest | None, user: User | None, **kwargs: Any) -> None:
    """The audit event of a sign-out; who has just left for good signs out of nothing."""
    if user is not None and User.objects.filter(pk=user.pk, is_active=True).exists():
        actor = Actor(kind="session", user=user, address=_address(request))
        auditing.record("session.closed", f"user:{user.pseudonym}", actor)


def note_failure(
    sender: object, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """The audit event of a failure; a name that is nobody's is not kept, since people type passwords there."""
    meant = User.objects.filter(username=str(credentials.get("username", ""))[:150].replace("\x00", "")).first()
    auditing.record(
        "session.refused",
        f"user:{meant.pseudonym}" if meant else "user:unknown",
        Actor(address=_address(request)),
        outcome="refused",
    )


def _counters(name: str, address: str) -> list[tuple[str, rate_limiting.Rate]]:
    """What is counted, the narrowest first: failures of the name from here, of the address if known, of the name."""
    who = _digest(name.lower())
    of_address = [(f"sign-in-from:{address}", TRIES_PER_ADDRESS)] if address else []
    return [(f"sign-in:{who}:{address}", TRIES_OF_ONE_CALLER), *of_address, (f"sign-in:{who}", TRIES_PER_NAME)]


def _digest(name: str) -> str:
    """The name in a form that any cache takes as part of a key."""
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()


def _address(request: HttpRequest | None) -> str:
    """Where the try comes from; tests and scripts sign in without a request."""
    return client_address(request) if request is not None else ""
