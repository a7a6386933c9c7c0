"""Every refusal, as the one JSON shape of the API: `{"error", "statusCode", "details"}`."""

import logging
import sys
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

import orjson
from django.core import exceptions as django_errors
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.utils.translation import gettext, gettext_noop
from rest_framework import exceptions as drf_errors
from rest_framework.response import Response

from accounts.errors import RegistryError

logger = logging.getLogger(__name__)

STATUS_OF_CODE = {
    "invalid": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "gone": 410,
    "too_large": 413,
    "unsupported_media_type": 415,
    "refused": 422,
    "rate_limited": 429,
    "unavailable": 503,
}
# English in the API, in the reader's language on pages
SENTENCES = {
    400: gettext_noop("This request cannot be understood. Check the address, the headers and the body."),
    403: gettext_noop("You may not do this."),
    404: gettext_noop("There is nothing here that you may see. Check the address, or sign in."),
    500: gettext_noop("Something broke on our side. Try again; if it stays, tell the people who run this portal."),
    503: gettext_noop("A part of this portal that is needed does not answer. Try again in a minute."),
}
BROKEN = {
    500: gettext_noop("Something broke on our side"),
    503: gettext_noop("Something does not answer at the moment"),
}
API_PATHS = ("/api/", "/v1/", "/product/", "/register", "/fetch/", "/prune/", "/npm/", "/pypi/", "/-/", "/_/")


def status_of(error: RegistryError) -> int:
    """The HTTP status of a refusal, from the `code` of its class or of the nearest known ancestor; else 422."""
    codes = (vars(cls).get("code") for cls in type(error).__mro__)
    return next((STATUS_OF_CODE[code] for code in codes if code in STATUS_OF_CODE), 422)


def body(status: int, message: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The one shape of an error."""
    return {"error": message, "statusCode": status, "details": dict(details or {})}


def body_of(error: RegistryError) -> dict[str, Any]:
    """The error shape of a refusal; a code that is more special than its class stands in the details."""
    details = dict(error.details)
    if error.code != type(error).code:
        details.setdefault("code", error.code)
    return body(status_of(error), error.message, details)


def response(error: RegistryError) -> HttpResponse:
    """A refusal as a plain Django response, for middleware, which stands outside of the views."""
    return as_json(body_of(error), _headers(status_of(error)))


def handle(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Translate whatever a view raised; None lets an unforeseen error go on to the log and `server_error`."""
    answer = _translate(error, context)
    if answer is None:
        return None
    if answer["statusCode"] >= 500 and not hasattr(error, "wait"):  # who is asked to come back has met no fault
        logger.error("%s", answer["error"], exc_info=error)
    headers = _headers(answer["statusCode"], getattr(error, "wait", None))
    return Response(answer, status=answer["statusCode"], headers=headers)


def _headers(status: int, wait: float | None = None) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if wait:
        headers["Retry-After"] = str(int(wait))
    return headers


def _translate(error: Exception, context: Mapping[str, Any]) -> dict[str, Any] | None:
    if isinstance(error, RegistryError):
        return body_of(error)
    if isinstance(error, drf_errors.ValidationError):
        return _of_fields(error.detail)
    if isinstance(error, drf_errors.MethodNotAllowed):
        return body(405, _wrong_method(context))
    if isinstance(error, drf_errors.APIException):
        return body(error.status_code, _sentence(error.detail))
    return _of_django(error)


def _of_django(error: Exception) -> dict[str, Any] | None:
    match error:
        case Http404():
            return body(404, SENTENCES[404])
        case django_errors.PermissionDenied():
            return body(403, str(error) or SENTENCES[403])
        case django_errors.RequestDataTooBig():
            return body(413, "The body is larger than this route accepts.")
        case django_errors.ValidationError():
            return _of_fields(error.message_dict if hasattr(error, "error_dict") else {"body": error.messages})
        case django_errors.SuspiciousOperation() | django_errors.BadRequest() | MultiPartParserError():
            return body(400, str(error) or SENTENCES[400])
        case UnreadablePostError():
            return body(400, "The body ended before it was complete. Send it again.")
        case OperationalError() | InterfaceError():
            return body(503, SENTENCES[503])
    return None


def _wrong_method(context: Mapping[str, Any]) -> str:
    view, request = context["view"], context["request"]
    return f"This address does not take {request.method}; it takes {', '.join(view.allowed_methods)}."


def _of_fields(detail: Any) -> dict[str, Any]:
    """The error shape of refused fields: nested ones are named by their path (`packages.0.name`)."""
    details: dict[str, list[str]] = {}
    for field, reason in _reasons(detail, ""):
        details.setdefault(field or "body", []).append(reason)
    field, reasons = next(iter(details.items()), ("body", [SENTENCES[400]]))
    return body(400, f"{field}: {reasons[0]}", details)


def _reasons(detail: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(detail, Mapping):
        children: Iterable[tuple[Any, Any]] = detail.items()
    elif isinstance(detail, list | tuple):
        children = (("" if isinstance(item, str) else index, item) for index, item in enumerate(detail))
    else:
        yield path, str(detail)
        return
    for key, child in children:
        step = "" if key in ("", "non_field_errors") else str(key)
        yield from _reasons(child, ".".join(filter(None, (path, step))))


def _sentence(detail: Any) -> str:
    return next((reason for _, reason in _reasons(detail, "")), SENTENCES[400])


def is_api(request: HttpRequest) -> bool:
    """Whether errors of this request are JSON: API addresses, and whoever asks for JSON and not for HTML."""
    accepts = request.headers.get("Accept", "")
    return request.path.startswith(API_PATHS) or ("json" in accepts and "text/html" not in accepts)


def as_json(answer: dict[str, Any], headers: Mapping[str, str]) -> HttpResponse:
    """An error shape as a plain Django response."""
    content = orjson.dumps(answer, default=str)
    whole = {"Content-Length": str(len(content)), **headers}
    return HttpResponse(content, "application/json", answer["statusCode"], headers=whole)


def _page(request: HttpRequest, status: int) -> HttpResponse:
    if is_api(request):
        return as_json(body(status, SENTENCES[status]), _headers(status))
    context = {"status": status, "title": HTTPStatus(status).phrase, "sentence": gettext(SENTENCES[status])}
    return render(request, f"errors/{status}.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler400."""
    return _page(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler403."""
    return _page(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler404."""
    return _page(request, 404)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Django's handler500: a page that itself needs nothing that may be broken; 503 while the database is away."""
    status = 503 if isinstance(sys.exception(), OperationalError | InterfaceError) else 500
    if is_api(request):
        return as_json(body(status, SENTENCES[status]), _headers(status))
    context = {"status": status, "title": gettext(BROKEN[status]), "sentence": gettext(SENTENCES[status])}
    return render(None, "errors/500.html", context, status=status)
