"""Bodies that npm's clients pack with gzip: unpacked within bounds, then read as strictly as all JSON."""

import io
import zlib
from collections.abc import Mapping
from typing import IO, Any

from accounts.api.parsing import BodyTooLarge, StrictJSONParser
from registry.errors import InvalidInput, UnsupportedMedia

GZIP_ALONE = 16 + zlib.MAX_WBITS


class PackedJSONParser(StrictJSONParser):
    """At most 1 MiB as it comes, and 8 MiB unpacked."""

    max_bytes = 8 * 1024 * 1024
    max_packed = 1024 * 1024

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The value; raises InvalidInput, UnsupportedMedia or BodyTooLarge."""
        request = (parser_context or {})["request"]
        encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding == "identity":
            return super().parse(stream, media_type, parser_context)
        if encoding not in ("gzip", "x-gzip"):
            raise UnsupportedMedia("A packed body is packed with gzip here.")
        return super().parse(io.BytesIO(self._unpacked(stream)), media_type, parser_context)

    def _unpacked(self, stream: IO[Any]) -> bytes:
        packed = stream.read(self.max_packed + 1)
        if len(packed) > self.max_packed:
            raise BodyTooLarge(f"A packed body ends at {self.max_packed} bytes here.")
        unpacker = zlib.decompressobj(GZIP_ALONE)
        try:
            body = unpacker.decompress(packed, self.max_bytes + 1)
        except zlib.error as problem:
            raise InvalidInput("The body says that it is gzip, and is not.") from problem
        if len(body) > self.max_bytes:
            raise BodyTooLarge(f"An unpacked body ends at {self.max_bytes} bytes here.")
        if not unpacker.eof or unpacker.unused_data:
            raise InvalidInput("The packed body is not one whole gzip stream.")
        return body
