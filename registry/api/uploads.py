"""Uploads as they come over HTTP: a raw body or multipart/form-data, streamed to staging and never held in memory."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.http import HttpRequest
from django.http.multipartparser import FIELD, FILE, ChunkIter, LazyStream, Parser
from django.utils.http import parse_header_parameters

from registry import publishing
from registry.api.bodies import BLOCK, Body
from registry.errors import InvalidInput, Refused, TooLarge, UnsupportedMedia

if TYPE_CHECKING:
    from registry.storage import Staged

FIELDS = ("tag", "access", "category")
SIGNATURE = "signature"
REFUSED_TYPES = re.compile(r"application/(?:json|[\w.+-]+\+json|x-www-form-urlencoded)|multipart/(?!form-data\Z).*")
MAX_FIELD = 16 * 1024
MAX_PARTS = 8
# What multipart may add to the file itself.
ENVELOPE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Form:
    """What a route reads: the part that is the file, the text parts known beside it, and how large the file may be.

    `limit` is in bytes (default: MAX_UPLOAD_MB). `before_file` is called with the texts that stand before the file,
    so that a door can refuse before gigabytes have come; texts may follow the file as well. With `passes_over`, parts
    that are not known are read and forgotten, `envelope` bytes of them at most.
    """

    texts: tuple[str, ...]
    file: str = "file"
    limit: int | None = None
    takes_raw: bool = True
    before_file: Callable[[Mapping[str, str]], None] | None = None
    passes_over: bool = False
    longest: int = MAX_FIELD
    most_parts: int = MAX_PARTS
    envelope: int = ENVELOPE

    @property
    def most(self) -> int:
        """The largest file, in bytes."""
        return publishing.upload_limit() if self.limit is None else self.limit


SIGNED_ARCHIVE = Form((SIGNATURE, *FIELDS))


@dataclass(slots=True)
class Received:
    """What has arrived: the staged file, the name its sender gave it, and the texts that came beside it."""

    staged: "Staged | None" = None
    filename: str = ""
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def signature(self) -> str | None:
        """The signature, from its part or its header."""
        return self.texts.get(SIGNATURE)

    @property
    def fields(self) -> dict[str, str]:
        """The texts but the signature."""
        return {name: text for name, text in self.texts.items() if name != SIGNATURE}


@contextmanager
def received(request: HttpRequest, form: Form = SIGNED_ARCHIVE) -> Iterator[Received]:
    """Read the upload; its staged file is gone when the block ends.

    Raises UnsupportedMedia, TooLarge (before reading, where the length is announced), InvalidInput, Refused.
    """
    media_type, options = parse_header_parameters(request.headers.get("Content-Type", ""))
    _refuse_other_types(media_type, form)
    body = Body(request)
    _refuse_announced_excess(body, form)
    with ExitStack() as stack:
        found = Received()
        if SIGNATURE in form.texts and (signature := _signature_header(request)) is not None:
            found.texts[SIGNATURE] = signature
        if media_type == "multipart/form-data":
            _read_parts(body, _boundary(options), _Filling(form, found, stack))
        else:
            found.staged = stack.enter_context(publishing.receive(body, form.most))
            body.finish()
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()  # the database may have hung up on us meanwhile
        yield found


def _refuse_other_types(media_type: str, form: Form) -> None:
    if not form.takes_raw and media_type != "multipart/form-data":
        raise UnsupportedMedia(
            "This route reads multipart/form-data. With curl: "
            f"{' '.join(f'-F {name}=…' for name in form.texts)} -F {form.file}=@FILE"
        )
    if REFUSED_TYPES.fullmatch(media_type):
        raise UnsupportedMedia(
            f"This route does not read {media_type[:80]}. Send the archive itself, for example with "
            "-H 'Content-Type: application/octet-stream' --data-binary @FILE, or as multipart/form-data."
        )


def _refuse_announced_excess(body: Body, form: Form) -> None:
    if (body.announced or 0) > form.most + form.envelope:
        raise TooLarge(f"The upload is larger than this portal accepts ({form.most // 1024**2} MB).")


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


@dataclass(slots=True)
class _Filling:
    """A form while its parts come in: the file goes to staging, the texts into memory, bounded."""

    form: Form
    found: Received
    stack: ExitStack
    passed_over: int = 0

    def take(self, options: dict[str, Any], part: _Part) -> None:
        """One part, which must be known and come for the first time."""
        name = _text(options.get("name"))
        if name == self.form.file and self.found.staged is None:
            self._take_file(_text(options.get("filename")), part)
        elif name in self.form.texts and name not in self.found.texts:
            self.found.texts[name] = _value(name, part, self.form.longest)
        elif self.form.passes_over and name not in (self.form.file, *self.form.texts):
            self._pass_over(part)
        else:
            is_known = name in (self.form.file, *self.form.texts)
            why = "This part came twice." if is_known else "This part is not known here."
            raise InvalidInput(f"{name[:80]}: {why}", details={name[:80]: [why]})

    def _pass_over(self, part: _Part) -> None:
        while chunk := part.read(BLOCK):
            self.passed_over += len(chunk)
            if self.passed_over > self.form.envelope:
                raise TooLarge(f"The parts beside the file are larger than {self.form.envelope // 1024} KB.")

    def _take_file(self, filename: str, part: _Part) -> None:
        if self.form.before_file is not None:
            self.form.before_file(self.found.texts)
        self.found.filename = re.split(r"[/\\\\]", filename)[-1][:255]
        self.found.staged = self.stack.enter_context(publishing.receive(part, self.form.most))


def _boundary(options: dict[str, str]) -> bytes:
    boundary = options.get("boundary", "")
    if not re.fullmatch(r"[ -~]{0,69}[!-~]", boundary):
        raise InvalidInput("The Content-Type multipart/form-data needs a boundary.")
    return boundary.encode("ascii")


def _read_parts(body: Body, boundary: bytes, filling: _Filling) -> None:
    """Read each part in the order it comes, to the last boundary: without it, the file may be cut off."""
    chunks: Any = ChunkIter(body, BLOCK)  # type: ignore[arg-type]  # it only reads
    form = filling.form
    for number, (kind, headers, stream) in enumerate(Parser(LazyStream(chunks), boundary)):
        if number > form.most_parts:
            raise InvalidInput(f"At most {form.most_parts} parts, please: {', '.join((form.file, *form.texts))}.")
        if kind in (FIELD, FILE):
            filling.take(headers["content-disposition"][1], _Part(stream))
        for _rest in stream:
            pass
    body.finish()
    if filling.found.staged is None:
        raise InvalidInput(
            f"There is no part “{form.file}”. Send the file as the part “{form.file}”.",
            details={form.file: ["missing"]},
        )
    if b"--" + boundary + b"--" not in body.tail:
        raise InvalidInput(
            "The last boundary is missing, so the file may be cut off. Send it again.", code="broken_off"
        )


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


def _value(name: str, part: _Part, longest: int) -> str:
    raw = b""
    while chunk := part.read(longest + 1):
        raw += chunk
        if len(raw) > longest:
            raise InvalidInput(f"The part {name} is longer than {longest} bytes.", details={name: ["too long"]})
    try:
        value = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"The part {name} is not UTF-8.", details={name: ["not UTF-8"]}) from error
    if "\x00" in value:
        raise InvalidInput(f"The part {name} holds a NUL character.", details={name: ["NUL"]})
    return value
