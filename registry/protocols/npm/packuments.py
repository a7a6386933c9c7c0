"""What npm's clients read of a package: its packument, one manifest of it, its dist-tags."""

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from registry import covering, documents, downloading, resolving
from registry.api import caching
from registry.documents import Stored
from registry.ecosystems.indexes import IndexDocument
from registry.ecosystems.npm_index import ABBREVIATED, ABBREVIATED_TYPE, FULL
from registry.errors import NotFound
from registry.models import Package
from registry.protocols.indexes import ClientDoor, Wanted, index_answer, own_document, placed

WRITING = frozenset({"publish", "unpublish", "deprecate", "dist-tag", "owner", "access", "stage", "version"})


class NpmDoor(ClientDoor):
    """A door of the npm protocol."""

    base = "/npm"

    def package(self, name: str) -> Package:
        """The package, if the caller may know of it. Raises NotFound or NotCovered."""
        return resolving.find_package(name, self.actor, "npm")


class PackumentDoor(NpmDoor):
    """`/{name}`."""

    has_stored = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Whoever gets the stored document gets it before any framework machinery runs; the rest goes its way."""
        answer = self.stored(request, kwargs["name"]) if request.method in ("GET", "HEAD") else None
        return super().dispatch(request, *args, **kwargs) if answer is None else answer

    @classmethod
    def wanted(cls, name: str, path: str, accept: str, query: Mapping[str, str]) -> Wanted | None:
        """The packument, abbreviated for who installs."""
        return Wanted("npm", name, _kind(accept, query))

    def get(self, request: Request, name: str) -> HttpResponseBase:
        """In full, or abbreviated for `application/vnd.npm.install-v1+json`; only versions that may be had."""
        kind = _kind(request.headers.get("Accept", ""), request.GET)
        answer = index_answer(request, "npm", name, kind, self.actor, self.base_address, is_reading=_installs(request))
        if answer is None:
            raise NotFound(nothing_to_have(self.package(name)))
        return answer


class ManifestDoor(NpmDoor):
    """`/{name}/{version}`."""

    def get(self, request: Request, name: str, version: str) -> HttpResponseBase:
        """The version's package.json with its `dist`; 403 with the reason where the version may not be had."""
        package = self.package(name)
        release = resolving.find_release(package, version, self.actor)
        downloading.refuse_unless_allowed(release, self.actor)
        found = _read(package, self)["versions"].get(release.version)
        if found is None:
            raise NotFound(f"{package.name} {release.version} is not listed any more.")
        return caching.conditional_json(request, found, self.actor)


class DistTagsDoor(NpmDoor):
    """`/-/package/{name}/dist-tags`."""

    def get(self, request: Request, name: str) -> Response:
        """Tags that point at versions which may be had; for the holder of a license key, at those that it covers."""
        tags = _read(self.package(name), self)["dist-tags"]
        return Response(tags, headers=caching.revalidated(self.actor))


def _read(package: Package, door: NpmDoor) -> dict[str, Any]:
    """The packument as the caller reads it, to take something out: the stored one, since making one takes a second.

    One of their own is made for the holder of a license key alone. The caller has asked whether they see the package.
    """
    document: Stored | IndexDocument | None
    if covering.is_restricted(package, door.actor):
        document = own_document(package, FULL, door.actor)
    else:
        document = documents.read_bytes(package.name, "npm", FULL)
    if document is None:  # nothing of it may be had
        return {"versions": {}, "dist-tags": {}}
    found: dict[str, Any] = json.loads(placed(document.body, door.base_address))
    return found


def nothing_to_have(package: Package) -> str:
    """Why there is no packument of a package that is known here."""
    newest = package.releases.listed().order_by("-submitted_at").first()
    if newest is None:
        return f"No version of {package.name} is listed here any more."
    return f"No version of {package.name} may be had yet. {newest.version} is {newest.status}: {newest.held_because}"


def _installs(request: Request) -> bool:
    """Whether it is asked for to install from: who is about to publish a name must not have it told to anyone."""
    command = request.headers.get("npm-command", "")
    return request.GET.get("write") != "true" and command not in WRITING


def _kind(accept: str, query: Mapping[str, str]) -> str:
    return ABBREVIATED if ABBREVIATED_TYPE in accept and query.get("write") != "true" else FULL
