"""The simple index: the list of projects, and the page of each."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from itertools import islice
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from rest_framework.request import Request

from accounts.actors import Actor
from accounts.api import errors
from registry import documents, ecosystems, resolving
from registry.api import caching
from registry.ecosystems.pypi_index import API_VERSION, JSON
from registry.errors import NotFound
from registry.protocols.indexes import VARY, Wanted, index_answer
from registry.protocols.pypi.doors import PypiDoor
from registry.protocols.pypi.negotiating import OFFERED, Form, chosen

SERIAL = "X-PyPI-Last-Serial"
AT_ONCE = 2_000


class ProjectDoor(PypiDoor):
    """`/simple/{name}/`."""

    has_stored = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Whoever gets the stored document gets it before any framework machinery runs; the rest goes its way."""
        if request.method in ("GET", "HEAD"):
            base_address, form = self.address_for(request, kwargs), _form_for(request)
            if (elsewhere := _true_address(request, kwargs["name"], base_address)) is not None:
                return _moved(elsewhere)
            if form is None:
                return _not_acceptable()
            if (answer := self.stored(request, kwargs["name"])) is not None:
                return answer
        return super().dispatch(request, *args, **kwargs)

    @classmethod
    def wanted(cls, name: str, path: str, accept: str, query: Mapping[str, str]) -> Wanted | None:
        """The page, unless it is elsewhere, or wanted in a form that there is none of."""
        form = _form(accept, query)
        return Wanted("pypi", name, form.kind, form.content_type) if form and _is_normal(name, path) else None

    def get(self, request: Request, name: str) -> HttpResponseBase:
        """Every file that may be had; for the holder of a license key, those of the versions that it covers."""
        form = _form_for(request)
        assert form is not None  # `dispatch` has refused what takes none
        answer = index_answer(request, "pypi", name, form.kind, self.actor, self.base_address)
        if answer is None:
            raise NotFound(f"There is no index of {name}.")
        return _as(form, answer)


class ProjectsDoor(PypiDoor):
    """`/simple/`."""

    def get(self, request: Request) -> HttpResponseBase:
        """The names of all projects of which the caller may have something, as a stream; 304 while nothing changes."""
        if not request.path.endswith("/"):
            return _moved(f"{self.base_address}/simple/")
        form = _form_for(request)
        if form is None:
            return _not_acceptable()
        serial = documents.last_change()
        headers = {**caching.revalidated(self.actor), "Vary": VARY, SERIAL: str(serial)}
        if not self.actor.entitlements:  # what a license key opens changes without a change here
            headers["ETag"] = _etag(form, serial, self.actor)
            if caching.is_known(request, headers["ETag"]):
                return HttpResponse(status=304, headers=headers)
        if request.method == "HEAD":
            return HttpResponse(content_type=form.content_type, headers=headers)
        lines = _as_json if form.kind == JSON else _as_html
        body = lines(resolving.names("pypi", self.actor), serial)
        return StreamingHttpResponse(_in_blocks(body), content_type=form.content_type, headers=headers)


def _form_for(request: HttpRequest | Request) -> Form | None:
    return _form(request.headers.get("Accept", ""), request.GET)


def _form(accept: str, query: Mapping[str, str]) -> Form | None:
    """From `?format=` where it is given (PEP 691 lets servers do so), else from the Accept header."""
    wanted = query.get("format", "")
    return OFFERED.get(wanted) if wanted else chosen(accept)


def _is_normal(name: str, path: str) -> bool:
    """Whether the page is where it is asked for: the name in its normal form, a slash at the end."""
    return path.endswith("/") and ecosystems.get("pypi").normalize_name(name) == name


def _true_address(request: HttpRequest, name: str, base_address: str) -> str | None:
    """Where the page is, if not here."""
    normal = ecosystems.get("pypi").normalize_name(name)
    return None if _is_normal(name, request.path) else f"{base_address}/simple/{quote(normal)}/"


def _moved(address: str) -> HttpResponse:
    return HttpResponse(status=301, headers={"Location": address, "Cache-Control": "no-cache", "Vary": VARY})


def _not_acceptable() -> HttpResponse:
    said = errors.body(406, f"This index comes as {', '.join(OFFERED)}.", {"offered": list(OFFERED)})
    return errors.as_json(said, {"Vary": VARY, "Cache-Control": "no-store"})


def _as(form: Form, answer: HttpResponse) -> HttpResponse:
    """Under the name that the client asked for: HTML has two."""
    if answer.status_code == 200:
        answer.headers["Content-Type"] = form.content_type
    return answer


def _etag(form: Form, serial: int, actor: Actor) -> str:
    """The same list as long as nothing changes and the same projects are seen."""
    seen = f"{form}:{actor.sees_everything}:{sorted(actor.sees_private_of)}"
    return f'"{serial}-{hashlib.sha256(seen.encode()).hexdigest()[:24]}"'


# --- the list --------------------------------------------------------------------------------------------------------
def _as_json(names: Iterable[tuple[str, str]], serial: int) -> Iterator[str]:
    yield f'{{"meta":{{"api-version":"{API_VERSION}","_last-serial":{serial}}},"projects":['
    for number, (_, name) in enumerate(names):
        yield f'{"," if number else ""}{{"name":{json.dumps(name)}}}'
    yield "]}"


def _as_html(names: Iterable[tuple[str, str]], serial: int) -> Iterator[str]:
    yield "<!DOCTYPE html>\n<html>\n<head>\n"
    yield f'<meta name="pypi:repository-version" content="{API_VERSION}">\n<title>Simple index</title>\n'
    yield "</head>\n<body>\n"
    for normal, name in names:
        yield f'<a href="{quote(normal)}/">{escape(name)}</a><br>\n'
    yield "</body>\n</html>\n"


def _in_blocks(lines: Iterable[str]) -> Iterator[bytes]:
    rest = iter(lines)
    while block := "".join(islice(rest, AT_ONCE)):
        yield block.encode()
