"""Publishing over HTTP (contract section 3): a signed archive as the raw body or as multipart/form-data."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.answers import in_query, route
from accounts.api.doors import Door
from registry import documents, publishing
from registry.api.reading import text_of
from registry.api.shapes import MultipartUpload, Published
from registry.api.uploads import FIELDS, Received, received
from registry.errors import InvalidInput
from registry.models import Release
from registry.models.packages import CATEGORIES

EDGE = {"region": "Frankfurt", "deadline_seconds": 15}
PARAMETERS = [
    in_query("tag", "The dist-tag that will point at it (default `latest`)"),
    in_query("access", "Default: as the project has it; only for a new name", enum=["public", "private"]),
    in_query("category", "The category of the package", enum=[code for code, _ in CATEGORIES]),
    in_query("X-Signature", "Base64 of the armored signature", location="header"),
]


class PublishDoor(Door):
    """`/packages/publish`."""

    @route(
        "Publish a signed archive",
        "Packages",
        {201: Published},
        409,
        413,
        415,
        422,
        parameters=PARAMETERS,
        request={"application/octet-stream": OpenApiTypes.BINARY, "multipart/form-data": MultipartUpload},
    )
    def post(self, request: Request) -> Response:
        """An npm tarball, a Python sdist or a wheel; the ecosystem, name and version are read from its content."""
        with publishing.refusals_audited("release.publish", "upload", self.actor):
            self.actor.need("publish")
        chosen = {name: text_of(request, name) for name in FIELDS if name in request.GET}
        with received(request._request) as upload:  # noqa: SLF001  # DRF's own stream would be parsed
            release = _publish(upload, chosen, self.actor)
            answer = _published(release)
        return Response(answer, status=201, headers={"Location": answer["validation"]["url"]})


def _publish(upload: Received, chosen: dict[str, str], actor: Any) -> Release:
    assert upload.staged is not None  # `received` refuses a body without a file
    options: dict[str, Any] = {**chosen, **upload.fields}
    for name in (name for name, value in options.items() if not value):
        raise InvalidInput(f"Give {name} a value, or leave it out.", details={name: ["empty"]})
    return publishing.publish_upload(
        upload.staged,
        actor,
        signature=upload.signature,
        filename=upload.filename,
        **options,
    )


def _published(release: Release) -> dict[str, Any]:
    artifact = release.artifacts.latest("pk")
    return {
        "name": release.package.name,
        "version": release.version,
        "ecosystem": release.package.ecosystem,
        "status": release.status,
        "integrity": artifact.integrity,
        "sha256": artifact.sha256,
        "size": artifact.size,
        "signature": documents.signature_row(artifact),
        "validation": {"status": "queued", "url": documents.version_url(release.package, release.version)},
        "edge": EDGE,
    }
