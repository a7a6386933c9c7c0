"""API tokens: `sk_live_`, 32 random base62 characters, and 6 of CRC-32 over all before. Only SHA-256 is stored."""

import hashlib
import secrets
import string
import zlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import auditing, projects, users
from accounts.actors import ALL_SCOPES, Actor
from accounts.errors import Conflict, Forbidden, InvalidInput
from accounts.models import ApiToken, Project, User
from accounts.wording import short_name

PREFIX = "sk_live_"
LENGTH = len(PREFIX) + 32 + 6
DISPLAYED = len(PREFIX) + 4
DEFAULT_DAYS = 90
MAX_DAYS = 365
MAX_OVERLAP_HOURS = 168
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
USE_IS_NOTED_EVERY = timedelta(minutes=1)
NARROW_LIFETIME = timedelta(minutes=15)
NARROW_KEPT = timedelta(days=7)
Inheritance = Callable[[ApiToken, ApiToken], None]
_inheritances: list[Inheritance] = []


def inherited(inheritance: Inheritance) -> None:
    """Have an app hand on what it keeps of a token to its successor; call it from the app's ready()."""
    if inheritance not in _inheritances:
        _inheritances.append(inheritance)


def issue(
    user: User,
    name: str,
    scopes: Iterable[str],
    *,
    project: Project | None = None,
    days: int = DEFAULT_DAYS,
    actor: Actor,
) -> tuple[ApiToken, str]:
    """Make a token for the user; the second value is the raw token, which nobody can see again."""
    _may_issue_for(user, actor)
    label = short_name(name)
    wanted = grantable(user, scopes, actor)
    lifetime = _lifetime(days)
    if actor.bound_to is not None and (project is None or project.pk != actor.bound_to):
        raise Forbidden("Your token is bound to a project, so it can make tokens for that one only.", code="bound")
    if project is not None and not _may_bind(user, project, actor):
        raise Forbidden("You are not a member of that project, so no token can be bound to it.", code="not_a_member")
    raw = _random_token()
    with transaction.atomic():
        token = _keep(raw, user, label, wanted, project, lifetime)
        auditing.record(
            "token.issued",
            f"token:{token.pk}",
            actor,
            details={"for": str(user.pseudonym), "scopes": wanted, "days": days},
            project=project.slug if project else "",
        )
    return token, raw


def issue_narrow(
    user: User, name: str, only_for: Iterable[str], project: Project, actor: Actor
) -> tuple[ApiToken, str]:
    """A token of 15 minutes that publishes one version of one of these packages, as the user; no letter tells its end.

    For those who have found out that it is due: it is written in their transaction, and so is what they say of it.
    """
    raw, now = _random_token(), timezone.now()
    token = _keep(raw, user, short_name(name), ["publish"], project, NARROW_LIFETIME)
    token.only_for, token.notified_at = sorted(only_for), now
    token.save(update_fields=["only_for", "notified_at"])
    return token, raw


def spend(actor: Actor, on: str) -> None:
    """Use up what the token is for, in the caller's transaction; every file of that one version may follow.

    `on` is the version, as in `npm:@acme/core@1.0.0`. Raises Forbidden where it went into another one.
    """
    if actor.only_for:
        standing = ApiToken.objects.live().filter(pk=actor.credential_id, used_for__in=("", on))
        if not standing.update(used_for=on):
            raise Forbidden("This token has published its one version. Ask for another one.", code="spent")


def forget_narrow() -> int:
    """Remove tokens of pipelines a week after their end; the audit trail tells of them. Returns how many."""
    ended = ApiToken.objects.exclude(only_for=[]).filter(expires_at__lt=timezone.now() - NARROW_KEPT)
    return ended.delete()[0]


def revoke(token: ApiToken, actor: Actor, reason: str = "") -> ApiToken:
    """Stop the token in every process at once; revoking twice changes nothing."""
    _may_manage(token, actor)
    now = timezone.now()
    with transaction.atomic():
        live = ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True)
        if live.update(revoked_at=now, revoked_reason=reason[:200]):
            auditing.record("token.revoked", f"token:{token.pk}", actor, details={"reason": reason[:200]})
    token.refresh_from_db()
    return token


def rotate(token: ApiToken, overlap_hours: int, actor: Actor) -> tuple[ApiToken, str]:
    """Make a successor with the same name, scopes and project; the old token works until the overlap (hours) ends.

    For its user at the portal, the system, and the token itself: whoever else saw the successor would act as its user.
    """
    _may_rotate(token, actor)
    if isinstance(overlap_hours, bool) or not 0 <= overlap_hours <= MAX_OVERLAP_HOURS:
        raise InvalidInput(
            f"The overlap is given in hours, from 0 to {MAX_OVERLAP_HOURS}.",
            details={"overlapHours": ["out of range"]},
        )
    scopes = grantable(token.user, token.scopes, actor) if actor.lacks_factor else sorted(token.scopes)
    scopes = _within_role(token.user, scopes)
    raw, now = _random_token(), timezone.now()
    with transaction.atomic():
        successor = _keep(raw, token.user, token.name, scopes, token.project, token.expires_at - token.created_at)
        ends = min(token.expires_at, now + timedelta(hours=overlap_hours))
        waiting = ApiToken.objects.live().filter(pk=token.pk, successor__isnull=True)
        if not waiting.update(successor=successor, expires_at=ends):
            raise Conflict("This token is revoked, expired or has a successor already. Create a new one instead.")
        for hand_on in _inheritances:
            hand_on(token, successor)
        auditing.record("token.rotated", f"token:{token.pk}", actor, details={"successor": str(successor.pk)})
    return successor, raw


def resolve(raw: str) -> ApiToken | None:
    """The live token with this value, its user and projects joined; unknown, expired and revoked are alike None."""
    if not looks_like_token(raw):
        return None
    return (
        ApiToken.objects.live()
        .select_related("user__default_project", "project")
        .filter(digest=digest_of(raw), user__is_active=True)
        .first()
    )


def looks_like_token(raw: str) -> bool:
    """Whether prefix, length, alphabet and checksum fit; costs no query, so junk is refused for nothing."""
    if len(raw) != LENGTH or not raw.startswith(PREFIX) or not raw.isascii() or not raw[len(PREFIX) :].isalnum():
        return False
    return secrets.compare_digest(raw[-6:], _checksum(raw[:-6]))


def note_use(token: ApiToken, address: str = "") -> None:
    """Write down when and from where (truncated) the token was used, at most once a minute."""
    now = timezone.now()
    stale = now - USE_IS_NOTED_EVERY
    if token.last_used_at is not None and token.last_used_at > stale:
        return
    ApiToken.objects.filter(Q(last_used_at__isnull=True) | Q(last_used_at__lte=stale), pk=token.pk).update(
        last_used_at=now, last_used_from=auditing.truncated(address)
    )


def grantable(user: User, scopes: Iterable[str], actor: Actor) -> list[str]:
    """The wanted scopes, sorted, or a refusal naming the one that the user's role or the actor lacks."""
    wanted = sorted(set(scopes))
    if unknown := sorted(set(wanted) - ALL_SCOPES):
        raise InvalidInput(
            f"Unknown scope: {', '.join(unknown)[:100]}. Choose among {', '.join(sorted(ALL_SCOPES))}.",
            details={"scopes": [f"unknown: {scope[:40]}" for scope in unknown]},
        )
    if not wanted:
        raise InvalidInput("A token needs at least one scope.", details={"scopes": ["required"]})
    for scope in wanted:
        if actor.lacks_factor:
            actor.need(scope)
        if not actor.is_system and not actor.can(scope):
            raise Forbidden(
                f"Your credential lacks the scope “{scope}”, so it cannot hand it on.", code="scope_missing"
            )
    return _within_role(user, wanted)


def digest_of(raw: str) -> str:
    """What is stored in place of the token."""
    return hashlib.sha256(raw.encode()).hexdigest()


def _within_role(user: User, scopes: list[str]) -> list[str]:
    """The scopes, unless the role does not allow one of them."""
    if beyond := [scope for scope in scopes if scope not in users.scopes_of(user)]:
        raise Forbidden(
            f"The role {user.role} does not allow the scope “{beyond[0]}”. Leave it out, or ask an admin.",
            code="role_missing",
            details={"scopes": beyond},
        )
    return scopes


def _may_issue_for(user: User, actor: Actor) -> None:
    """Only a person at the portal, an admin, or the system makes tokens; so a stolen token cannot multiply."""
    if actor.is_system or actor.is_admin:
        return
    actor.need("read")
    if actor.kind != "session":
        raise Forbidden("Sign in to create a token, or use a token with the scope “admin”.", code="session_needed")
    if actor.user is None or actor.user.pk != user.pk:
        raise Forbidden("You may create tokens for yourself only.")


def _may_bind(user: User, project: Project, actor: Actor) -> bool:
    """Whether a token for the project may be made; an admin without the second factor reaches their own only."""
    return bool(projects.of(user, only=project.pk)) if actor.lacks_factor else users.belongs_to(user, project)


def _may_manage(token: ApiToken, actor: Actor) -> None:
    """The token's own user, an admin or the system; a token that is for one thing manages itself alone."""
    if actor.only_for and actor.credential_id != str(token.pk):
        raise Forbidden("This token belongs to someone else.")
    if actor.is_system or actor.is_admin or (actor.user is not None and actor.user.pk == token.user_id):
        return
    raise Forbidden("This token belongs to someone else.")


def _may_rotate(token: ApiToken, actor: Actor) -> None:
    """The token's own user, by the token itself or at the portal; the system."""
    if token.only_for or actor.only_for:
        raise Forbidden("A token that a pipeline was given ends by itself and has no successor.")
    if actor.is_system:
        return
    if actor.user is None or actor.user.pk != token.user_id:
        raise Forbidden("This token belongs to someone else.")
    if actor.kind != "session" and actor.credential_id != str(token.pk):
        raise Forbidden("A token can rotate itself, not another one. Sign in to rotate this one.")


def _keep(
    raw: str, user: User, name: str, scopes: list[str], project: Project | None, lifetime: timedelta
) -> ApiToken:
    """The row of a new token."""
    now: datetime = timezone.now()
    return ApiToken.objects.create(
        user=user,
        project=project,
        name=name,
        prefix=raw[:DISPLAYED],
        digest=digest_of(raw),
        scopes=scopes,
        created_at=now,
        expires_at=now + lifetime,
    )


def _lifetime(days: int) -> timedelta:
    """The days as a duration, if they are a whole number from 1 to 365."""
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= MAX_DAYS:
        raise InvalidInput(
            f"A token lives from 1 to {MAX_DAYS} days.", details={"expiresIn": [f"from 1 to {MAX_DAYS}"]}
        )
    return timedelta(days=days)


def _random_token() -> str:
    """A new raw token: 190 bits of chance and a checksum."""
    body = PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(32))
    return body + _checksum(body)


def _checksum(body: str) -> str:
    """CRC-32 in six base62 digits: lets scanners and our own door drop what merely looks like a token."""
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, rest = divmod(number, 62)
        digits = ALPHABET[rest] + digits
    return digits
