"""A gzip stream of exactly one member, inflated in bounded steps and verified to its last byte (RFC 1952)."""

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from registry.ecosystems.archives import LIMITS, Limits, refuse_whole
from registry.errors import Refused

MAGIC = b"\x1f\x8b"

_STEP = 128 * 1024
_HEADER_LIMIT = 4096
_TEXT, _CHECK, _EXTRA, _NAME, _COMMENT, _RESERVED = 1, 2, 4, 8, 16, 0xE0


def _fault(sentence: str) -> Refused:
    return refuse_whole("archive_gzip", sentence)


class GzipStream:
    """The inflated bytes of a file, asked for by `read`; `finish` proves that nothing else is in the file."""

    def __init__(self, file: BinaryIO, limits: Limits = LIMITS) -> None:
        self._file = file
        self._limits = limits
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._ready = bytearray()
        self._taken = 0
        self._pending = self._after_header(file.read(_STEP))
        self.crc = 0
        self.size = 0

    def _after_header(self, head: bytes) -> bytes:
        self._taken = len(head)
        if head[:2] != MAGIC or len(head) < 18:
            raise _fault("it is not a gzip file.")
        flags = head[3]
        if head[2] != 8 or flags & _RESERVED:
            raise _fault("its gzip header has an unknown method or reserved flags.")
        if flags & (_EXTRA | _COMMENT):
            raise _fault("its gzip header carries an extra field or a comment, where bytes could hide.")
        end = 10
        if flags & _NAME:
            end = head.find(b"\0", end, _HEADER_LIMIT) + 1
            if end == 0:
                raise _fault("the name in its gzip header has no end.")
        if flags & _CHECK:
            if int.from_bytes(head[end : end + 2], "little") != zlib.crc32(head[:end]) & 0xFFFF:
                raise _fault("its gzip header has a wrong checksum.")
            end += 2
        return head[end:]

    def _more(self) -> bool:
        """Inflate one step; False at the end of the deflate stream."""
        if self._inflate.eof:
            return False
        data = self._inflate.unconsumed_tail or self._pending or self._file.read(_STEP)
        if not self._inflate.unconsumed_tail:
            self._taken += 0 if self._pending else len(data)
            self._pending = b""
        if not data:
            raise _fault("its gzip stream is cut off.")
        try:
            chunk = self._inflate.decompress(data, _STEP)
        except zlib.error as error:
            raise _fault("its gzip stream is corrupt.") from error
        self._account(chunk)
        self._ready += chunk
        return True

    def _account(self, chunk: bytes) -> None:
        self.crc = zlib.crc32(chunk, self.crc)
        self.size += len(chunk)
        self._limits.check_ratio(self.size, self._taken)

    def read(self, count: int) -> bytes:
        """The next `count` bytes, fewer only at the end; raises Refused for a damaged or exploding stream."""
        while len(self._ready) < count and self._more():
            pass
        chunk = bytes(self._ready[:count])
        del self._ready[:count]
        return chunk

    def chunks(self, count: int) -> Iterator[bytes]:
        """Exactly `count` bytes in steps; raises Refused where the stream ends before."""
        while count:
            chunk = self.read(min(count, _STEP))
            if not chunk:
                raise refuse_whole("archive_tar", "it ends in the middle of an entry.")
            count -= len(chunk)
            yield chunk

    def finish(self) -> None:
        """Verify checksum and length, and that the file ends with them; the stream must be read to its end."""
        trailer = self._inflate.unused_data
        if len(trailer) <= 8:
            trailer += self._file.read(9 - len(trailer))
        if len(trailer) < 8:
            raise _fault("its gzip trailer is cut off.")
        if len(trailer) > 8:
            raise _fault("there are bytes after the end of the gzip stream.")
        if int.from_bytes(trailer[:4], "little") != self.crc:
            raise _fault("its gzip checksum is wrong.")
        if int.from_bytes(trailer[4:8], "little") != self.size & 0xFFFFFFFF:
            raise _fault("the length in its gzip trailer is wrong.")
