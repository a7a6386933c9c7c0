"""`/sign-in/terminal/…`: a person lets a terminal have a token, or sends it away."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import tokens, web_login
from accounts.errors import Forbidden
from accounts.web.doors import note, person


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def terminal(request: HttpRequest, login_id: UUID) -> HttpResponse:
    """Show the code that the terminal shows, and do what the person says; nothing happens without the button."""
    _user, actor = person(request)
    row = web_login.find(login_id)
    state = "asked"
    if request.method == "POST":
        state = "confirmed" if "confirm" in request.POST else "refused"
        try:
            (web_login.confirm if state == "confirmed" else web_login.refuse)(row, actor)
        except Forbidden as refusal:
            note(request, refusal)
            raise
    context = {"login": row, "state": state, "days": tokens.DEFAULT_DAYS}
    return render(request, "accounts/terminal.html", context)
