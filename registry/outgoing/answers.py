"""What a foreign server answered: read piece by piece, never longer or larger than was agreed."""

import http.client
import zlib
from collections.abc import Iterator
from typing import Protocol

from registry.errors import TooLarge
from registry.outgoing.connecting import Unreachable

PIECE = 64 * 1024
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class Writable(Protocol):
    """A file to write bytes into."""

    def write(self, data: bytes, /) -> int:
        """Returns how many were written."""


class TooMuch(TooLarge):
    """More bytes than were agreed, as they come or unpacked."""

    code = "too_much"


class Answer:
    """Status, headers and a body to be read once: `pieces`, `read`, `save`; they raise TooMuch and Unreachable."""

    def __init__(self, response: http.client.HTTPResponse, url: str, size: int) -> None:
        self.status = response.status
        self.headers = response.headers
        self.url = url
        self._response, self._size = response, size

    @property
    def is_unchanged(self) -> bool:
        """Whether the server says that what is held is still right (304)."""
        return self.status == 304

    def read(self) -> bytes:
        """The whole body."""
        return b"".join(self.pieces())

    def save(self, file: Writable) -> int:
        """Write the body; returns its length. What was written before an error stays in the file."""
        return sum(file.write(piece) for piece in self.pieces())

    def pieces(self) -> Iterator[bytes]:
        """The body, unpacked, in pieces of up to 64 KiB. Its end is only good if this ends without an error."""
        encoding = self.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding in ("", "identity"):
            source = self._wire_pieces()
        elif encoding in ("gzip", "x-gzip", "deflate"):
            source = self._unpacked()
        else:
            raise Unreachable(f"The server packed its answer in a way that nobody asked for ({encoding[:20]}).")
        total = 0
        for piece in source:
            total += len(piece)
            self._need_small(total)
            yield piece

    def _unpacked(self) -> Iterator[bytes]:
        """The members of a gzip stream, or one zlib stream, without ever holding more than a piece of it."""
        unpacker = None
        try:
            for piece in self._wire_pieces():
                rest = piece
                while rest:
                    if unpacker is None or unpacker.eof:
                        unpacker = zlib.decompressobj(GZIP_OR_ZLIB)
                    yield unpacker.decompress(rest, PIECE)
                    rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            while unpacker and not unpacker.eof and (held_back := unpacker.decompress(b"", PIECE)):
                yield held_back
        except zlib.error:
            raise Unreachable("The packed answer is damaged.") from None
        if unpacker and not unpacker.eof:
            raise Unreachable("The packed answer ends too early.")

    def _wire_pieces(self) -> Iterator[bytes]:
        """The bytes as they come; an end before the announced length is an error, and so is more than is allowed."""
        expected = self._expected()
        received = 0
        while piece := self._next():
            received += len(piece)
            self._need_small(received)
            yield piece
        if expected is not None and received < expected:
            raise Unreachable(f"The answer ended after {received} of {expected} bytes.")

    def _expected(self) -> int | None:
        """How many bytes have to come: none for HEAD or 304, unknown for chunks or until the end."""
        announced = self.headers.get("Content-Length")
        if self._response.chunked or announced is None:
            return None
        if not (announced.isascii() and announced.isdigit()) or self._response.length is None:
            raise Unreachable("The server announces a length that is no number.")
        self._need_small(self._response.length)
        return self._response.length

    def _need_small(self, length: int) -> None:
        if length > self._size:
            raise TooMuch(f"The answer is larger than the {_sized(self._size)} that are allowed.")

    def _next(self) -> bytes:
        try:
            return self._response.read(PIECE)
        except TimeoutError:
            raise Unreachable("The answer did not come in time.") from None
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise Unreachable(f"The answer broke off ({type(problem).__name__}).") from problem


def _sized(size: int) -> str:
    return f"{size // 2**20} MiB" if size >= 2**20 else f"{size} bytes"
