"""Keyless publishing over HTTP: trusted pipelines as npm manages them, and the exchanges that npm and twine ask for.

The exchanges stand at the root of the host, since clients look for them there whatever path the registry has.
"""

from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.addresses import client_address, origin_of
from accounts.api.doors import Door
from accounts.api.strict import StrictSerializer, Text
from accounts.errors import Unauthenticated
from accounts.id_tokens import LONGEST
from registry import resolving
from registry.errors import InvalidInput
from registry.models import Package, TrustedPublisher
from registry.protocols.indexes import ClientDoor
from registry.trusting import exchanging, managing

NO_STORE = {"Cache-Control": "no-store"}


class TrustsDoor(ClientDoor):
    """`/-/package/{name}/trust`."""

    ecosystem: ClassVar[str] = "npm"
    is_public = False

    def package(self, name: str) -> Package:
        """The package, if the caller may know of it."""
        self.actor.need("publish")
        return resolving.find_package(name, self.actor, self.ecosystem)

    def get(self, request: Request, name: str) -> Response:
        """The pipelines that may publish it; for members of its project."""
        found = managing.listed(self.package(name), self.actor)
        return Response([_shape(one) for one in found], headers=NO_STORE)

    def post(self, request: Request, name: str) -> Response:
        """Trust one more; npm sends a list of one."""
        package = self.package(name)
        given = request.data[0] if isinstance(request.data, list) and len(request.data) == 1 else request.data
        if not isinstance(given, dict):
            raise InvalidInput("Send one pipeline: its type, claims and permissions.")
        return Response([_shape(managing.trust(package, given, self.actor))], status=201, headers=NO_STORE)


class TrustDoor(TrustsDoor):
    """`/-/package/{name}/trust/{id}`."""

    http_method_names = ("delete", "options")

    def delete(self, request: Request, name: str, id: UUID) -> Response:
        """Trust it no more."""
        managing.take_back(self.package(name), id, self.actor)
        return Response(status=204)


class _AskedByPipelines(Door):
    """Who asks says so by an ID token, which is no credential of ours."""

    authentication_classes: ClassVar[list[Any]] = []  # type: ignore[misc]  # DRF keeps a sequence per class
    is_public = True
    schema = None  # type: ignore[assignment]  # so that OpenAPI leaves it out, as other protocols
    kind: ClassVar[str] = ""

    @property
    def audience(self) -> str:
        """For whom the ID token must be meant: this host, and clients of this kind."""
        return f"{self.kind}:{urlsplit(origin_of(self.request)).hostname}"


class ExchangeDoor(_AskedByPipelines):
    """`/-/npm/v1/oidc/token/exchange/package/{name}`."""

    kind = "npm"
    public_methods = ("POST",)

    def post(self, request: Request, name: str, project: str = "") -> Response:
        """201 with a token that publishes one version of this package within 15 minutes."""
        scheme, _, raw = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("Send the ID token of the run as a bearer token.")
        minted = exchanging.exchange(raw.strip(), self.audience, "npm", name, client_address(request))
        answer = {"token": minted.raw, "token_type": "oidc", "expires": minted.expires_at}
        return Response(answer, status=201, headers=NO_STORE)


class AudienceDoor(_AskedByPipelines):
    """`/_/oidc/audience`."""

    kind = "pypi"

    def get(self, request: Request) -> Response:
        """What twine has the ID token made out to."""
        return Response({"audience": self.audience}, headers=NO_STORE)


class AskedToken(StrictSerializer):
    """What twine sends."""

    token = Text(max_length=LONGEST)


class MintDoor(_AskedByPipelines):
    """`/_/oidc/mint-token`."""

    kind = "pypi"
    public_methods = ("POST",)

    def post(self, request: Request) -> Response:
        """A token that publishes one version, with all its files, of a package that trusts the run."""
        raw = AskedToken.read(request.data)["token"]
        minted = exchanging.exchange(raw, self.audience, "pypi", address=client_address(request))
        expires = int(minted.expires_at.timestamp())
        return Response({"success": True, "token": minted.raw, "expires": expires}, headers=NO_STORE)

    def handle_exception(self, exc: Exception) -> Response:
        """The refusal as twine reads it, too."""
        answer = super().handle_exception(exc)
        if isinstance(answer.data, dict) and "error" in answer.data:
            said = answer.data["error"]
            errors = [{"code": answer.data["details"].get("code", "refused"), "description": said}]
            answer.data |= {"message": said, "errors": errors}
        return answer


def _shape(one: TrustedPublisher) -> dict[str, Any]:
    return {
        "id": one.pk,
        "type": one.provider,
        "issuer": one.issuer,
        "claims": {**one.pinned, **one.claims},
        "permissions": managing.permissions_of(one),
        "created": one.created_at,
        "created_by": one.created_by.username,
        "last_used": one.last_used_at,
    }
