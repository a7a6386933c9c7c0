"""One version: reading it, its bill of materials, its signature; unlisting and restoring it."""

from django.http import HttpResponse, HttpResponseBase
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.answers import plain, route
from accounts.api.doors import Door
from registry import bills, describing, documents, resolving, retiring
from registry.api import caching
from registry.api.reading import ECOSYSTEM, ecosystem_of
from registry.api.shapes import Unlisted, Version
from registry.models import Release

TAG = "Packages"
SAME = plain("You have it already.")
BILL = "application/vnd.cyclonedx+json; version=1.6"
BILL_SHAPE = OpenApiResponse({"type": "object", "additionalProperties": True}, description="CycloneDX 1.6.")
ARMORED = OpenApiResponse(OpenApiTypes.STR, description="The armored SSHSIG; X-Allowed-Signer names its key.")


class _OneVersion(Door):
    """A door to one version that the actor may see."""

    def release(self, name: str, version: str) -> Release:
        """The version or what the dist-tag points at."""
        package = resolving.find_package(name, self.actor, ecosystem_of(self.request))
        return resolving.find_release(package, version, self.actor)


class VersionDoor(_OneVersion):
    """`…/versions/{version}`."""

    is_public = True

    @route("One version with its checks", TAG, {200: Version, 304: SAME}, 404, 410, parameters=[ECOSYSTEM])
    def get(self, request: Request, name: str, version: str) -> HttpResponseBase:
        """A dist-tag will do for the version; a removed version is 410."""
        shape = describing.version(self.release(name, version), self.actor)
        return caching.conditional_json(request, shape, self.actor)

    @route("Unlist a version", TAG, {202: Unlisted}, 404, 409, 410, parameters=[ECOSYSTEM])
    def delete(self, request: Request, name: str, version: str) -> Response:
        """Gone from lists at once; its file goes after the grace. Needs the scope `admin`."""
        self.actor.need("admin")
        release = self.release(name, version)
        describing.refuse_removed(release)
        retiring.unlist(release, self.actor)
        answer = {
            "name": release.package.name,
            "version": release.version,
            "status": "unlisted",
            "unlisted_at": release.unlisted_at,
            "purge_at": release.purge_at,
        }
        return Response(answer, status=202)


class RestoreDoor(_OneVersion):
    """`…/versions/{version}/restore`."""

    @route("Undo an unlisting", TAG, {200: Version}, 404, 409, 410, request=None, parameters=[ECOSYSTEM])
    def post(self, request: Request, name: str, version: str) -> Response:
        """While the file is still here. Needs the scope `admin`."""
        self.actor.need("admin")
        release = self.release(name, version)
        describing.refuse_removed(release)
        return Response(describing.version(retiring.restore(release, self.actor), self.actor))


class SbomDoor(_OneVersion):
    """`…/versions/{version}/sbom`."""

    is_public = True

    @route(
        "Its bill of materials", TAG, {(200, "application/vnd.cyclonedx+json"): BILL_SHAPE, 304: SAME}, 404, 410, 422,
        parameters=[ECOSYSTEM],
    )  # fmt: skip
    def get(self, request: Request, name: str, version: str) -> HttpResponseBase:
        """CycloneDX 1.6 JSON of the version and all it brings along, as far as it is held here.

        With what is known against each component. Where a waiver of its project accepts a risk, those who see the
        project find it as the analysis, and never as `not_affected`.
        """
        body = bills.write(self.release(name, version), self.actor)
        return caching.conditional(request, body, documents.build_etag(body), self.actor, BILL)


class SignatureDoor(_OneVersion):
    """`…/versions/{version}/signature`."""

    is_public = True

    @route("Its signature", TAG, {(200, "text/plain"): ARMORED, 304: SAME}, 404, 410, parameters=[ECOSYSTEM])
    def get(self, request: Request, name: str, version: str) -> HttpResponseBase:
        """The armored signature, for `ssh-keygen -Y verify`; the header X-Allowed-Signer goes into its file."""
        artifact = describing.signature(self.release(name, version))
        body = artifact.signature.encode()
        answer: HttpResponse = caching.conditional(
            request, body, documents.build_etag(body), self.actor, "text/plain; charset=us-ascii"
        )
        answer["Content-Disposition"] = content_disposition_header(True, f"{artifact.filename}.sig") or "attachment"
        answer["X-Allowed-Signer"] = f'{artifact.signer} namespaces="codesync" {artifact.signature_public_key}'
        return answer
