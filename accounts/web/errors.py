"""Refusals on pages: the one place where the errors of activities become answers to browsers."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from accounts.api import errors as api_errors
from accounts.errors import Forbidden, RegistryError, Unauthenticated


def answer(request: HttpRequest, error: RegistryError) -> HttpResponse:
    """JSON for the API, the sign-in page for who is unknown, else a page that says what to do."""
    if api_errors.is_api(request):
        return api_errors.response(error)
    if isinstance(error, Unauthenticated) and request.method == "GET":
        return HttpResponseRedirect(f"{reverse('sign-in')}?{urlencode({'next': request.get_full_path()})}")
    if error.code == "second_factor_missing" and request.method == "GET":
        return HttpResponseRedirect(f"{reverse('second-factor')}?{urlencode({'next': request.get_full_path()})}")
    status = api_errors.status_of(error)
    return render(request, "accounts/refused.html", {"error": error, "status": status}, status=status)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW: a form came without the secret that its page carries."""
    return answer(
        request,
        Forbidden(
            "This form was open too long, or your browser keeps no cookies for this site. "
            "Go back, reload the page and send it again.",
            code="csrf",
        ),
    )
