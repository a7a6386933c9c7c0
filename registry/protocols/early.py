"""Stored indexes for nobody in particular, answered before sessions, languages and views are thought of.

Most of what package managers ask is this: an index that everybody sees, without a credential. It is counted and found
just as it would be further down (`stored_answer`), under the same headers; whatever else there is to it goes its way.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

from csp.constants import HEADER
from csp.utils import build_policy
from django.core.exceptions import DisallowedHost
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

from accounts import rate_limiting
from accounts.actors import Actor
from accounts.addresses import client_address
from accounts.asking import KEY_HEADERS
from accounts.middleware import path_as_written, tell_count
from registry.protocols.indexes import ClientDoor

BASES = ("/npm/", "/pypi/")
NAMING = frozenset({"HTTP_AUTHORIZATION", "HTTP_X_PROJECT_ID", *KEY_HEADERS})
LONGEST = 300  # characters of a path that is worth remembering


class StoredIndexes:
    """Middleware: the first after that which insists on TLS."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.policy = build_policy()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The stored index, or what the portal has to say otherwise."""
        is_meant = request.method == "GET" and request.path_info.startswith(BASES)
        answer = self._early(request) if is_meant and _names_nobody(request.META) else None
        return self.get_response(request) if answer is None else answer

    def _early(self, request: HttpRequest) -> HttpResponseBase | None:
        with suppress(Http404, DisallowedHost):
            request.get_host()
            path = path_as_written(request)
            place = _place(path) if len(path) <= LONGEST else None
            return self._stored(request, *place) if place is not None else None
        return None

    def _stored(
        self, request: HttpRequest, door: type[ClientDoor], asked: Mapping[str, Any]
    ) -> HttpResponseBase | None:
        actor = Actor(address=client_address(request))
        request.actor = actor  # type: ignore[attr-defined]  # as WhoIsAsking does
        answer = door().stored(request, asked)
        if answer is None:
            return None
        count = rate_limiting.count(actor)
        if count.is_exceeded:  # and is refused further down, where it counts once more to no effect
            return None
        tell_count(answer, count)
        answer.headers["Content-Length"] = str(len(answer.content))
        answer.headers["X-Frame-Options"] = "DENY"
        answer.headers[HEADER] = self.policy
        return answer


def _names_nobody(meta: Mapping[str, Any]) -> bool:
    """Whether there is neither credential nor session nor project; an empty credential is a wrong one."""
    return not meta.get("HTTP_COOKIE") and not meta.keys() & NAMING


@lru_cache(maxsize=4096)
def _place(path: str) -> tuple[type[ClientDoor], dict[str, Any]] | None:
    """The door of an index and what of it is asked for, by the URL table; None for what is behind a project's base."""
    try:
        found = resolve(path)
    except Resolver404:
        return None
    door = getattr(found.func, "cls", None)
    if not (isinstance(door, type) and issubclass(door, ClientDoor) and door.has_stored):
        return None
    return None if "project" in found.kwargs else (door, found.kwargs)
