"""Where a request comes from, as far as it can be believed, and under which address it found us."""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The peer's address, or the one that the outermost of TRUSTED_PROXIES proxies saw; "" if there is none."""
    return address_in(request.META)


def address_in(meta: Mapping[str, Any]) -> str:
    """The same of a request's headers, as WSGI names them."""
    peer = str(meta.get("REMOTE_ADDR", ""))
    hops = settings.TRUSTED_PROXIES
    if not hops:
        return _address(peer)
    told = str(meta.get("HTTP_X_FORWARDED_FOR", ""))
    path = [_address(part) for part in told.split(",") if part.strip()] + [_address(peer)]
    # Each trusted proxy appends whom it saw; what stands further left the client wrote itself.
    return path[max(0, len(path) - 1 - hops)]


def origin_of(request: HttpRequest) -> str:
    """Scheme and host that people reach the portal under: PUBLIC_URL, else those of the request."""
    return settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")


@lru_cache(maxsize=4096)
def _address(text: str) -> str:
    """The address without port, brackets or zone, in its one spelling; "" for anything else."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        return str(ipaddress.ip_address(bare.partition("%")[0]))
    except ValueError:
        return ""
