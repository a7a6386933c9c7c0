"""JSON documents of any size, read member by member: of a large one, what is in memory is one member at a time."""

import re
from collections.abc import Collection, Iterator
from typing import Any

import orjson

from registry.upstreams.sources.base import Nonsense, Stream

PIECE = 64 * 1024
SMALL = 2 * 2**20  # bytes up to which a document is parsed as a whole, which is many times faster
MEMBER = 8 * 2**20
IN_STRING = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
# Up to a bracket, or to a string that has not come in whole
BETWEEN = re.compile(rb'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+', re.DOTALL)
SCALAR = re.compile(rb"[^,\]}\s]*")
SPACE = re.compile(rb"[ \t\r\n]*")
OPENING, CLOSING = b"{[", b"}]"


def members(
    stream: Stream, sections: Collection[str], wanted: Collection[str] = (), small: int = SMALL
) -> Iterator[tuple[str, str, Any]]:
    """(section, key, value) of each member of those sections of the document's object, in the document's own order.

    A section is an object or an array (whose members have no key); `wanted` are further keys, yielded whole with
    themselves as the section. The rest is passed over. Raises Nonsense for what is no such JSON, or ends too early,
    or has a member of more than 8 MiB.
    """
    beginning = _beginning(stream, small)
    if len(beginning) <= small and (whole := _whole(beginning)) is not None:
        yield from _of_parsed(whole, sections, wanted)
        return
    reader = _Reader(stream, beginning)
    for key in reader.names():
        if key in sections and reader.peek() in (b"{", b"["):
            inner = reader.names() if reader.peek() == b"{" else reader.places()
            for name in inner:
                yield key, name, _parsed(reader.value())
        elif key in wanted:
            yield key, key, _parsed(reader.value())
        else:
            reader.skip()


def _beginning(stream: Stream, small: int) -> bytes:
    """All of a small document, or somewhat more than so many bytes of a large one."""
    kept = bytearray()
    while len(kept) <= small and (piece := stream.read(PIECE)):
        kept += piece
    return bytes(kept)


def _whole(text: bytes) -> dict[str, Any] | None:
    """The document, where it is plain; what is odd about others, the reader finds out."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _of_parsed(
    whole: dict[str, Any], sections: Collection[str], wanted: Collection[str]
) -> Iterator[tuple[str, str, Any]]:
    for key, value in whole.items():
        if key in sections and isinstance(value, dict):
            yield from ((key, name, member) for name, member in value.items())
        elif key in sections and isinstance(value, list):
            yield from ((key, "", member) for member in value)
        elif key in wanted:
            yield key, key, value


def _parsed(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Nonsense("The upstream's answer is no JSON.") from None


class _Reader:
    """A place in the text of a JSON document that is still coming in."""

    def __init__(self, stream: Stream, beginning: bytes) -> None:
        self.stream, self.buffer, self.at = stream, beginning, 0

    def names(self) -> Iterator[str]:
        """The keys of the object that begins here; whoever is given one reads or skips its value."""
        self._take(b"{")
        if self.peek() == b"}":
            self._take(b"}")
            return
        while True:
            key = _parsed(self.value())
            if not isinstance(key, str):
                raise Nonsense("The upstream's answer is no JSON.")
            self._take(b":")
            yield key
            if self._take(b",}") == b"}":
                return

    def places(self) -> Iterator[str]:
        """An empty key for each item of the array that begins here."""
        self._take(b"[")
        if self.peek() == b"]":
            self._take(b"]")
            return
        while True:
            yield ""
            if self._take(b",]") == b"]":
                return

    def value(self) -> bytes:
        """The text of the value that begins here."""
        kept = bytearray()
        for piece in self._pieces():
            kept += piece
            if len(kept) > MEMBER:
                raise Nonsense(f"One entry of the upstream's answer is larger than {MEMBER // 2**20} MiB.")
        return bytes(kept)

    def skip(self) -> None:
        """Go behind the value that begins here."""
        for _ in self._pieces():
            pass

    def peek(self) -> bytes:
        """The next byte that is no space."""
        while True:
            self.at = SPACE.match(self.buffer, self.at).end()  # type: ignore[union-attr]  # matches the empty text too
            if self.at < len(self.buffer):
                return self.buffer[self.at : self.at + 1]
            self._more()

    def _take(self, expected: bytes) -> bytes:
        found = self.peek()
        if found not in expected:
            raise Nonsense("The upstream's answer is no JSON.")
        self.at += 1
        return found

    def _more(self) -> None:
        """Drop what was read and take in the next piece."""
        piece = self.stream.read(PIECE)
        if not piece:
            raise Nonsense("The upstream's answer ends too early.")
        self.buffer, self.at = self.buffer[self.at :] + piece, 0

    def _pieces(self) -> Iterator[bytes]:
        """The text of one value, piece by piece: until as many brackets are closed as were opened."""
        if self.peek() not in b'{["':
            yield from self._scalar()
            return
        depth = 0
        while True:
            token = self._token()
            yield token
            if token == b'"':
                yield from self._until(IN_STRING)
                yield self._token()
            depth += (token in OPENING) - (token in CLOSING)
            if not depth:
                return
            yield from self._until(BETWEEN)

    def _until(self, pattern: re.Pattern[bytes]) -> Iterator[bytes]:
        """What the pattern passes over; after it stands a whole token."""
        while True:
            end = pattern.match(self.buffer, self.at).end()  # type: ignore[union-attr]  # matches the empty text too
            yield self.buffer[self.at : end]
            self.at = end
            if self.at < len(self.buffer) and self.buffer[end : end + 1] != b"\\":
                return
            self._more()  # at its end, or in the middle of an escape

    def _token(self) -> bytes:
        self.at += 1
        return self.buffer[self.at - 1 : self.at]

    def _scalar(self) -> Iterator[bytes]:
        """A number or a word: until something that cannot belong to it."""
        while True:
            end = SCALAR.match(self.buffer, self.at).end()  # type: ignore[union-attr]  # matches the empty text too
            yield self.buffer[self.at : end]
            self.at = end
            if end < len(self.buffer):
                return
            self._more()
