"""`/sign-in/github`: leave for GitHub, come back, and connect or disconnect an account."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.socialaccount.providers.base import AuthProcess
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import auditing, github, rate_limiting
from accounts.actors import Actor
from accounts.addresses import client_address
from accounts.errors import RegistryError
from accounts.models import User
from accounts.signing_in import BY_GITHUB
from accounts.web import github_dialogue
from accounts.web.doors import carry_out, own_page, person
from accounts.web.entering import enter

# Each return asks GitHub three things; so many a quarter of an hour are allowed to one address.
RETURNS = rate_limiting.Rate(40, 15 * 60)
View = Callable[..., HttpResponse]


def where_configured(view: View) -> View:
    """404 while the portal has no credentials at GitHub."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not github.is_configured():
            raise Http404("Signing in with GitHub is not configured.")
        return view(request, *args, **kwargs)

    return guarded


@require_POST
@never_cache
@where_configured
def leave(request: HttpRequest) -> HttpResponse:
    """To GitHub, to be told who this is."""
    return _lead(request, AuthProcess.LOGIN, {"next": own_page(request)})


@require_POST
@never_cache
@where_configured
def connect(request: HttpRequest) -> HttpResponse:
    """To GitHub, to be told which account belongs to who is signed in."""
    user, _actor = person(request)
    return _lead(request, AuthProcess.CONNECT, {"for": user.pk})


@require_POST
def disconnect(request: HttpRequest) -> HttpResponse:
    """Sign in with GitHub no more."""
    user, actor = person(request)
    carry_out(request, lambda: github.unlink(user, actor), _("GitHub does not sign you in any more."))
    return redirect("security")


@require_safe
@never_cache
@where_configured
def come_back(request: HttpRequest) -> HttpResponse:
    """From GitHub, with a code and the state that this browser's session knows."""
    if rate_limiting.hit(f"github-from:{client_address(request)}", RETURNS).is_exceeded:
        return fail(request)
    return github_dialogue.callback(request)


def arrive(request: HttpRequest, profile: github.Profile, state: dict[str, Any]) -> HttpResponse:
    """GitHub has said who it is: sign them in, or connect the account to who is signed in."""
    data = state.get("data") or {}
    user = request.user if isinstance(request.user, User) else None
    connects = state.get("process") == AuthProcess.CONNECT
    if connects != (user is not None) or (user is not None and data.get("for") != user.pk):
        return fail(request)  # somebody signed in or out while the browser was away
    actor = Actor(kind="session", user=user, address=client_address(request)) if user else _stranger(request)
    try:
        if user is None:
            found = github.find_or_make(profile, actor)
            return enter(request, found, BY_GITHUB, data.get("next") or reverse("home"))
        github.link(user, profile, actor)
    except RegistryError as refusal:
        auditing.refused("github.linked" if user else "session.refused", "github", actor, refusal)
        messages.error(request, refusal.message)
        return redirect("security" if user else "sign-in")
    messages.success(request, _("From now on GitHub signs you in, too."))
    return redirect("security")


def fail(request: HttpRequest, *, was_cancelled: bool = False) -> HttpResponse:
    """Whatever went wrong: noted, said in one sentence, and nobody is signed in who was not."""
    actor: Actor = request.actor  # type: ignore[attr-defined]  # set by the middleware
    reason = {"by": "github", "reason": "cancelled" if was_cancelled else "failed"}
    auditing.record("session.refused", "user:unknown", actor, outcome="refused", details=reason)
    if was_cancelled:
        messages.warning(request, _("You told GitHub not to say who you are, so nothing has changed."))
    else:
        messages.error(request, _("GitHub did not tell us who you are. Try again, or sign in with your password."))
    return redirect("sign-in" if actor.is_anonymous else "security")


def _lead(request: HttpRequest, process: AuthProcess, data: dict[str, Any]) -> HttpResponse:
    """A page that leads on at once. A redirect would not do: our own policy lets no form end up elsewhere."""
    provider = github_dialogue.Dialogue(request).get_provider()
    address = provider.redirect(request, process=process, data=data).headers["Location"]
    return render(request, "accounts/to_github.html", {"address": address})


def _stranger(request: HttpRequest) -> Actor:
    """Nobody yet, from somewhere."""
    return Actor(address=client_address(request))
