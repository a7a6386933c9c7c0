"""A client that believes no answer: each one must be what the published description says."""

import json
import re
from functools import cache
from typing import Any

from django.http import HttpResponseBase
from django.test import Client
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]  # it ships no types

from registry.api.schema import description
from tests import builders

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
ROOTED = ("/api/", "/v1/", "/product/", "/register", "/fetch/", "/prune/")
formats = FormatChecker(())


@formats.checks("date-time")
def _is_utc_with_z(value: object) -> bool:
    return not isinstance(value, str) or MOMENT.fullmatch(value) is not None


@cache
def described() -> dict[str, Any]:
    """The description as a client would load it."""
    loaded: dict[str, Any] = json.loads(json.dumps(description()))
    return loaded


def path_of(route: str) -> str:
    """The path in the description of a route of the URL table; `/v1` answers as `/api/v1` does."""
    path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
    return f"/api{path}" if path.startswith("/v1/") else path


def check(method: str, response: Any) -> None:
    """Assert that the status, media type and body of the answer are described."""
    content = b"" if response.streaming else response.content
    media_type = response.headers.get("Content-Type", "").partition(";")[0]
    match = response.wsgi_request.resolver_match
    if response.wsgi_request.path.startswith(("/api/schema", "/api/docs")):
        return
    if match is None or response.status_code == 405 or method == "OPTIONS":
        if content:
            _validate({"$ref": "#/components/schemas/Error"}, json.loads(content))
        return
    operations = described()["paths"][path_of(match.route)]
    operation = operations.get("get" if method == "HEAD" else method.lower())
    if operation is None:  # an odd id led to another route, which refuses the credential or the method
        assert response.status_code in (400, 401, 403, 405)
        _validate({"$ref": "#/components/schemas/Error"}, json.loads(content))
        return
    status = str(response.status_code)
    assert status in operation["responses"], f"{method} {match.route} answered {status}, which is not described"
    shapes = operation["responses"][status].get("content", {})
    if not shapes:
        assert not content, f"{method} {match.route} answered {status} with a body, which is not described"
    elif method != "HEAD":
        assert media_type in shapes or "application/octet-stream" in shapes, media_type
        if media_type.endswith("json"):
            _validate(shapes[media_type]["schema"], json.loads(content))


def _validate(schema: dict[str, Any], instance: Any) -> None:
    whole = {**schema, "components": described()["components"]}
    Draft202012Validator(whole, format_checker=formats).validate(instance)


class ApiClient(Client):
    """Django's client for one person (or nobody), at one base of the API."""

    def __init__(self, token: str = "", base: str = "/api/v1", **defaults: Any) -> None:
        headers = builders.bearer(token) if token else {}
        super().__init__(headers={**headers, **defaults.pop("headers", {})}, **defaults)
        self.base = base

    def generic(self, method: str, path: Any, *args: Any, **kwargs: Any) -> Any:
        """Ask, and check the answer."""
        whole = path if path.startswith(ROOTED) else self.base + path
        response: HttpResponseBase = super().generic(method, whole, *args, **kwargs)
        check(method, response)
        return response

    def send(self, method: str, path: str, body: Any = None, **kwargs: Any) -> Any:
        """Send JSON."""
        return self.generic(method, path, json.dumps(body), "application/json", **kwargs)
