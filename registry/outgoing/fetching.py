"""One request and its answer, redirects followed by hand."""

import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import urljoin

from registry.outgoing import addresses
from registry.outgoing.addresses import Allowance, NotAllowed, Place, Resolver
from registry.outgoing.answers import Answer
from registry.outgoing.connecting import Clock, Connection, Unreachable

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 3
AGENT = "codesync-registry"


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to connect, between two pieces and for everything; bytes of the body, packed and unpacked."""

    connect: float = 10.0
    read: float = 30.0
    total: float = 900.0
    size: int = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask for. `credentials` are headers for the first origin alone; `etag` and `modified` ask for news."""

    url: str
    method: str = "GET"
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""
    modified: str = ""
    allowance: Allowance = addresses.NOTHING
    limits: Limits = Limits()

    def header_lines(self, place: Place) -> dict[str, str]:
        """Every header, as it is sent to that place."""
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {
            "Host": place.authority,
            "User-Agent": AGENT,
            "Accept-Encoding": "gzip",
            "Connection": "close",
            **{name: value for name, value in asked.items() if value},
            **self.headers,
            **self.credentials,
        }


@contextmanager
def opened(request: Request, resolver: Resolver = addresses.system_resolver) -> Iterator[Answer]:
    """The answer to the request, of whatever status, open as long as the block lasts.

    GET and HEAD follow up to three redirects, each looked at like the first address, never from https to http; the
    credentials stay behind when the origin changes. Raises NotAllowed, Unreachable (or another Unavailable), TooMuch.
    """
    clock = Clock(request.limits.read, request.limits.total)
    place = addresses.read(request.url, request.allowance)
    for _ in range(MOST_REDIRECTS + 1):
        connection = _connection(place, request, clock, resolver)
        try:
            response = _ask(connection, place, request)
            location = response.headers.get("Location")
            if response.status not in REDIRECTS or not location or request.method not in ("GET", "HEAD"):
                yield Answer(response, place.url, request.limits.size)
                return
        finally:
            connection.hang_up()
        place, request = _next(place, location, request)
    raise Unreachable(f"The server redirects more than {MOST_REDIRECTS} times.")


def _connection(place: Place, request: Request, clock: Clock, resolver: Resolver) -> Connection:
    found = addresses.resolve(place, request.allowance, resolver)
    return Connection(place, found, clock, request.limits.connect)


def _ask(connection: Connection, place: Place, request: Request) -> http.client.HTTPResponse:
    try:
        connection.request(request.method, place.target, request.body, request.header_lines(place))
        return connection.getresponse()
    except TimeoutError:
        raise Unreachable(f"{place.host} did not answer in time.") from None
    except ssl.SSLCertVerificationError as problem:
        raise Unreachable(f"The certificate of {place.host} is not good: {problem.verify_message}.") from None
    except (OSError, http.client.HTTPException) as problem:
        raise Unreachable(f"{place.host} does not answer ({type(problem).__name__}).") from problem


def _next(place: Place, location: str, request: Request) -> tuple[Place, Request]:
    """Where the redirect leads, and the request without what must not go there."""
    try:
        url = urljoin(place.url, location)
    except ValueError:
        raise NotAllowed("The server redirects to something that is no URL.") from None
    onward = addresses.read(url, request.allowance)
    if place.scheme == "https" and onward.scheme == "http":
        raise NotAllowed("The server redirects from https to http.")
    return onward, request if onward.origin == place.origin else replace(request, credentials={})
