"""The base of every API view: reads input, calls one activity, answers."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import auditing
from accounts.actors import ANONYMOUS, Actor
from accounts.api.answers import DoorSchema
from accounts.api.authentication import SAFE_METHODS
from accounts.errors import Forbidden, RegistryError, Unauthenticated


class Door(APIView):
    """An API view that knows its actor, answers OPTIONS with a word, and notes refused writes in the audit trail."""

    is_public = False
    public_methods = ("GET",)
    schema = DoorSchema()

    @property
    def actor(self) -> Actor:
        """Who asks."""
        actor: Actor = self.request.actor  # type: ignore[attr-defined]  # WhoIsAsking set it on the request within
        return actor

    @property
    def noted_path(self) -> str:
        """The address as the audit trail keeps it; a door whose address holds a secret leaves that out."""
        return self.request.path

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer in English, whatever the browser prefers: one language for programs and their logs."""
        with translation.override("en"):
            return super().dispatch(request, *args, **kwargs)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Let parsers read chunked bodies, too: they come without a length, and the server marks their end."""
        made = super().initialize_request(request, *args, **kwargs)
        is_chunked = request.headers.get("Transfer-Encoding", "").lower() == "chunked"
        if is_chunked and request.META.get("wsgi.input_terminated"):
            made._stream = request.META["wsgi.input"]  # noqa: SLF001  # where DRF keeps what it will parse
        return made

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """What a door says nothing of is for nobody to keep: caches know no X-API-Key, and answers differ by it."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Which methods this address takes, in the header Allow."""
        return Response(status=204)

    def handle_exception(self, exc: Exception) -> Response:
        """Note a write that was refused for lack of permission, then answer it."""
        is_write = self.request.method not in SAFE_METHODS
        if is_write and isinstance(exc, Forbidden | Unauthenticated) and not exc.is_noted:
            self._note_refusal(exc, self.actor if self._credential_is_good() else ANONYMOUS)
        return super().handle_exception(exc)

    def _note_refusal(self, refusal: RegistryError, actor: Actor) -> None:
        action = f"api.{(self.request.method or '').lower()}"
        with transaction.atomic():
            auditing.refused(action, self.noted_path, actor, refusal)

    def _credential_is_good(self) -> bool:
        """Whether the refusal came after the actor was known, and not from the credential itself."""
        try:
            return bool(self.actor.kind)
        except RegistryError:
            return False
