"""Signing in and out."""

from django.contrib.auth import logout
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.web.forms import SignInForm


class SignIn(LoginView):
    """`/sign-in`: Django's view, which keeps `next` on this site; the audit trail hears of it through the signal."""

    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; a POST, so that no link or picture can do it."""
    logout(request)
    return redirect("home")
