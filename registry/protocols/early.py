"""Stored indexes, answered before a request of Django is made of them: to nobody in particular, to tokens and to keys.

Most of what package managers ask is this: an index that is stored as bytes. Who asks, what they see and what of their
limit is left are found by the same words as further down (`asking.holder_of`, `indexes.stored_document`,
`rate_limiting.count`), and the answer is the same to the byte; whatever else there is to a request goes its way.
Nothing of a caller is remembered: a token is one query, the document another.
"""

import time
from collections.abc import Iterable
from functools import lru_cache
from io import BytesIO
from typing import NamedTuple
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIRequest
from django.db import InterfaceError, OperationalError, connections
from django.http import Http404, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import Resolver404, resolve

from accounts import asking, notices, rate_limiting
from accounts.actors import Actor
from accounts.addresses import address_in, origin_of
from accounts.errors import RegistryError
from accounts.middleware import CLIENT_PATHS, told_of, written_path
from registry.api import caching
from registry.documents import Stored
from registry.protocols import indexes
from registry.protocols.indexes import ClientDoor, Wanted

READING = frozenset({"GET", "HEAD"})
LONGEST = 400  # characters of a target and an Accept header that are worth remembering
CREDENTIALS = frozenset({"HTTP_AUTHORIZATION", "HTTP_X_PROJECT_ID", *asking.KEY_HEADERS})
# What Django makes of scheme and host.
ADDRESSED = (
    *("HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme"),
    *("HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT"),
)


class Place(NamedTuple):
    """What stands at an address: a document, below the base of a project or of all."""

    wanted: Wanted
    project: str | None
    base: str


class Frame(NamedTuple):
    """What is the same for all answers under a host: how clients reach it, and what browsers may do."""

    origin: str
    headers: tuple[tuple[str, str], ...]


class StoredIndexes:
    """WSGI middleware around the portal."""

    def __init__(self, portal: WSGIApplication) -> None:
        self.portal = portal

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The stored index, or what the portal has to say otherwise."""
        if environ.get("PATH_INFO", "").startswith(CLIENT_PATHS) and environ.get("REQUEST_METHOD") in READING:
            answer = _early(environ)
            if answer is not None:
                status, headers, body = answer
                start_response(status, headers)
                return [body]
        return self.portal(environ, start_response)


def _early(environ: WSGIEnvironment) -> tuple[str, list[tuple[str, str]], bytes] | None:
    """Status, headers and body; None for what is not so simple, or is to be refused."""
    if environ.get("QUERY_STRING") or environ.get("HTTP_COOKIE") or environ.get("SCRIPT_NAME"):
        return None
    target, accept = environ.get("RAW_URI") or environ.get("REQUEST_URI") or "", environ.get("HTTP_ACCEPT", "")
    if len(target) + len(accept) > LONGEST:
        return None
    place = _place(target, environ["PATH_INFO"], accept)
    frame = _frame(tuple(map(environ.get, ADDRESSED)), tuple(settings.ALLOWED_HOSTS), settings.PUBLIC_URL)
    if place is None or frame is None:
        return None
    _renew_connection()
    try:
        actor = _asker(environ, place.project)
        stored = indexes.stored_document(place.wanted, actor) if actor is not None else None
    except (RegistryError, OperationalError, InterfaceError):
        return None
    if actor is None or stored is None:
        return None
    count = rate_limiting.count(actor)
    if count.is_exceeded:  # and is refused further down, where it counts once more to no effect
        return None
    more = {**told_of(count), **notices.headers(actor)}
    return _answer(environ, place, frame, actor, stored, more)


def _answer(
    environ: WSGIEnvironment, place: Place, frame: Frame, actor: Actor, stored: Stored, more: dict[str, str]
) -> tuple[str, list[tuple[str, str]], bytes]:
    told = {"ETag": stored.etag, **indexes.told_with(stored.notice, actor), **more}
    if caching.names(environ.get("HTTP_IF_NONE_MATCH"), stored.etag):
        status, body, content_type = "304 Not Modified", b"", f"text/html; charset={settings.DEFAULT_CHARSET}"
    else:
        status, body = "200 OK", indexes.placed(stored.body, frame.origin + place.base)
        content_type = place.wanted.content_type or stored.content_type
    headers = [("Content-Type", content_type), ("Content-Length", str(len(body))), *told.items(), *frame.headers]
    return status, headers, body


def _asker(environ: WSGIEnvironment, named: str | None) -> Actor | None:
    """Who asks, by token or key, or nobody; None for who is refused. Raises what `asking.holder_of` raises."""
    if environ.keys() & CREDENTIALS:
        slug = asking.slug_among(environ.get("HTTP_X_PROJECT_ID"), named)
        if (actor := asking.holder_of(environ, environ["PATH_INFO"], slug)) is not None or slug is not None:
            return actor
    elif named is not None:
        return None
    return Actor(address=address_in(environ))


@lru_cache(maxsize=4096)
def _place(target: str, path: str, accept: str) -> Place | None:
    """What stands at the path, which the server has decoded from the target, by the URL table; None for the rest."""
    try:
        found = resolve(written_path(target, path)) if path.isascii() else None
    except (Http404, Resolver404):
        return None
    door = getattr(found and found.func, "cls", None)
    if found is None or not (isinstance(door, type) and issubclass(door, ClientDoor)):
        return None
    wanted, project = door.wanted(found.kwargs["name"], path, accept, {}) if door.has_stored else None, None
    if asking.NAMING_PROJECTS.match(path) or "project" in found.kwargs:
        project = asking.named_by(path)
    if wanted is None or project != found.kwargs.get("project"):
        return None
    return Place(wanted, project, door.base_for(project))


@lru_cache(maxsize=256)
def _frame(addressed: tuple[str | None, ...], allowed: tuple[str, ...], public_url: str) -> Frame | None:
    """By the middlewares that are to be passed otherwise; None for a host that is not ours, and for a redirect.

    The settings are named so that an answer ends with them.
    """
    given = {name: value for name, value in zip(ADDRESSED, addressed, strict=True) if value is not None}
    request = WSGIRequest({"REQUEST_METHOD": "GET", "PATH_INFO": CLIENT_PATHS[0], "wsgi.input": BytesIO(), **given})
    answered = SecurityMiddleware(CSPMiddleware(XFrameOptionsMiddleware(lambda _: HttpResponse())))
    try:
        answer = answered(request)
        request.get_host()
        origin = origin_of(request)
    except DisallowedHost:
        return None
    if not isinstance(answer, HttpResponse) or answer.status_code != 200:
        return None
    return Frame(origin, tuple((name, value) for name, value in answer.items() if name != "Content-Type"))


def _renew_connection() -> None:
    """Close a database connection that is old enough, as Django does before a request.

    One that has died is not asked for first: the query tells, and then the portal opens another one.
    """
    connection = connections["default"]
    if connection.close_at is not None and not connection.in_atomic_block and time.monotonic() >= connection.close_at:
        connection.close()
    connection.health_check_done = True  # type: ignore[attr-defined]  # Django has it, its stubs do not
