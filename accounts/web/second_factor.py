"""`/sign-in/code` and `/profile/security`: show a code, set a second factor up, see what signs one in."""

import qrcode
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from qrcode.image.svg import SvgPathImage

from accounts import github, second_factor
from accounts.models import User
from accounts.web import entering
from accounts.web.doors import attempt, own_page, person
from accounts.web.forms import CodeForm, ProofForm

PENDING = "second_factor_to_be"


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def enter_code(request: HttpRequest) -> HttpResponse:
    """The second step of signing in; whoever has not taken the first one is sent there."""
    found = entering.waiting(request)
    if found is None or request.user.is_authenticated:
        return redirect("sign-in")
    form = CodeForm(request.POST or None)
    form.fields["code"].widget.attrs["autofocus"] = True
    if form.is_valid():
        done = attempt(request, form, lambda: entering.finish(request, *found, form.cleaned_data["code"]))
        if done is not None:
            return done
    return render(request, "accounts/sign_in_code.html", {"form": form}, status=400 if form.is_bound else 200)


@never_cache
@require_safe
def security_page(request: HttpRequest) -> HttpResponse:
    """What signs the person in: password, GitHub, second factor."""
    user, _actor = person(request)
    return _security(request, user, CodeForm())


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """A picture to scan and a code to prove it with; the answer to the right one is the only page with the codes."""
    user, actor = person(request)
    if user.second_factor_since is not None:
        return redirect("security")
    sealed = request.session.setdefault(PENDING, second_factor.new_secret())
    form = ProofForm(request.POST or None)
    if form.is_valid():
        code = form.cleaned_data["code"]
        codes = attempt(request, form, lambda: second_factor.switch_on(user, sealed, code, actor))
        if codes is not None:
            del request.session[PENDING]
            update_session_auth_hash(request, user)
            return _codes(request, codes)
    secret, address = second_factor.shown(sealed, user)
    context = {
        "tab": "security",
        "form": form,
        "secret": _grouped(secret),
        "picture": _picture(address),
        "next": own_page(request),
    }
    return render(request, "accounts/second_factor.html", context, status=400 if form.is_bound else 200)


@sensitive_post_parameters()
@never_cache
@require_POST
def renew_codes(request: HttpRequest) -> HttpResponse:
    """Ten new recovery codes; the old ones end."""
    user, actor = person(request)
    form = CodeForm(request.POST)
    if form.is_valid():
        codes = attempt(request, form, lambda: second_factor.renew_codes(user, form.cleaned_data["code"], actor))
        if codes is not None:
            return _codes(request, codes)
    return _security(request, user, form)


@sensitive_post_parameters()
@never_cache
@require_POST
def switch_off(request: HttpRequest) -> HttpResponse:
    """No second factor any more."""
    user, actor = person(request)
    form = CodeForm(request.POST)
    if form.is_valid():
        attempt(request, form, lambda: second_factor.switch_off(user, form.cleaned_data["code"], actor))
    if form.errors:
        return _security(request, user, form)
    update_session_auth_hash(request, user)
    messages.success(request, _("Your password alone signs you in again."))
    return redirect("security")


def _security(request: HttpRequest, user: User, form: CodeForm) -> HttpResponse:
    context = {
        "tab": "security",
        "form": form,
        "codes_left": second_factor.codes_left(user),
        "github": github.account_of(user),
        "github_is_configured": github.is_configured(),
        "has_password": user.has_usable_password(),
    }
    return render(request, "accounts/security.html", context, status=400 if form.is_bound else 200)


@sensitive_variables()
def _codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    """The recovery codes, this once."""
    context = {"tab": "security", "codes": codes, "next": own_page(request)}
    return render(request, "accounts/recovery_codes.html", context)


def _picture(address: str) -> SafeString:
    """The address as a QR code: one path of an inline SVG, without a style that our policy would refuse."""
    drawn: str = qrcode.make(address, image_factory=SvgPathImage, border=4).to_string(encoding="unicode")
    return mark_safe(drawn)  # noqa: S308  # numbers of our own making, drawn as a path


def _grouped(secret: str) -> str:
    """In fours, as people type it."""
    plain = secret.rstrip("=")
    return " ".join(plain[start : start + 4] for start in range(0, len(plain), 4))
