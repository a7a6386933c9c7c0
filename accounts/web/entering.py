"""From a password or GitHub's word to a session: at once, or by way of the second factor."""

import time
from dataclasses import asdict, dataclass

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare

from accounts import second_factor
from accounts.actors import Actor
from accounts.addresses import client_address
from accounts.models import User

HALF_WAY = "half_signed_in"
PATIENCE = 10 * 60


@dataclass(frozen=True, slots=True)
class HalfWay:
    """Somebody who has shown one thing and owes the code; kept in their session, and worth nothing else."""

    user_id: int
    session_hash: str
    backend: str
    leads_to: str
    until: float


def enter(request: HttpRequest, user: User, backend: str, leads_to: str) -> HttpResponse:
    """Open the session of somebody who needs no second factor; ask the others for it."""
    if user.second_factor_since is None:
        login(request, user, backend=backend)
        return HttpResponseRedirect(leads_to)
    request.session.cycle_key()
    until = time.time() + PATIENCE
    request.session[HALF_WAY] = asdict(HalfWay(user.pk, user.get_session_auth_hash(), backend, leads_to, until))
    return redirect("sign-in-code")


def waiting(request: HttpRequest) -> tuple[User, HalfWay] | None:
    """Who owes this browser's session a code; None once ten minutes, the password or the factor have passed."""
    kept = request.session.get(HALF_WAY)
    if not isinstance(kept, dict):
        return None
    half = HalfWay(**kept)
    user = User.objects.filter(pk=half.user_id, is_active=True).first()
    if user is None or half.until < time.time():
        return None
    fresh = constant_time_compare(user.get_session_auth_hash(), half.session_hash)
    return (user, half) if fresh else None


def finish(request: HttpRequest, user: User, half: HalfWay, code: str) -> HttpResponse:
    """Open the session for the right code; raises WrongCode."""
    second_factor.check(user, code, Actor(kind="session", user=user, address=client_address(request)))
    del request.session[HALF_WAY]
    login(request, user, backend=half.backend)
    return HttpResponseRedirect(half.leads_to)
