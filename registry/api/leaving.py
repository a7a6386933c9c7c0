"""How bytes leave: through this process, by a word to nginx (`X-Accel-Redirect`), or by a short-lived address in S3.

Which of them, DOWNLOAD_VIA says. The gates have been asked before, whatever it says.
"""

from collections.abc import Iterator
from typing import IO, Any
from urllib.parse import quote

from django.conf import settings
from django.http import FileResponse, HttpResponse, HttpResponseBase
from rest_framework.request import Request

from registry import downloading

BLOCK = 256 * 1024
PATIENCE = 60.0  # seconds in which a reader must take something
# What says nothing of a redirect, or is said by the store to which it leads.
OF_THE_FILE = ("ETag", "Accept-Ranges", "Content-Disposition", "Digest", "Repr-Digest", "Content-Security-Policy")


def leave(request: Request, download: downloading.Download, span: range, headers: dict[str, str]) -> HttpResponseBase:
    """The answer that brings these bytes of the file to the client, or tells where they are."""
    size = download.artifact.size
    if len(span) < size:
        headers = {**headers, "Content-Range": f"bytes {span.start}-{span.stop - 1}/{size}"}
    if request.method == "HEAD":
        status = 206 if len(span) < size else 200
        return HttpResponse(
            status=status, content_type=media_type(download), headers={**headers, "Content-Length": str(len(span))}
        )
    # who serves the file instead of us would judge an odd Range in its own way
    is_plain = "Range" not in request.headers or len(span) < size
    if is_plain and settings.DOWNLOAD_VIA == "accel":
        return _by_nginx(download, headers)
    if is_plain and settings.DOWNLOAD_VIA == "presign" and (address := _address(download, headers)):
        return _elsewhere(address, headers)
    return _streamed(request, download, span, headers)


def disposition(filename: str) -> str:
    """Content-Disposition of a file that is to be saved under its own name (RFC 6266): for old clients and for new."""
    name = "".join(letter if letter.isprintable() else "_" for letter in filename) or "file"
    plain = name if name.isascii() else name.encode("ascii", "replace").decode().replace("?", "_")
    quoted = plain.replace("\\", "\\\\").replace('"', '\\"')
    encoded = "" if name.isascii() else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{quoted}"{encoded}'


def media_type(download: downloading.Download) -> str:
    """What the file is said to be."""
    return download.artifact.media_type or "application/octet-stream"


def _by_nginx(download: downloading.Download, headers: dict[str, str]) -> HttpResponse:
    """A word to nginx, which knows Range by itself; a file that is lost is told here, as JSON."""
    download.open().close()
    told = {name: value for name, value in headers.items() if name != "Content-Range"}
    place = f"{settings.ACCEL_PREFIX}{download.blob.key}"
    return HttpResponse(content_type=media_type(download), headers={**told, "X-Accel-Redirect": place})


def _address(download: downloading.Download, headers: dict[str, str]) -> str | None:
    """Where the bucket gives the file as we would say it is."""
    wanted = {
        "Content-Disposition": headers["Content-Disposition"],
        "Content-Type": media_type(download),
        "Cache-Control": headers["Cache-Control"],
    }
    return download.temporary_url(settings.PRESIGN_SECONDS, wanted)


def _elsewhere(address: str, headers: dict[str, str]) -> HttpResponse:
    """A redirect that nobody may keep, since where it leads soon ends."""
    told = {name: value for name, value in headers.items() if name not in (*OF_THE_FILE, "Content-Range")}
    told |= {"Location": address, "Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer"}
    return HttpResponse(status=302, headers=told)


def _streamed(
    request: Request, download: downloading.Download, span: range, headers: dict[str, str]
) -> HttpResponseBase:
    """Block by block, or by the kernel where the server can have it copy a whole open file."""
    is_part = len(span) < download.artifact.size
    stream: Any = download.open(span.start, len(span))
    if is_part:
        stream = _Slice(stream, len(span))
    if (socket := request.META.get("gunicorn.socket")) is not None:
        socket.settimeout(PATIENCE)  # the server takes it back with the next request
    answer = FileResponse(stream, content_type=media_type(download), status=206 if is_part else 200)
    answer.block_size = BLOCK
    for name, value in {**headers, "Content-Length": str(len(span))}.items():
        answer[name] = value
    return answer


class _Slice:
    """The first bytes of a stream; closes it."""

    def __init__(self, stream: IO[bytes], length: int) -> None:
        self.stream, self.left = stream, length

    def read(self, size: int = BLOCK, /) -> bytes:
        """At most `size` bytes."""
        chunk = self.stream.read(min(size, self.left))
        self.left -= len(chunk)
        return chunk

    def fileno(self) -> int:
        """The file below, positioned, for servers that send Content-Length bytes of it. Raises where there is none."""
        return self.stream.fileno()

    def seekable(self) -> bool:
        """Not for those who would look for the end: that of the file is not ours."""
        return False

    def seek(self, offset: int, /) -> int:
        """Where the file below continues, for a server whose kernel would not copy it."""
        return self.stream.seek(offset)

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.read(BLOCK), b"")

    def close(self) -> None:
        """Close the stream."""
        self.stream.close()
