"""The audit trail for other programs: CSV that no spreadsheet runs, and JSON lines that hold the whole chain."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db.models import QuerySet

from accounts.errors import InvalidInput
from accounts.models import AuditEvent

COLUMNS = (
    "seq", "at", "actor", "credential", "action", "object", "project", "address", "outcome", "details",
    "previous_hash", "hash",
)  # fmt: skip
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8; header=present", "jsonl": "application/x-ndjson"}
# What a spreadsheet takes for a formula, full-width forms and leading blanks included.
FORMULA = re.compile(r"[\s\x00-\x1f]*[=+\-@|%＝＋－＠]|[\t\r\n]")
AT_ONCE = 2000


def lines(events: QuerySet[AuditEvent], form: str) -> Iterator[bytes]:
    """The events as one of MEDIA_TYPES, oldest first, in constant memory."""
    if form not in MEDIA_TYPES:
        raise InvalidInput(f"The format is one of {', '.join(MEDIA_TYPES)}.", details={"format": ["unknown"]})
    rows = events.order_by("seq").values_list(*COLUMNS).iterator(chunk_size=AT_ONCE)
    return _csv(rows) if form == "csv" else _json_lines(rows)


def between(since: datetime | None = None, until: datetime | None = None) -> QuerySet[AuditEvent]:
    """The events from one moment (included) to another (not included)."""
    events = AuditEvent.objects.all()
    events = events.filter(at__gte=since) if since else events
    return events.filter(at__lt=until) if until else events


def harmless(text: str) -> str:
    """The text as a cell that is shown and never calculated: an apostrophe before what looks like a formula."""
    return f"'{text}" if FORMULA.match(text) else text


def _csv(rows: Iterator[tuple[Any, ...]]) -> Iterator[bytes]:
    """RFC 4180: a header, CRLF, quotes doubled."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([harmless(_text(value)) for value in row])
        yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    """What was written since the last time."""
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return _instant(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode() if isinstance(value, dict) else str(value)


def _json_lines(rows: Iterator[tuple[Any, ...]]) -> Iterator[bytes]:
    for row in rows:
        event = dict(zip(COLUMNS, row, strict=True))
        event["at"] = _instant(event["at"])
        yield orjson.dumps(event) + b"\n"


def _instant(at: datetime) -> str:
    """The spelling that the hash is made over."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
