"""What the profile pages share: only people who are signed in, and refusals shown in the form they belong to."""

from collections.abc import Callable
from typing import TypeVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from accounts import auditing
from accounts.actors import Actor
from accounts.errors import Forbidden, RegistryError, Unauthenticated
from accounts.models import User

Made = TypeVar("Made")


def person(request: HttpRequest) -> tuple[User, Actor]:
    """Who is signed in, as user and as actor; tokens have no profile pages."""
    actor: Actor = request.actor  # type: ignore[attr-defined]  # set by the middleware
    if actor.kind != "session" or actor.user is None:
        raise Unauthenticated("Sign in to see your profile.")
    return actor.user, actor


def attempt(request: HttpRequest, form: forms.Form, activity: Callable[[], Made]) -> Made | None:
    """What the activity makes; a refusal is shown at the field it names and leaves None."""
    try:
        return activity()
    except RegistryError as refusal:
        note(request, refusal)
        field = next((name for name in refusal.details if name in form.fields), None)
        form.add_error(field, refusal.message)
    return None


def own_page(request: HttpRequest) -> str:
    """Where the person was on the way to (`next`), if it is a page of ours; else ""."""
    wanted = str(request.POST.get("next", "") or request.GET.get("next", ""))
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else ""


def carry_out(request: HttpRequest, activity: Callable[[], object], done: str) -> None:
    """Do what one button asks for, and say how it went on the page that follows."""
    try:
        activity()
    except RegistryError as refusal:
        note(request, refusal)
        messages.error(request, refusal.message)
    else:
        messages.success(request, done)


def note(request: HttpRequest, refusal: RegistryError) -> None:
    """A write that was refused for lack of permission is an audit event."""
    if isinstance(refusal, Forbidden):
        actor: Actor = request.actor  # type: ignore[attr-defined]  # set by the middleware
        auditing.refused("web.post", request.path, actor, refusal)
