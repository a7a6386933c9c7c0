"""Signing a terminal in through the browser: it asks, shows a code, and waits; a person confirms; it gets a token.

The terminal keeps one secret, the person's address holds another one, so that neither does for the other. The code
that both show is what a person compares: a link that somebody else sent shows a code that is in no terminal of theirs.
"""

import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import asking, auditing, projects, tokens
from accounts.actors import Actor
from accounts.errors import Forbidden, NotFound
from accounts.models import ApiToken, Project, User, WebLogin
from accounts.privacy import Identity
from accounts.wording import storable

LIFETIME = timedelta(minutes=10)
LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
SCOPES = ("read", "publish")
OVER = "This sign-in has ended, or was used before. Start it again in your terminal."
NOT_YOURS = "There is no project of that name that you belong to. Start again with the address of one of yours."


def begin(address: str, program: str = "", project: str = "") -> tuple[WebLogin, str]:
    """A terminal asks: the row, and the secret that it asks again with. Nothing is left of it after 10 minutes."""
    now, secret = timezone.now(), secrets.token_urlsafe(32)
    code = "".join(secrets.choice(LETTERS) for _ in range(8))
    WebLogin.objects.filter(expires_at__lte=now).delete()
    row = WebLogin.objects.create(
        digest=tokens.digest_of(secret),
        code=f"{code[:4]}-{code[4:]}",
        program="".join(filter(str.isprintable, storable(program, 120))),
        address=auditing.truncated(address),
        project=storable(project, 64),
        created_at=now,
        expires_at=now + LIFETIME,
    )
    return row, secret


def find(id: UUID) -> WebLogin:
    """The terminal that still waits for a person; raises NotFound."""
    found = _waiting().filter(pk=id, user__isnull=True).first()
    if found is None:
        raise NotFound(OVER)
    return found


def confirm(row: WebLogin, actor: Actor) -> None:
    """Let the terminal have a token of the person who is signed in here. Raises Forbidden, NotFound (too late)."""
    user = _person(actor)
    bound_project(user, row.project)
    with transaction.atomic():
        if not _waiting().filter(pk=row.pk, user__isnull=True).update(user=user):
            raise NotFound(OVER)
        details = {"from": row.address}  # not what the program calls itself, which may be anything
        auditing.record("terminal.confirmed", f"user:{user.pseudonym}", actor, details=details, project=row.project)


def refuse(row: WebLogin, actor: Actor) -> None:
    """Send the terminal away."""
    user = _person(actor)
    with transaction.atomic():
        if _waiting().filter(pk=row.pk, user__isnull=True).delete()[0]:
            auditing.record("terminal.refused", f"user:{user.pseudonym}", actor, project=row.project)


def take(secret: str) -> tuple[ApiToken, str] | None:
    """The token, once; None while nobody has confirmed. Raises NotFound for what is unknown, refused, old or taken."""
    row = _waiting().select_related("user").filter(digest=tokens.digest_of(secret)).first()
    if row is None or (row.user is not None and not row.user.is_active):
        raise NotFound(OVER)
    if row.user is None:
        return None
    with transaction.atomic():
        if not _waiting().filter(pk=row.pk).update(taken_at=timezone.now()):
            raise NotFound(OVER)
        return issue(row.user, row.project, row.address)


def issue(user: User, project: str, address: str, name: str = "npm login") -> tuple[ApiToken, str]:
    """A token for a terminal of somebody who has just proved who they are: to read and to publish, for 90 days.

    Bound to the project whose address the terminal uses, if it names one. Raises Forbidden for one that is not theirs.
    """
    bound = bound_project(user, project)
    return tokens.issue(user, name, SCOPES, project=bound, actor=asking.session_actor(user, address))


def bound_project(user: User, slug: str) -> Project | None:
    """The project of that slug, if the person belongs to it; None for none named. Raises Forbidden."""
    if not slug:
        return None
    found = next((one for one in projects.of(user).values() if one.slug == slug), None)
    if found is None:
        raise Forbidden(NOT_YOURS, code="project_not_accessible")
    return found


def export(user: User) -> list[dict[str, Any]]:
    """The terminals of the last minutes that the person has let in."""
    told = WebLogin.objects.filter(user=user).values("program", "address", "project", "created_at", "taken_at")
    return [dict(one) for one in told]


def forget(person: Identity) -> None:
    """Erase them; those that still wait get nothing."""
    WebLogin.objects.filter(user=person.user).delete()


def _person(actor: Actor) -> User:
    if actor.kind != "session" or actor.user is None:
        raise Forbidden("Only somebody who is signed in here can answer this.", code="session_needed")
    return actor.user


def _waiting() -> QuerySet[WebLogin]:
    """What has neither ended nor been taken."""
    return WebLogin.objects.filter(expires_at__gt=timezone.now(), taken_at__isnull=True)
