"""People known by their GitHub account: found by its number, never by a name or an e-mail address."""

import re
from dataclasses import dataclass
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import auditing, users
from accounts.actors import Actor
from accounts.errors import Conflict, Forbidden
from accounts.models import User
from accounts.privacy import Identity

PROVIDER = "github"
NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")
LAST_SUFFIX = 20


@dataclass(frozen=True, slots=True)
class Profile:
    """Whom GitHub vouches for; `email` is the primary address if GitHub has verified it, else ""."""

    number: int
    login: str
    email: str = ""

    @property
    def uid(self) -> str:
        """The number as rows keep it. Logins are given up and taken by others; the number stays."""
        return str(self.number)


def is_configured() -> bool:
    """Whether the portal has credentials of its own at GitHub."""
    return bool(settings.GITHUB_CLIENT_ID and settings.GITHUB_CLIENT_SECRET)


def find_or_make(profile: Profile, actor: Actor) -> User:
    """The person with this GitHub account, or a new developer; an address that others use here is no reason to meet.

    Raises Forbidden for an account that is closed.
    """
    found = _linked(profile) or _make(profile, actor)
    if not found.is_active:
        raise Forbidden(_("This account is closed. Ask the people who run this portal."), code="account_closed")
    return found


def link(user: User, profile: Profile, actor: Actor) -> SocialAccount:
    """Let the person sign in with the GitHub account; raises Conflict if it is another's, or they have one already."""
    try:
        with transaction.atomic():
            User.objects.select_for_update().get(pk=user.pk)
            if SocialAccount.objects.filter(user=user, provider=PROVIDER).exists():
                raise Conflict(
                    _("A GitHub account is connected already. Disconnect it first."), code="github_connected"
                )
            account = _keep(user, profile)
            auditing.record("github.linked", f"user:{user.pseudonym}", actor)
    except IntegrityError as error:
        message = _("This GitHub account belongs to somebody else here. Sign in with it, or use another one.")
        raise Conflict(message, code="github_taken") from error
    return account


def unlink(user: User, actor: Actor) -> None:
    """Forget the GitHub account; raises Conflict where it is the only way in, or there is none."""
    if not user.has_usable_password():
        raise Conflict(_("Set a password first: without GitHub you could not sign in."), code="last_way_in")
    with transaction.atomic():
        if not SocialAccount.objects.filter(user=user, provider=PROVIDER).delete()[0]:
            raise Conflict(_("No GitHub account is connected."), code="github_not_connected")
        auditing.record("github.unlinked", f"user:{user.pseudonym}", actor)


def account_of(user: User) -> SocialAccount | None:
    """The GitHub account that the person signs in with; its login stands under `extra_data`."""
    return SocialAccount.objects.filter(user=user, provider=PROVIDER).first()


def export(user: User) -> list[dict[str, Any]]:
    """What a person takes along."""
    fields = ("provider", "uid", "extra_data", "date_joined", "last_login")
    return list(SocialAccount.objects.filter(user=user).values(*fields))


def forget(person: Identity) -> None:
    """Erase the link of somebody who leaves."""
    SocialAccount.objects.filter(user=person.user).delete()


def _linked(profile: Profile) -> User | None:
    """The person whose the number is; the login is kept up with, since people read it."""
    account = SocialAccount.objects.filter(provider=PROVIDER, uid=profile.uid).select_related("user").first()
    if account is None:
        return None
    account.extra_data = {"login": profile.login}
    account.save(update_fields=["extra_data", "last_login"])
    return account.user


def _make(profile: Profile, actor: Actor) -> User:
    """A new developer without a password; whoever comes in by two windows at once is made once."""
    try:
        with transaction.atomic():
            user = users.create(_free_name(profile), profile.email, actor, accept_no_email=True)
            _keep(user, profile)
            auditing.record("github.linked", f"user:{user.pseudonym}", actor)
    except (IntegrityError, Conflict):
        found = _linked(profile)
        if found is None:
            raise
        return found
    return user


def _keep(user: User, profile: Profile) -> SocialAccount:
    """The row; the database refuses a number that is taken."""
    return SocialAccount.objects.create(
        user=user, provider=PROVIDER, uid=profile.uid, extra_data={"login": profile.login}
    )


def _free_name(profile: Profile) -> str:
    """The login, a number behind it where somebody has that name, at last GitHub's own number."""
    login = NOT_IN_NAMES.sub("", profile.login)[:100] or f"github-{profile.number}"
    wanted = [login, *(f"{login}-{number}" for number in range(2, LAST_SUFFIX)), f"{login}-{profile.number}"]
    return next((name for name in wanted if not User.objects.filter(username__iexact=name).exists()), wanted[-1])
