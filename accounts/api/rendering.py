"""JSON out, whatever the client says it accepts: datetimes as ISO 8601 UTC with Z."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
from django.utils.functional import Promise
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS


def moment(at: datetime) -> str:
    """A datetime as ISO 8601 UTC with Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def dumps(data: Any) -> bytes:
    """The bytes of any answer."""
    return orjson.dumps(data, default=_plain, option=OPTIONS)


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return moment(value)
        case Promise() | Decimal():
            return str(value)
        case Mapping():
            return dict(value)
        case set() | frozenset():
            return sorted(value)
        case Sequence():
            return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


class JSONRenderer(BaseRenderer):
    """The renderer of every API answer."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        """Bytes; no data, no bytes."""
        return b"" if data is None else dumps(data)


class JSONOnly(BaseContentNegotiation):
    """Answers JSON to every Accept header, so that nobody meets a 406 in place of an answer."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The parser whose media type is the request's, parameters aside."""
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first renderer, always."""
        first = next(iter(renderers))
        return first, first.media_type or ""
