"""A second factor beside the password: six digits from an app (TOTP, RFC 6238), and codes on paper for its loss.

The secret lies encrypted under a key made from SECRET_KEY, the recovery codes as digests. A step of 30 seconds is good
for one code, and so is everything before it: what somebody read over a shoulder has been used.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import auditing, rate_limiting, sealing
from accounts.actors import Actor
from accounts.errors import Conflict, Forbidden, InvalidInput
from accounts.models import User
from accounts.privacy import Identity

# Whoever gets this far knows the password; a guess hits with 3 in a million.
TRIES_OF_ONE_CALLER = rate_limiting.Rate(10, 15 * 60)
TRIES = rate_limiting.Rate(30, 15 * 60)
ISSUER = "CodeSync Registry"
PURPOSE = "accounts.second_factor"
RECOVERY_CODES, GROUPS, LETTERS = 10, 4, "abcdefghjkmnpqrstuvwxyz23456789"
TOTP, RECOVERY = Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES
NOT_ALNUM = re.compile(r"[\s-]+")


class WrongCode(InvalidInput):
    """Neither what the app shows now nor an unused recovery code."""

    code = "wrong_code"


# --- setting one up -------------------------------------------------------------------------------------------------
def new_secret() -> str:
    """160 bits of chance in base32, encrypted until `switch_on` confirms that the person's app has it."""
    return sealing.seal(totp.generate_totp_secret(), PURPOSE)


def shown(sealed: str, user: User) -> tuple[str, str]:
    """A secret as people type it, and as the `otpauth:` address that apps read from a picture."""
    secret = _opened(sealed)
    label, issuer = quote(f"{ISSUER}:{user.username}", safe=""), quote(ISSUER)
    return secret, f"otpauth://totp/{label}?secret={secret.rstrip('=')}&issuer={issuer}"


def switch_on(user: User, sealed: str, code: str, actor: Actor) -> list[str]:
    """Keep the secret once a code proves that the app knows it; returns the recovery codes, for this one time.

    Ends every other session of the person. Raises WrongCode, Conflict if there is a factor already.
    """
    _count_try(user, actor)
    step = _step_of(_opened(sealed), code, after=0)
    if step is None:
        raise _wrong()
    codes = _new_codes()
    with transaction.atomic():
        held = User.objects.select_for_update().get(pk=user.pk)
        if held.second_factor_since is not None:
            raise Conflict(_("You have a second factor already. Switch it off before you set up another one."))
        Authenticator.objects.filter(user=held).delete()
        Authenticator.objects.create(user=held, type=TOTP, data={"secret": sealed, "step": step})
        Authenticator.objects.create(user=held, type=RECOVERY, data={"digests": _digests(codes)})
        _say_since(user, timezone.now())
        auditing.record("second_factor.switched_on", f"user:{user.pseudonym}", actor)
    return codes


def renew_codes(user: User, code: str, actor: Actor) -> list[str]:
    """New recovery codes in place of the old ones, for whoever shows a code; raises WrongCode."""
    codes = _new_codes()
    with _noting("second_factor.codes_renewed", user, actor):
        _need_code(user, code, actor)
        Authenticator.objects.filter(user=user, type=RECOVERY).delete()
        Authenticator.objects.create(user=user, type=RECOVERY, data={"digests": _digests(codes)})
        auditing.record("second_factor.codes_renewed", f"user:{user.pseudonym}", actor)
    return codes


def switch_off(user: User, code: str, actor: Actor) -> None:
    """Do without, for whoever shows a code; raises WrongCode."""
    with _noting("second_factor.switched_off", user, actor):
        _need_code(user, code, actor)
        _remove(user)
        auditing.record("second_factor.switched_off", f"user:{user.pseudonym}", actor)


def reset(user: User, actor: Actor) -> None:
    """Take the factor from somebody who lost app and codes; their sessions end. Only the system and admins may."""
    if not actor.is_system and not actor.is_admin:
        raise Forbidden("Only those who run the portal may take a second factor away.", code="role_missing")
    with transaction.atomic():
        if User.objects.select_for_update().get(pk=user.pk).second_factor_since is None:
            raise Conflict(f"{user.username} has no second factor.", code="no_second_factor")
        _remove(user)
        auditing.record("second_factor.reset", f"user:{user.pseudonym}", actor)


# --- asking for it --------------------------------------------------------------------------------------------------
def check(user: User, code: str, actor: Actor) -> None:
    """Let a person pass who shows a code, and note which kind; raises WrongCode, which is noted, too."""
    with _noting("second_factor.passed", user, actor):
        kind, left = _need_code(user, code, actor)
        details = {"with": kind, "recovery_codes_left": left} if kind == RECOVERY else {"with": kind}
        auditing.record("second_factor.passed", f"user:{user.pseudonym}", actor, details=details)


def codes_left(user: User) -> int:
    """How many recovery codes are unused."""
    row = Authenticator.objects.filter(user=user, type=RECOVERY).first()
    return len(row.data["digests"]) if row else 0


def export(user: User) -> dict[str, Any]:
    """What a person takes along: that there is a factor, never its secret."""
    last = Authenticator.objects.filter(user=user).exclude(last_used_at=None).order_by("-last_used_at").first()
    used = last.last_used_at if last else None
    return {"since": user.second_factor_since, "last_used_at": used, "recovery_codes_left": codes_left(user)}


def forget(person: Identity) -> None:
    """Erase the factor of somebody who leaves."""
    _remove(person.user)


@contextmanager
def _noting(action: str, user: User, actor: Actor) -> Iterator[None]:
    """A transaction; a wrong code undoes it and is noted."""
    try:
        with transaction.atomic():
            yield
    except WrongCode as error:
        auditing.refused(action, f"user:{user.pseudonym}", actor, error)
        raise


def _need_code(user: User, code: str, actor: Actor) -> tuple[str, int]:
    """Use up the code: which kind it was, and how many recovery codes are left. The rows are held until the end."""
    _count_try(user, actor)
    rows = Authenticator.objects.select_for_update().filter(user=user).order_by("pk")
    for row in rows:
        if (rest := _without(row, code)) is not None:
            Authenticator.objects.filter(pk=row.pk).update(data=rest, last_used_at=timezone.now())
            return str(row.type), len(rest.get("digests", ()))
    raise _wrong()


def _without(row: Authenticator, code: str) -> dict[str, Any] | None:
    """What is left of the row once the code is used; None if the code is not one of its own."""
    plain = NOT_ALNUM.sub("", code).lower()
    if row.type == RECOVERY:
        used = hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()
        rest = [digest for digest in row.data["digests"] if not hmac.compare_digest(digest, used)]
        return {"digests": rest} if len(rest) < len(row.data["digests"]) else None
    step = _step_of(_opened(row.data["secret"]), plain, after=row.data["step"])
    return None if step is None else {**row.data, "step": step}


def _step_of(secret: str, code: str, after: int) -> int | None:
    """The step of 30 seconds, near now and later than the one used last, that the code belongs to."""
    given = NOT_ALNUM.sub("", code).encode("utf-8", "replace")
    for step in totp.yield_hotp_counters_from_time() if secret else ():
        if step > after and hmac.compare_digest(totp.format_hotp_value(totp.hotp_value(secret, step)).encode(), given):
            return step
    return None


def _count_try(user: User, actor: Actor) -> None:
    """Count one more; after too many even the right code is wrong until the quarter of an hour is over."""
    subject = f"second-factor:{user.pk}"
    tries = [(f"{subject}:{actor.address}", TRIES_OF_ONE_CALLER), (subject, TRIES)]
    if rate_limiting.admit(tries) is None:
        raise _wrong()


def _wrong() -> WrongCode:
    return WrongCode(
        _("The code is wrong or was used before. Wait for the next one; after many tries, wait a quarter of an hour."),
        details={"code": ["wrong"]},
    )


def _remove(user: User) -> None:
    Authenticator.objects.filter(user=user).delete()
    _say_since(user, None)


def _say_since(user: User, moment: Any) -> None:
    """Keep it on the person's row, where every request finds it without another query."""
    user.second_factor_since = moment
    user.save(update_fields=["second_factor_since"])


# --- keeping secrets ------------------------------------------------------------------------------------------------
def _new_codes() -> list[str]:
    """Ten codes of four groups of four letters: 79 bits of chance each, so that a plain digest is safe to keep."""
    letters = ["".join(secrets.choice(LETTERS) for _ in range(4 * GROUPS)) for _ in range(RECOVERY_CODES)]
    return ["-".join(code[start : start + 4] for start in range(0, 4 * GROUPS, 4)) for code in letters]


def _digests(codes: list[str]) -> list[str]:
    return [hashlib.sha256(code.replace("-", "").encode()).hexdigest() for code in codes]


def _opened(sealed: str) -> str:
    """The secret; "" where another SECRET_KEY closed it, so that no code fits and recovery codes still do."""
    return sealing.unseal(sealed, PURPOSE)
