"""Downloads over HTTP: the bytes of an artifact, whole or one range of them."""

import base64
import re

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request

from accounts.actors import Actor
from accounts.api import errors
from accounts.api.answers import in_query, plain, route
from accounts.api.doors import Door
from registry import counting, downloading, resolving
from registry.api import caching, leaving
from registry.api.reading import ECOSYSTEM, ecosystem_of, text_of
from registry.upstreams.through import errands

RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.ASCII)
FILE = OpenApiResponse(OpenApiTypes.BINARY, description="The file.")
ANOTHER = in_query("file", "Another file of the version, by its name")
RANGED = in_query("Range", "One range of bytes, as in `bytes=0-1023`", location="header")


ANSWERS: dict[tuple[int, str] | int, OpenApiResponse] = {
    (200, "application/octet-stream"): FILE,
    (206, "application/octet-stream"): FILE,
    302: plain("It lies in a bucket: Location leads there for a minute at most."),
    304: plain("You have it already."),
}


class _FileDoor(Door):
    """A door to the bytes of a version."""

    is_public = True

    def send(self, name: str, version: str, filename: str) -> HttpResponseBase:
        """The file, if every gate allows it; otherwise 403 with their verdicts. Counts a download."""
        request = self.request
        ecosystem = ecosystem_of(request)
        if ecosystem:
            release = errands.find_release(ecosystem, name, version, self.actor)
        else:
            release = resolving.find_release(resolving.find_package(name, self.actor), version, self.actor)
        download = downloading.open_artifact(release, self.actor, filename)
        return send(request, download, self.actor, is_exact=version == release.version)


class DownloadDoor(_FileDoor):
    """`…/versions/{version}/download`."""

    @route("Download a version", "Packages", ANSWERS, 404, 410, 416, parameters=[ECOSYSTEM, ANOTHER, RANGED])
    def get(self, request: Request, name: str, version: str) -> HttpResponseBase:
        """The artifact, if every gate allows it; otherwise 403 with their verdicts. Counts a download."""
        return self.send(name, version, text_of(request, "file", longest=255))


class NamedFileDoor(_FileDoor):
    """`…/versions/{version}/files/{filename}`: for installers that read what a file is from the end of its address."""

    @route("Download a file by its name", "Packages", ANSWERS, 404, 410, 416, parameters=[ECOSYSTEM, RANGED])
    def get(self, request: Request, name: str, version: str, filename: str) -> HttpResponseBase:
        """The same bytes behind the same gates as `…/download`; pip and others install from this address."""
        return self.send(name, version, filename)


def send(
    request: Request, download: downloading.Download, actor: Actor, *, is_exact: bool = True, is_counted: bool = True
) -> HttpResponseBase:
    """The file for any door, after the gates were asked: whole, one range of it, or 304; counts a download.

    `is_exact` says that the address names this very version, so that the answer holds for ever. What a reviewer looks
    at is not `is_counted`.
    """
    headers, size = _headers(download, is_exact=is_exact), download.artifact.size
    if caching.is_known(request, headers["ETag"]):
        return HttpResponse(status=304, headers=headers)
    span = _span(request, size, headers["ETag"])
    if span is None:
        return _unsatisfiable(size)
    if is_counted and request.method == "GET" and span.start == 0:
        counting.count(download.artifact.release, actor)
    return leaving.leave(request, download, span, headers)


def _headers(download: downloading.Download, *, is_exact: bool) -> dict[str, str]:
    """What is said of the file in every answer: a browser must not run it, and under its exact version it is for ever.

    A dist-tag moves, so what was found under one must be asked for again.
    """
    artifact = download.artifact
    lasting = "max-age=31536000, immutable" if is_exact else "no-cache"
    digest = base64.b64encode(bytes.fromhex(artifact.sha256)).decode()
    return {
        "ETag": f'"{artifact.sha256}"',
        "Cache-Control": f"{'private' if download.is_private else 'public'}, {lasting}",
        "Vary": caching.VARY,
        "Accept-Ranges": "bytes",
        "Content-Disposition": leaving.disposition(artifact.filename),
        "Digest": f"sha-256={digest}",
        "Repr-Digest": f"sha-256=:{digest}:",
        "X-Checksum-Sha256": artifact.sha256,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }


def _span(request: HttpRequest | Request, size: int, etag: str) -> range | None:
    """The wanted bytes: all of them where the range is missing, malformed or several; None beyond the end."""
    match = RANGE.fullmatch(request.headers.get("Range", ""))
    if match is None or match.groups() == ("", "") or request.headers.get("If-Range", etag) != etag:
        return range(size)
    first, last = match.groups()
    if not first:
        return range(max(0, size - int(last)), size) if int(last) and size else None
    if int(first) >= size:
        return None
    if last and int(last) < int(first):
        return range(size)
    return range(int(first), min(int(last) + 1 if last else size, size))


def _unsatisfiable(size: int) -> HttpResponse:
    answer = errors.body(416, f"The range lies outside of the file, which has {size} bytes.", {"size": size})
    return errors.as_json(answer, {"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"})
