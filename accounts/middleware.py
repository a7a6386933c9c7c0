"""What every request passes: paths whose names hold an encoded slash, and the question who is asking."""

from collections.abc import Callable
from contextlib import suppress
from urllib.parse import unquote_to_bytes

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.functional import SimpleLazyObject

from accounts import asking, notices, rate_limiting
from accounts.actors import Actor
from accounts.addresses import client_address
from accounts.api.errors import API_PATHS
from accounts.errors import RegistryError
from accounts.web import errors as refusals

Answer = Callable[[HttpRequest], HttpResponseBase]
CLIENT_PATHS = ("/npm/", "/pypi/")  # the bases that package managers are configured with


class AskedRequest(HttpRequest):
    """A request that has passed WhoIsAsking; for annotations of views."""

    actor: Actor


class EncodedSlashes:
    """Keep `%2F` inside its path segment: `@scope%2Fname` is one segment for the URL table, as it is for clients.

    A segment of `request.path_info` then holds the literal text `%2F` where the client encoded a slash. Names never
    contain a percent sign, so what would decode to one (`%252F`) is not found, nor are encoded dot segments.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Restore the path as the client wrote it, if it wrote anything encoded at all."""
        request.path_info = path_as_written(request)
        return self.get_response(request)


class WhoIsAsking:
    """Set `request.actor`, found when first looked at, so that an anonymous page costs no query for it."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Promise the actor, and tell a token when it ends; a bad credential raises where it is first needed."""
        known: list[Actor] = []

        def ask() -> Actor:
            known.append(asking.actor_of(request))
            return known[-1]

        request.actor = SimpleLazyObject(ask)  # type: ignore[attr-defined]  # see AskedRequest
        response = self.get_response(request)
        for name, value in notices.headers(known[-1]).items() if known else ():
            response.headers[name] = value
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Translate a refusal that left a page's view; the API's own views have translated theirs before."""
        return refusals.answer(request, exception) if isinstance(exception, RegistryError) else None


class Languages(LocaleMiddleware):
    """Django's, for people: what package managers are told is in English, whatever else their machines speak."""

    def process_request(self, request: HttpRequest) -> None:
        """Activate the language of the answer."""
        if not request.path_info.startswith(CLIENT_PATHS):
            super().process_request(request)
            return
        translation.activate("en")
        request.LANGUAGE_CODE = "en"

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Name the language, and that the answer depends on what the browser prefers, where it does."""
        if request.path_info.startswith(CLIENT_PATHS):
            return response
        return super().process_response(request, response)


class RateLimits:
    """Count API requests per project tier or per anonymous address, and say on every answer what is left.

    A bad credential counts against the address, so that guessing is as slow as asking without one.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, or 429 with Retry-After once the window is used up."""
        if not request.path_info.startswith(API_PATHS):
            return self.get_response(request)
        count = rate_limiting.count(_known_actor(request))
        response = refusals.answer(request, _too_many(count)) if count.is_exceeded else self.get_response(request)
        for name, value in told_of(count).items():
            response.headers[name] = value
        return response


def path_as_written(request: HttpRequest) -> str:
    """The path with `%2F` where the client encoded a slash; raises Http404 for what no name contains."""
    raw = request.META.get("RAW_URI") or request.META.get("REQUEST_URI") or ""
    return written_path(raw, request.path_info, str(request.META.get("SCRIPT_NAME", "")))


def written_path(raw: str, path: str, prefix: str = "") -> str:
    """The same of a request target, the path that the server has decoded, and the prefix of the portal."""
    if "%" in raw:
        target = raw.partition("?")[0].partition("#")[0]
        if "%" in target:
            return _decoded_once(_below(prefix, _origin_form(target)))
    elif "%" in path:
        raise Http404("No name contains a percent sign.")
    return path


def told_of(count: rate_limiting.Count) -> dict[str, str]:
    """The headers that say what is left of the window."""
    told = {}
    if count.limit:
        told["X-RateLimit-Limit"] = str(count.limit)
        told["X-RateLimit-Remaining"] = str(count.remaining)
        told["X-RateLimit-Reset"] = str(count.reset)
    if count.is_exceeded:
        told["Retry-After"] = str(count.seconds_left)
    return told


def _known_actor(request: HttpRequest) -> Actor:
    """The actor, or nobody from this address where the credential is not good."""
    with suppress(RegistryError):
        actor: Actor = request.actor  # type: ignore[attr-defined]  # see AskedRequest
        if actor.kind:  # which finds out who it is
            return actor
    return Actor(address=client_address(request))


def _too_many(count: rate_limiting.Count) -> rate_limiting.RateLimited:
    """The refusal that says how long to wait."""
    return rate_limiting.RateLimited(
        f"That was more than {count.limit} requests. Wait {count.seconds_left} seconds, then go on more slowly.",
        details={"limit": [str(count.limit)], "reset": [str(count.reset)]},
    )


def _decoded_once(path: str) -> str:
    """Each segment decoded, with `%2F` put back where a slash came out."""
    try:
        # Servers hand over the bytes of the request line as Latin-1 (PEP 3333).
        return "/".join(_segment(part) for part in path.encode("latin-1").split(b"/"))
    except UnicodeError as error:
        raise Http404("The path is not UTF-8.") from error


def _segment(encoded: bytes) -> str:
    """One segment of the path, decoded from UTF-8 once."""
    decoded = unquote_to_bytes(encoded).decode()
    if "%" in decoded or "\x00" in decoded:
        raise Http404("No name contains a percent sign or NUL.")
    if b"%" in encoded and {".", ".."} & set(decoded.split("/")):
        raise Http404("Encoded dot segments lead nowhere.")
    return decoded.replace("/", "%2F")


def _origin_form(uri: str) -> str:
    """The path of a request target, which proxies may send with scheme and host."""
    if uri.startswith("/"):
        return uri
    rest = uri.partition("://")[2]
    return "/" + rest.partition("/")[2]


def _below(prefix: str, path: str) -> str:
    """The path without the prefix that the portal is mounted at."""
    return path[len(prefix) :] if prefix and path.startswith(prefix) else path
