"""Signing in and out."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import github, users
from accounts.models import User
from accounts.signing_in import BY_PASSWORD
from accounts.web.doors import attempt, person
from accounts.web.entering import enter
from accounts.web.forms import SignInForm


class SignIn(LoginView):
    """`/sign-in`: Django's view, which keeps `next` on this site, and a second step for those who want one."""

    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    http_method_names = ["get", "head", "post", "options"]  # Django's view would take PUT for POST
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """The password was right."""
        user = form.get_user()
        assert isinstance(user, User)
        return enter(self.request, user, BY_PASSWORD, self.get_success_url())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the other way in, where there is one."""
        return super().get_context_data(github_is_configured=github.is_configured(), **kwargs)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; a POST, so that no link or picture can do it."""
    logout(request)
    return redirect("home")


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """`/profile/password`: needs the old one, if there is one; every other session of the person ends."""
    user, actor = person(request)
    form_class = PasswordChangeForm if user.has_usable_password() else SetPasswordForm
    form = form_class(user, request.POST or None)
    form.label_suffix = ""
    if form.is_valid():
        wanted = form.cleaned_data["new_password1"]
        if changed := attempt(request, form, lambda: users.change_password(user, wanted, actor)):
            update_session_auth_hash(request, changed)
            messages.success(request, _("Your password is changed. Other browsers have to sign in again."))
            return redirect("tokens")
    return render(request, "accounts/password.html", {"form": form}, status=400 if form.is_bound else 200)
