"""Who asks, as DRF wants to hear it: the middleware has found the actor, this guards sessions against forgery."""

from django.http import HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.request import Request

from accounts.actors import Actor
from accounts.errors import Forbidden

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class ActorAuthentication(BaseAuthentication):
    """Takes `request.actor`; writes through a session need the CSRF token, tokens do not."""

    def authenticate(self, request: Request) -> tuple[object, Actor] | None:
        """The user and the actor of the request, or None for nobody."""
        plain: HttpRequest = request._request  # noqa: SLF001  # DRF's own name for the request it wraps
        actor: Actor = plain.actor  # type: ignore[attr-defined]  # set by the middleware
        if actor.kind == "session" and plain.method not in SAFE_METHODS:
            self._enforce_csrf(plain)
        return None if actor.user is None else (actor.user, actor)

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return "Bearer"

    def _enforce_csrf(self, request: HttpRequest) -> None:
        # Django would parse the whole body to look for a form field; API clients send the header.
        request._post = QueryDict()  # type: ignore[attr-defined]  # noqa: SLF001  # where Django keeps a form it parsed
        request._files = MultiValueDict()  # type: ignore[attr-defined]  # noqa: SLF001  # and its files
        check = CSRFCheck(lambda _request: None)  # type: ignore[arg-type]  # as DRF itself uses it
        check.process_request(request)
        if reason := check.process_view(request, None, (), {}):  # type: ignore[arg-type]  # as DRF itself uses it
            raise Forbidden(
                "This came through a signed-in browser without its CSRF token. "
                "Send the header X-CSRFToken with the value of the cookie csrftoken, or use an API token.",
                code="csrf",
                details={"csrf": [str(reason)]},
            )
