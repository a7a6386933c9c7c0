"""The base of every page: knows its actor, and translates refusals into pages that say what to do next."""

from http import HTTPStatus
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views import View

from accounts.actors import Actor
from registry.errors import Conflict, Forbidden, Gone, InvalidInput, NotFound, RegistryError, Unauthenticated

STATUS = {InvalidInput: 400, Forbidden: 403, NotFound: 404, Conflict: 409, Gone: 410}
TEMPLATES = {400: "errors/400.html", 403: "errors/403.html", 404: "errors/404.html"}
SLASH = "%2F"


class Page(View):
    """A page of the catalogue: reads input, calls activities, renders `template`."""

    template = ""

    @property
    def actor(self) -> Actor:
        """Who asks. A licence key opens packages to installers; on pages, which people read, it opens nothing."""
        found: Actor = self.request.actor  # type: ignore[attr-defined]  # set by WhoIsAsking
        return Actor(address=found.address) if found.entitlements else found

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, or explain the refusal; who must sign in first comes back afterwards."""
        try:
            return super().dispatch(request, *args, **kwargs)
        except Unauthenticated:
            return redirect_to_login(request.get_full_path() if request.method == "GET" else request.path)
        except RegistryError as refusal:
            return explain_refusal(request, refusal)

    def show(self, status: int = 200, **context: Any) -> HttpResponse:
        """The page, with what the view found."""
        return render(self.request, self.template, context, status=status)


def explain_refusal(request: HttpRequest, refusal: RegistryError) -> HttpResponse:
    """The designed page of the refusal, with its own sentence."""
    status = next((code for kind, code in STATUS.items() if isinstance(refusal, kind)), 400)
    context = {"status": status, "title": HTTPStatus(status).phrase, "sentence": refusal.message}
    return render(request, TEMPLATES.get(status, "errors/400.html"), context, status=status)


def plain_name(name: str) -> str:
    """A name as it stands in the address, its encoded slashes decoded."""
    return name.replace(SLASH, "/").replace(SLASH.lower(), "/")
