"""JSON that carries a file: the document is kept, the file's base64 is decoded as it comes and never held.

npm sends a whole tarball as one string of the body (`_attachments.*.data`). Everything else is copied out, bounded,
and parsed strictly afterwards. In the copy an empty string stands where the file was, so both have one structure.
"""

import binascii
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from accounts.api.parsing import MAX_DEPTH, loads
from registry.api.bodies import BLOCK
from registry.errors import InvalidInput, TooLarge

if TYPE_CHECKING:
    from registry.storage import Readable

MAX_DOCUMENT = 8 * 1024 * 1024  # bytes beside the file: a manifest, or a whole packument sent back
MAX_PARTS = 1_000_000  # signs and strings: more of them in so few bytes are no packument, and take their time
FILE_DEPTH = 3  # the document, `_attachments`, one of them
_PLAIN = re.compile(rb'[^"{}\[\],:]*+')
_WITHIN = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_OPENING, _CLOSING = b"{[", b"}]"


class _Level:
    """An object or array that is open, and which key of it is being read."""

    __slots__ = ("is_object", "key", "wants_key")

    def __init__(self, opened: bytes) -> None:
        self.is_object = opened == b"{"
        self.wants_key = self.is_object
        self.key = ""


class Document:
    """The body while it is read: `files` yields the name of each attached tarball where its bytes come next."""

    def __init__(self, stream: "Readable", limit: int = MAX_DOCUMENT) -> None:
        self.stream, self.limit = stream, limit
        self.buffer, self.at = b"", 0
        self.kept = bytearray()
        self.levels: list[_Level] = []
        self.parts = 0
        self.quad, self.is_padded = b"", False

    def files(self) -> Iterator[str]:
        """Walk through the body; after each name `read` gives the file, and must be asked until it is empty."""
        while self._fill():
            self._keep(_PLAIN.match(self.buffer, self.at).end())  # type: ignore[union-attr]  # it matches nothing, too
            if self.at == len(self.buffer):
                continue
            self.parts += 1
            if self.parts > MAX_PARTS:
                raise InvalidInput("The body has more parts than any packument.")
            sign = self.buffer[self.at : self.at + 1]
            if sign == b'"':
                if self._is_file():
                    self._keep(self.at + 1)
                    self.quad, self.is_padded = b"", False
                    yield self.levels[-2].key
                    self._end_file()
                else:
                    self._take_text()
                continue
            self._keep(self.at + 1)
            self._turn(sign)

    def value(self) -> Any:
        """What the document says, the files left out; raises InvalidInput where it is no strict JSON."""
        return loads(bytes(self.kept))

    # --- the structure ---------------------------------------------------------------------------------------------
    def _turn(self, sign: bytes) -> None:
        if sign in _OPENING:
            if len(self.levels) >= MAX_DEPTH:
                raise InvalidInput(f"The body is nested deeper than {MAX_DEPTH} levels.")
            self.levels.append(_Level(sign))
        elif sign in _CLOSING:
            if not self.levels:
                raise InvalidInput("The body is not JSON: something is closed that was never opened.")
            self.levels.pop()
        elif self.levels and self.levels[-1].is_object:
            self.levels[-1].wants_key = sign == b","

    def _is_file(self) -> bool:
        if len(self.levels) != FILE_DEPTH or not all(one.is_object for one in self.levels):
            return False
        outer, middle, inner = self.levels
        is_data = outer.key == "_attachments" and inner.key == "data" and not inner.wants_key
        return is_data and middle.key.endswith(".tgz")

    def _take_text(self) -> None:
        """Copy a string, and remember it where it is a key."""
        began = len(self.kept)
        self._keep(self.at + 1)
        while True:
            self._keep(_WITHIN.match(self.buffer, self.at).end())  # type: ignore[union-attr]  # it matches nothing, too
            if self.buffer[self.at : self.at + 1] == b'"':
                break
            if not self._more():
                raise InvalidInput("The body is not JSON: it ends within a string.")
        self._keep(self.at + 1)
        if self.levels and self.levels[-1].wants_key:
            self.levels[-1].key = _decoded(bytes(self.kept[began:]))

    def _end_file(self) -> None:
        """Go past a file that nobody has read, and past the quotation mark that ends it."""
        while self.read(BLOCK):
            pass
        self._keep(self.at + 1)

    # --- the file --------------------------------------------------------------------------------------------------
    def read(self, size: int, /) -> bytes:
        """The next bytes of the file, at most so many; empty at its end. Raises InvalidInput for what is no base64."""
        while True:
            text = self._text_of_file(max(4, size // 3 * 4 - 4))
            whole = self.quad + text
            cut = len(whole) // 4 * 4
            self.quad = whole[cut:]
            if decoded := self._decoded(whole[:cut]):
                return decoded
            if not text:
                if self.quad:
                    raise _no_base64()
                return b""

    def _decoded(self, text: bytes) -> bytes:
        if not text:
            return b""
        if self.is_padded:
            raise _no_base64()
        self.is_padded = text.endswith(b"=")
        try:
            return binascii.a2b_base64(text, strict_mode=True)
        except binascii.Error as problem:
            raise _no_base64() from problem

    def _text_of_file(self, size: int) -> bytes:
        """Base64 up to the end of its string, slashes freed of the backslash that some encoders write before them."""
        while True:
            if not self._fill():
                raise InvalidInput("The body is not JSON: it ends within a string.")
            end = self.buffer.find(b'"', self.at, self.at + size)
            stop = end if end >= 0 else min(self.at + size, len(self.buffer))
            text = self.buffer[self.at : stop]
            if text.endswith(b"\\"):
                if len(text) == 1 and not self._more():
                    raise _no_base64()
                stop, text = (self.at + 2, self._escaped()) if len(text) == 1 else (stop - 1, text[:-1])
            self.at = stop
            return text.replace(b"\\/", b"/")

    def _escaped(self) -> bytes:
        """A slash that is written with a backslash; no other escape has a place in base64."""
        if self.buffer[self.at : self.at + 2] != b"\\/":
            raise _no_base64()
        return b"/"

    # --- bytes -----------------------------------------------------------------------------------------------------
    def _keep(self, until: int) -> None:
        """Copy what stands up to there."""
        self.kept += self.buffer[self.at : until]
        self.at = until
        if len(self.kept) > self.limit:
            raise TooLarge(f"The body says more than {self.limit // 1024**2} MB beside the tarball.")

    def _fill(self) -> bool:
        """Whether a byte is at hand."""
        return self.at < len(self.buffer) or self._more()

    def _more(self) -> bool:
        """Read on, keeping what has not been looked at; False at the end of the body."""
        chunk = self.stream.read(BLOCK)
        self.buffer, self.at = self.buffer[self.at :] + chunk, 0
        return bool(chunk)


def _decoded(text: bytes) -> str:
    """A key as it is meant; one that is no JSON is refused when the whole document is parsed."""
    try:
        return str(json.loads(text))
    except ValueError:
        return ""


def _no_base64() -> InvalidInput:
    return InvalidInput("The attachment's data is not base64.", details={"_attachments": ["not base64"]})
