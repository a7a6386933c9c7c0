"""`/profile/tokens`: make a token, see it once, take it back."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import notices, tokens
from accounts.actors import Actor
from accounts.models import ApiToken, User
from accounts.web.doors import attempt, carry_out, person
from accounts.web.forms import NewTokenForm

SHOWN_ENDED = 20


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens_page(request: HttpRequest) -> HttpResponse:
    """The person's tokens, and the form for another one; the answer to the form is the only page with its value."""
    user, actor = person(request)
    form = NewTokenForm(user, request.POST or None)
    issued = _issue(request, form, user, actor) if request.method == "POST" and form.is_valid() else None
    live = [(token, notices.ends_soon(token)) for token in _live(user)]
    context = {
        "tab": "tokens",
        "form": form if issued is None else NewTokenForm(user),
        "issued": issued[0] if issued else None,
        "raw": issued[1] if issued else "",
        "live": live,
        "ending": [token for token, ends_soon in live if ends_soon and token.successor_id is None],
        "ended": _ended(user),
    }
    return render(request, "accounts/tokens.html", context, status=400 if form.is_bound and issued is None else 200)


@require_POST
def revoke(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """Stop a token of one's own."""
    user, actor = person(request)
    token = get_object_or_404(ApiToken, pk=token_id, user=user)
    carry_out(
        request,
        lambda: tokens.revoke(token, actor, "revoked on the profile page"),
        _("“%(name)s” works no more.") % {"name": token.name},
    )
    return redirect("tokens")


def _issue(request: HttpRequest, form: NewTokenForm, user: User, actor: Actor) -> tuple[ApiToken, str] | None:
    wanted = form.cleaned_data
    return attempt(
        request,
        form,
        lambda: tokens.issue(
            user,
            wanted["name"],
            wanted["scopes"],
            project=wanted["project"],
            days=wanted["days"],
            actor=actor,
        ),
    )


def _live(user: User) -> list[ApiToken]:
    return list(ApiToken.objects.live().filter(user=user).select_related("project"))


def _ended(user: User) -> list[ApiToken]:
    """Tokens that were revoked or have expired, the newest few."""
    live = ApiToken.objects.live().filter(user=user).values("pk")
    return list(ApiToken.objects.filter(user=user).exclude(pk__in=live).select_related("project")[:SHOWN_ENDED])
