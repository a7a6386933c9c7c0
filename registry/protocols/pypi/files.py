"""The files of a version, and what is fetched beside them: metadata and provenance, behind the file's own gates."""

from django.http import HttpResponseBase
from rest_framework.request import Request

from accounts.addresses import origin_of
from registry import documents, downloading, resolving
from registry.api import caching
from registry.api.downloads import send
from registry.ecosystems import attestations
from registry.errors import NotFound
from registry.models import Release
from registry.protocols.indexes import opened
from registry.protocols.pypi.doors import PypiDoor
from registry.upstreams.through import errands

PROVENANCE_TYPE = "application/vnd.pypi.integrity.v1+json"


class _OfFile(PypiDoor):
    """A door to one file of exactly one version."""

    def find(self, name: str, version: str) -> Release:
        """The version, as it stands here."""
        return resolving.find_release(resolving.find_package(name, self.actor, "pypi"), version, self.actor)

    def download(self, name: str, version: str, filename: str) -> downloading.Download:
        """The file, if every gate allows it; 403 with the reason where one does not."""
        release = self.find(name, version)
        if release.version != version:  # a tag, or another spelling
            raise NotFound(f"{release.package.name} has no version {version[:80]}.")
        return opened(release, self.actor, origin_of(self.request), filename)


class FileDoor(_OfFile):
    """`/files/{name}/{version}/{filename}`. What is not here yet is brought by the file alone: the rest is in it."""

    def get(self, request: Request, name: str, version: str, filename: str) -> HttpResponseBase:
        """The sdist or wheel, whole or in ranges. Counts a download."""
        return send(request, self.download(name, version, filename), self.actor)

    def find(self, name: str, version: str) -> Release:
        """The version; one that is not here yet is brought."""
        return errands.find_release("pypi", name, version, self.actor)


class MetadataDoor(_OfFile):
    """`/files/{name}/{version}/{filename}.metadata` (PEP 658)."""

    def get(self, request: Request, name: str, version: str, filename: str) -> HttpResponseBase:
        """METADATA as it lies in the wheel, byte for byte, so that resolvers need not fetch the wheel."""
        download = self.download(name, version, filename)
        body, etag = downloading.metadata_of(download), f'"{download.artifact.metadata_sha256}"'
        return _plainly(caching.conditional(request, body, etag, self.actor, "text/plain; charset=utf-8"))


class ProvenanceDoor(_OfFile):
    """`/files/{name}/{version}/{filename}.provenance` and `/integrity/{name}/{version}/{filename}/provenance`."""

    def get(self, request: Request, name: str, version: str, filename: str) -> HttpResponseBase:
        """The attestations that came with the file (PEP 740). Nobody has verified them here."""
        download = self.download(name, version, filename)
        publisher = {"kind": "CodeSync Registry", "project": download.artifact.release.project.slug, "verified": False}
        said = attestations.provenance(publisher, downloading.attestations_of(download))
        body = caching.dumps(said)
        etag = documents.build_etag(body)
        return _plainly(caching.conditional(request, body, etag, self.actor, PROVENANCE_TYPE))


def _plainly(answer: HttpResponseBase) -> HttpResponseBase:
    """What comes out of an archive is never run by a browser."""
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer
