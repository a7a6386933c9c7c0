"""Conditional answers: a strong entity tag, 304 where the client has these bytes already, and who may keep them."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

from accounts.actors import Actor
from accounts.api.rendering import dumps
from registry import documents

VARY = "Authorization, X-API-Key, X-Api-Token, X-Project-ID, Cookie"


def revalidated(actor: Actor) -> dict[str, str]:
    """Headers of what may be kept but must be asked for again: shared caches only hold what everybody sees."""
    scope = "public" if actor.is_anonymous else "private"
    return {"Cache-Control": f"{scope}, no-cache", "Vary": VARY}


def is_known(request: HttpRequest, etag: str) -> bool:
    """Whether If-None-Match names the tag."""
    return names(request.META.get("HTTP_IF_NONE_MATCH"), etag)


def names(given: str | None, etag: str) -> bool:
    """Whether the value of If-None-Match names the tag (weak comparison, RFC 9110 section 13.1.2)."""
    if not given:
        return False
    tags = [tag.removeprefix("W/") for tag in parse_etags(given)]
    return etag in tags or "*" in tags


def conditional(
    request: HttpRequest, body: bytes, etag: str, actor: Actor, content_type: str = "application/json"
) -> HttpResponse:
    """The bytes under their tag, or 304."""
    headers = {"ETag": etag, **revalidated(actor)}
    if is_known(request, etag):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(body, content_type, headers=headers)


def conditional_json(request: HttpRequest, data: Any, actor: Actor) -> HttpResponse:
    """The data as JSON under a tag of its bytes, or 304."""
    body = dumps(data)
    return conditional(request, body, documents.build_etag(body), actor)
