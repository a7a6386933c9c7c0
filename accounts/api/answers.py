"""How routes describe their answers in the OpenAPI schema: each status that can come, errors included."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

# Every route may meet two tokens or a bad one, a foreign X-Project-ID, a limit, a part that is down.
EVERYWHERE = (400, 401, 403, 429, 503)
MEANINGS = {
    400: "The request cannot be understood: a bad field, value or header; the details name it.",
    401: "No credential, or a bearer token that is unknown, expired or revoked.",
    403: "A bad X-API-Key or X-Api-Token, a project that is not yours, or not permitted.",
    404: "Not found, or nothing that the caller may know of.",
    405: "Nothing here takes this method.",
    406: "Not available in the form asked for.",
    409: "It exists already, or is not in a state that allows this.",
    410: "It was removed for good; a tombstone remains.",
    413: "Larger than this portal accepts.",
    415: "A media type that this route does not read.",
    416: "The range lies outside of the file.",
    422: "Well formed, but refused by a check; the sentence says which.",
    429: "Too many requests; Retry-After says when to come back.",
    503: "A part of the portal that is needed does not answer.",
}


class Error(serializers.Serializer):
    """The one shape of every error."""

    error = serializers.CharField(help_text="A sentence that a person can act on")
    statusCode = serializers.IntegerField(min_value=400, max_value=599)  # noqa: N815  # the contract's name
    details = serializers.DictField(help_text="A field and its reasons; for downloads, `verdicts`")


PROJECT = OpenApiParameter(
    "X-Project-ID",
    location="header",
    description="The project (tenant) to act for; default: the token's, else the caller's. Not the caller's: 403.",
)
LIMITS = [
    OpenApiParameter(name, OpenApiTypes.INT, "header", response=True, description=description)
    for name, description in (
        ("X-RateLimit-Limit", "Requests in this window"),
        ("X-RateLimit-Remaining", "Requests left"),
        ("X-RateLimit-Reset", "When the window ends, in seconds since the epoch"),
    )
]


def answers(done: dict[Any, Any], *errors: int) -> dict[Any, Any]:
    """The `responses` of a route: what it answers when all is well, its own errors, and those of every route."""
    failed = {code: OpenApiResponse(Error, description=MEANINGS[code]) for code in sorted({*EVERYWHERE, *errors})}
    return {**done, **failed}


def plain(description: str) -> OpenApiResponse:
    """A success without a body."""
    return OpenApiResponse(description=description)


def in_query(name: str, description: str, **more: Any) -> OpenApiParameter:
    """A query parameter, a string unless said otherwise."""
    return OpenApiParameter(name, more.pop("type", OpenApiTypes.STR), description=description, **more)


def route(
    summary: str, tag: str, done: dict[Any, Any], *errors: int, **more: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Describe one method of a view."""
    return extend_schema(summary=summary, tags=[tag], responses=answers(done, *errors), **more)


class DoorSchema(AutoSchema):
    """Names operations after their method and door: `getPackage`, `postPublish`."""

    def get_operation_id(self) -> str:
        """Unique, since each door stands at one address of a base."""
        door: str = type(self.view).__name__.removesuffix("Door")
        return self.method.lower() + door

    def get_override_parameters(self) -> list[Any]:
        """The header that selects a tenant, and those that every answer carries."""
        return [PROJECT, *LIMITS]

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Any one of the credentials; none is enough to read what is public."""
        single = [{name: scopes} for one in super().get_auth() for name, scopes in one.items()]
        is_open = getattr(self.view, "is_public", False) and self.method in getattr(self.view, "public_methods", ())
        return [{}, *single] if is_open else single
