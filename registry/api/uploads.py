"""Uploads as they come over HTTP: a raw body or multipart/form-data, streamed to staging and never held in memory."""

import base64
import binascii
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.http.multipartparser import FIELD, FILE, ChunkIter, LazyStream, Parser
from django.utils.http import parse_header_parameters

from registry import publishing
from registry.errors import InvalidInput, Refused, TooLarge, UnsupportedMedia

if TYPE_CHECKING:
    from registry.storage import Staged

FIELDS = ("tag", "access", "category")
REFUSED_TYPES = re.compile(r"application/(?:json|[\w.+-]+\+json|x-www-form-urlencoded)|multipart/(?!form-data\Z).*")
CHUNK = 64 * 1024
MAX_FIELD = 16 * 1024
MAX_PARTS = 8
# What multipart may add to the file itself.
ENVELOPE = 256 * 1024


@dataclass(slots=True)
class Received:
    """What has arrived: the staged file, the signature that came beside it, and the fields."""

    staged: "Staged | None" = None
    signature: str | None = None
    filename: str = ""
    fields: dict[str, str] = field(default_factory=dict)


@contextmanager
def received(request: HttpRequest) -> Iterator[Received]:
    """Read the upload; its staged file is gone when the block ends.

    Raises UnsupportedMedia, TooLarge (before reading, where the length is announced), InvalidInput, Refused.
    """
    media_type, options = parse_header_parameters(request.headers.get("Content-Type", ""))
    if REFUSED_TYPES.fullmatch(media_type):
        raise UnsupportedMedia(
            f"This route does not read {media_type[:80]}. Send the archive itself, for example with "
            "-H 'Content-Type: application/octet-stream' --data-binary @FILE, or as multipart/form-data."
        )
    _refuse_announced_excess(request)
    with ExitStack() as stack:
        found, body = Received(signature=_signature_header(request)), _Body(request)
        if media_type == "multipart/form-data":
            _read_parts(body, options.get("boundary", ""), found, stack)
        else:
            found.staged = stack.enter_context(publishing.receive(body))
        _refuse_incomplete(request, body)
        yield found


class _Body:
    """The body as a counted stream. Django reads none without a length, but servers mark the end of chunked ones."""

    def __init__(self, request: HttpRequest) -> None:
        environ = request.META
        is_chunked = not environ.get("CONTENT_LENGTH") and environ.get("wsgi.input_terminated")
        self.stream: Any = environ["wsgi.input"] if is_chunked else request
        self.size = 0

    def read(self, size: int, /) -> bytes:
        chunk: bytes = self.stream.read(size)
        self.size += len(chunk)
        return chunk


def _announced(request: HttpRequest) -> int | None:
    length = request.META.get("CONTENT_LENGTH")
    return int(length) if length and length.isascii() and length.isdigit() else None


def _refuse_announced_excess(request: HttpRequest) -> None:
    limit = publishing.upload_limit()
    if (_announced(request) or 0) > limit + ENVELOPE:
        raise TooLarge(f"The upload is larger than this portal accepts ({limit // 1024**2} MB).")


def _refuse_incomplete(request: HttpRequest, body: _Body) -> None:
    announced = _announced(request)
    while body.read(CHUNK):  # what may follow the last part
        pass
    if announced is not None and body.size != announced:
        raise InvalidInput(f"Only {body.size} of {announced} bytes arrived. Send the file again.")


def _signature_header(request: HttpRequest) -> str | None:
    """The armored signature of X-Signature."""
    given = request.headers.get("X-Signature")
    if given is None:
        return None
    try:
        return base64.b64decode("".join(given.split()), validate=True).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise Refused(
            "X-Signature is not the base64 of an armored signature. Send the output of `base64 -w0 FILE.sig`.",
            code="signature_invalid",
            details={"X-Signature": ["not base64"]},
        ) from error


# --- multipart/form-data -------------------------------------------------------------------------------------------
class _Part:
    """A part's content as a stream that never gives more than it is asked for."""

    def __init__(self, stream: Iterator[bytes]) -> None:
        self.stream, self.rest = stream, b""

    def read(self, size: int, /) -> bytes:
        chunk = self.rest or next(self.stream, b"")
        chunk, self.rest = chunk[:size], chunk[size:]
        return chunk


def _read_parts(body: _Body, boundary: str, found: Received, stack: ExitStack) -> None:
    """Read each part in the order it comes: the file into staging, the rest into memory, bounded."""
    if not re.fullmatch(r"[ -~]{0,69}[!-~]", boundary):
        raise InvalidInput("The Content-Type multipart/form-data needs a boundary.")
    chunks: Any = ChunkIter(body, CHUNK)  # type: ignore[arg-type]  # it only reads
    parts = Parser(LazyStream(chunks), boundary.encode("ascii"))
    for number, (kind, headers, stream) in enumerate(parts):
        if number > MAX_PARTS:
            raise InvalidInput(f"At most {MAX_PARTS} parts, please: file, signature, {', '.join(FIELDS)}.")
        if kind in (FIELD, FILE):
            _take_part(headers["content-disposition"][1], _Part(stream), found, stack)
        for _rest in stream:
            pass
    if found.staged is None:
        raise InvalidInput(
            "There is no part “file”. Send the archive as the part “file”.", details={"file": ["missing"]}
        )


def _take_part(options: dict[str, Any], part: _Part, found: Received, stack: ExitStack) -> None:
    name = _text(options.get("name"))
    if name == "file" and found.staged is None:
        found.filename = _text(options.get("filename"))[:255]
        found.staged = stack.enter_context(publishing.receive(part))
    elif name == "signature" and found.signature is None:
        found.signature = _value(name, part)
    elif name in FIELDS and name not in found.fields:
        found.fields[name] = _value(name, part)
    else:
        known = name in ("file", "signature", *FIELDS)
        why = "This part came twice." if known else "This part is not known here."
        raise InvalidInput(f"{name[:80]}: {why}", details={name[:80]: [why]})


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


def _value(name: str, part: _Part) -> str:
    raw = b""
    while chunk := part.read(CHUNK):
        raw += chunk
        if len(raw) > MAX_FIELD:
            raise InvalidInput(f"The part {name} is longer than {MAX_FIELD} bytes.", details={name: ["too long"]})
    try:
        value = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"The part {name} is not UTF-8.", details={name: ["not UTF-8"]}) from error
    if "\x00" in value:
        raise InvalidInput(f"The part {name} holds a NUL character.", details={name: ["NUL"]})
    return value
