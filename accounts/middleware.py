"""What every request passes: paths whose names hold an encoded slash, and the question who is asking."""

from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject

from accounts import asking
from accounts.actors import Actor
from accounts.errors import RegistryError
from accounts.web import errors as refusals

Answer = Callable[[HttpRequest], HttpResponseBase]


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
        raw = request.META.get("RAW_URI") or request.META.get("REQUEST_URI") or ""
        if "%" in raw:
            path = raw.partition("?")[0].partition("#")[0]
            if "%" in path:
                request.path_info = _decoded_once(_below_script_name(_origin_form(path), request))
        elif "%" in request.path_info:
            raise Http404("No name contains a percent sign.")
        return self.get_response(request)


class WhoIsAsking:
    """Set `request.actor`, found when first looked at, so that an anonymous page costs no query for it."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Promise the actor; a bad credential raises where the actor is first needed."""
        request.actor = SimpleLazyObject(lambda: asking.actor_of(request))  # type: ignore[attr-defined]  # see AskedRequest
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Translate a refusal that left a page's view; the API's own views have translated theirs before."""
        return refusals.answer(request, exception) if isinstance(exception, RegistryError) else None


def _decoded_once(path: str) -> str:
    """Each segment decoded, with `%2F` put back where a slash came out."""
    return "/".join(_segment(part) if "%" in part else part for part in path.split("/"))


def _segment(encoded: str) -> str:
    """One segment of the path, decoded from UTF-8 once."""
    try:
        decoded = unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError as error:
        raise Http404("The path is not UTF-8.") from error
    if "%" in decoded or "\x00" in decoded:
        raise Http404("No name contains a percent sign or NUL.")
    if decoded in (".", "..") or {".", ".."} & set(decoded.split("/")):
        raise Http404("Encoded dot segments lead nowhere.")
    return decoded.replace("/", "%2F")


def _origin_form(uri: str) -> str:
    """The path of a request target, which proxies may send with scheme and host."""
    if uri.startswith("/"):
        return uri
    rest = uri.partition("://")[2]
    return "/" + rest.partition("/")[2]


def _below_script_name(path: str, request: HttpRequest) -> str:
    """The path without the prefix that the portal is mounted at."""
    prefix = str(request.META.get("SCRIPT_NAME", ""))
    return path[len(prefix) :] if prefix and path.startswith(prefix) else path
