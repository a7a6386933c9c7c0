"""The published OpenAPI description, and what drf-spectacular cannot know by itself."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from django.utils import translation
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

Endpoint = tuple[str, str, str, Any]
SECOND_BASE = "/v1/"
NAMED = "/packages/{name}"
SCOPED = "/packages/{scope}/{name}"
SCOPE = {
    "in": "path",
    "name": "scope",
    "required": True,
    "schema": {"type": "string", "pattern": "^[^/]+$"},
    "description": "The scope, as in `@acme-utils`. `@scope%2Fname` as one segment is the same package.",
}


class ActorScheme(OpenApiAuthenticationExtension):
    """The three headers of a token, and the session."""

    target_class = "accounts.api.authentication.ActorAuthentication"
    name = ["bearer", "apiKey", "apiToken", "session"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        """How each of them is sent."""
        return [
            {"type": "http", "scheme": "bearer"},
            {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            {"type": "apiKey", "in": "header", "name": "X-Api-Token"},
            {"type": "apiKey", "in": "cookie", "name": "sessionid"},
        ]


@cache
def description() -> dict[str, Any]:
    """The whole description; it cannot change while the process lives."""
    with translation.override("en"):  # whoever asks first decides for no one else
        schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return schema


class SchemaView(SpectacularAPIView):
    """`/api/schema`: JSON, or YAML by `?format=yaml` or by Accept."""

    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer2, OpenApiYamlRenderer]
    content_negotiation_class = DefaultContentNegotiation

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The description."""
        return Response(description(), headers={"Access-Control-Allow-Origin": "*"})


class DocsView(SpectacularSwaggerSplitView):
    """`/api/docs`: Swagger UI, its script in a file of its own, so that the strict policy of all pages holds."""

    template_name = "api/docs.html"


# --- hooks ---------------------------------------------------------------------------------------------------------
def only_first_base(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Describe `/api/v1` alone: `/v1` answers identically, which the introduction says."""
    return [endpoint for endpoint in endpoints if not endpoint[0].startswith(SECOND_BASE)]


def with_scopes(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Describe the routes of a package a second time with the scope as a segment of its own."""
    for path, operations in list(result["paths"].items()):
        if NAMED in path:
            scoped = {method: _scoped(operation) for method, operation in operations.items()}
            result["paths"][path.replace(NAMED, SCOPED)] = scoped
    return result


def _scoped(operation: dict[str, Any]) -> dict[str, Any]:
    parameters = [SCOPE, *operation.get("parameters", ())]
    return {**operation, "operationId": f"{operation['operationId']}Scoped", "parameters": parameters}


def closed_objects(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Say of every object with known properties that it has no others."""
    for schema in _schemas(result.get("components", {}).get("schemas", {})):
        if schema.get("type") == "object" and schema.get("properties"):
            schema.setdefault("additionalProperties", False)
    return result


def _schemas(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for child in tree.values():
            yield from _schemas(child)
    elif isinstance(tree, list):
        for child in tree:
            yield from _schemas(child)
