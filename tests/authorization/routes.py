"""Every address of the portal, from its URL configuration."""

import re
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
BASES = ("api/v1/", "v1/")
# The products API stands at the root, since its clients expect it there.
PRODUCTS = ("register", "fetch/", "prune/", "product/")
# Package managers are given a base address of their own; what their doors open is shown in tests/protocols.
CLIENTS = ("npm/", "pypi/", "-/", "_/")


def table() -> dict[str, URLPattern]:
    """Route to pattern, in the order in which addresses are tried."""
    found: dict[str, URLPattern] = {}
    for route, pattern in _walk(get_resolver().url_patterns, ""):
        found.setdefault(route, pattern)
    return found


def below(prefix: str) -> dict[str, URLPattern]:
    """The routes that begin so, without the beginning."""
    return {route.removeprefix(prefix): one for route, one in table().items() if route.startswith(prefix)}


def pages() -> dict[str, URLPattern]:
    """The routes for people, and the description of the API: no API, not the admin."""
    return {
        route: one for route, one in table().items() if not route.startswith((*BASES, *PRODUCTS, *CLIENTS, "admin/"))
    }


def products() -> dict[str, URLPattern]:
    """The routes of the products API."""
    return {route: one for route, one in table().items() if route.startswith(PRODUCTS)}


def fill(route: str, values: dict[str, Any]) -> str:
    """The route with its places taken; a place without a value is an error of the test."""
    return re.sub(r"<(?:[\w-]+:)?(\w+)>", lambda match: str(values[match[1]]), route)


def _walk(patterns: list[Any], prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for one in patterns:
        route = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _walk(one.url_patterns, route)
        else:
            yield route, one
