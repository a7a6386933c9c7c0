"""Uploads as twine and `uv publish` send them: one file per request, with fields that are compared, never believed."""

from typing import Any
from urllib.parse import quote

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.addresses import origin_of
from registry import joining, publishing
from registry.api.uploads import Form, Received, received
from registry.ecosystems.attestations import MAX_BYTES
from registry.errors import InvalidInput
from registry.models import Artifact
from registry.protocols.pypi.doors import PypiDoor

DIGESTS = {f"{name}_digest": name for name in joining.DIGESTS}
KNOWN = (":action", "protocol_version", "name", "version", "attestations", *DIGESTS)
UPLOAD = Form(
    KNOWN,
    file="content",
    takes_raw=False,
    passes_over=True,
    longest=MAX_BYTES,
    most_parts=5_000,
    envelope=4 * 1024 * 1024,
)


class UploadDoor(PypiDoor):
    """`/legacy/`."""

    is_public = False

    def post(self, request: Request) -> Response:
        """Keep the file, 200: its version is checked, and the body says where that can be followed."""
        with publishing.refusals_audited("release.publish", "upload", self.actor):
            self.actor.need("publish", narrow=True)
        with received(request._request, UPLOAD) as upload:  # noqa: SLF001  # DRF's own stream would be parsed
            _refuse_other_actions(upload)
            assert upload.staged is not None  # `received` refuses a body without a file
            artifact = joining.add_file(upload.staged, _sent(upload), self.actor)
        return Response(_told(artifact, origin_of(request)))


def _refuse_other_actions(upload: Received) -> None:
    for name, expected in ((":action", "file_upload"), ("protocol_version", "1")):
        if upload.texts.get(name, expected) != expected:
            raise InvalidInput(f"This address takes {name}={expected} alone.", details={name: [f"not {expected}"]})


def _sent(upload: Received) -> joining.Sent:
    texts = upload.texts
    digests = {name: texts[part] for part, name in DIGESTS.items() if part in texts}
    name, version = texts.get("name", ""), texts.get("version", "")
    return joining.Sent("pypi", upload.filename, name, version, digests, texts.get("attestations", ""))


def _told(artifact: Artifact, origin: str) -> dict[str, Any]:
    release = artifact.release
    name, version = release.package.name, release.version
    page = f"{origin}/packages/pypi/{quote(name)}/versions/{quote(version, safe='')}"
    return {
        "message": f"{artifact.filename} has arrived and is being checked. It is served once {name} {version} is "
        f"approved: {page}",
        "name": name,
        "version": version,
        "filename": artifact.filename,
        "sha256": artifact.sha256,
        "status": release.status,
        "url": page,
    }
