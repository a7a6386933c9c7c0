"""Refusals on pages: the one place where the errors of activities become answers to browsers."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from accounts.api import errors as api_errors
from accounts.errors import RegistryError, Unauthenticated


def answer(request: HttpRequest, error: RegistryError) -> HttpResponse:
    """JSON for the API, the sign-in page for who is unknown, else a page that says what to do."""
    if api_errors.is_api(request):
        return api_errors.response(error)
    if isinstance(error, Unauthenticated) and request.method == "GET":
        return HttpResponseRedirect(f"{reverse('sign-in')}?{urlencode({'next': request.get_full_path()})}")
    status = api_errors.status_of(error)
    return render(request, "accounts/refused.html", {"error": error, "status": status}, status=status)
