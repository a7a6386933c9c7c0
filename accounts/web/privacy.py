"""`/profile/privacy`: take one's data along, or leave for good."""

from django.contrib.auth import authenticate, logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import privacy
from accounts.models import User
from accounts.web.doors import attempt, person
from accounts.web.forms import LeavingForm


@never_cache
@require_safe
def privacy_page(request: HttpRequest) -> HttpResponse:
    """What is kept of a person, the download, and the form that ends the account."""
    user, _actor = person(request)
    return render(request, "accounts/privacy.html", {"tab": "privacy", "form": LeavingForm(user)})


@never_cache
@require_POST
def download(request: HttpRequest) -> HttpResponse:
    """Everything about the person as one JSON file; a POST, since the audit trail notes it."""
    user, actor = person(request)
    answer = JsonResponse(privacy.export(user, actor), json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return answer


@sensitive_post_parameters()
@never_cache
@require_http_methods(["POST"])
def leave(request: HttpRequest) -> HttpResponse:
    """Erase the person after one more look at their password, or at their name where GitHub signs them in."""
    user, actor = person(request)
    form = LeavingForm(user, request.POST)
    if form.is_valid() and _is_sure(request, user, form):
        gone = attempt(request, form, lambda: privacy.erase(user, actor))
        if gone is not None:
            logout(request)
            return redirect("home")
    return render(request, "accounts/privacy.html", {"tab": "privacy", "form": form}, status=400)


def _is_sure(request: HttpRequest, user: User, form: LeavingForm) -> bool:
    """Whether it is the person's password, or their name if they have none; wrong passwords count as ever."""
    wanted = form.cleaned_data
    if "username" in wanted:
        if wanted["username"] == user.username:
            return True
        form.add_error("username", _("This is not your user name. Nothing was deleted."))
    elif authenticate(request, username=user.username, password=wanted["password"]) == user:
        return True
    else:
        form.add_error("password", _("This is not your password. Nothing was deleted."))
    return False
