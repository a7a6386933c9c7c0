"""`npm stage`: publish for a person to look at first; the review queue in npm's words."""

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from registry import staging
from registry.api.downloads import send
from registry.api.reading import text_of
from registry.errors import InvalidInput
from registry.models import Release
from registry.protocols.npm import publications, writing
from registry.protocols.npm.packuments import NpmDoor

MOST = 100
LAST_PAGE = 100_000


class StagePackageDoor(NpmDoor):
    """`/-/stage/package/{name}`."""

    is_public = False

    def post(self, request: Request, name: str) -> Response:
        """201 with the id under which it waits; the body is that of a publish, new packages included."""
        self.actor.need("publish", narrow=True)
        with publications.received(request._request) as said:  # noqa: SLF001  # DRF's own stream would be parsed
            release = writing.accept(said, name, self, is_staged=True)
        told = f"{name} {release.version} is staged and waits for a maintainer: {writing.page_of(request, release)}"
        return Response({"message": told, "stageId": release.stage_id}, status=201)


class StageDoor(NpmDoor):
    """`/-/stage`."""

    is_public = False

    def get(self, request: Request) -> Response:
        """What the caller may approve or has staged, by pages from 0 on; `package` names one."""
        page, size = _number(request, "page", 0, 0, LAST_PAGE), _number(request, "perPage", MOST, 1, MOST)
        found, total = staging.listed(self.actor, text_of(request, "package"), page * size, size)
        body = {"items": [_item(one) for one in found], "page": page, "perPage": size, "total": total}
        return Response(body, headers={"Cache-Control": "no-store"})


class StagedDoor(NpmDoor):
    """`/-/stage/{id}`."""

    is_public = False

    def get(self, request: Request, id: UUID) -> Response:
        """One staged version."""
        return Response(_item(staging.find(id, self.actor)), headers={"Cache-Control": "no-store"})

    def delete(self, request: Request, id: UUID) -> Response:
        """Reject it, or take it back."""
        staging.drop(id, self.actor)
        return Response(status=204)


class StagedTarballDoor(NpmDoor):
    """`/-/stage/{id}/tarball`."""

    is_public = False

    def get(self, request: Request, id: UUID) -> HttpResponseBase:
        """The file, for reviewers."""
        return send(request, staging.open_tarball(id, self.actor), self.actor, is_counted=False)


class StageApprovalDoor(NpmDoor):
    """`/-/stage/{id}/approve`."""

    is_public = False

    def post(self, request: Request, id: UUID) -> Response:
        """Approve it; 403 for one's own, 409 where a check or policy objects: that is overruled at the portal."""
        release = staging.approve(id, self.actor)
        return Response({"message": f"{release.package.name} {release.version} is approved."})


def _item(release: Release) -> dict[str, Any]:
    file = next(iter(release.artifacts.all()), None)
    return {
        "id": release.stage_id,
        "packageName": release.package.name,
        "version": release.version,
        "tag": release.requested_tag or "latest",
        "createdAt": release.submitted_at,
        "actor": release.submitted_by.username if release.submitted_by else "",
        "actorType": "user",
        "access": "restricted" if release.package.is_private else "public",
        "shasum": file.sha1 if file else "",
    }


def _number(request: Request, name: str, otherwise: int, least: int, most: int) -> int:
    text = request.query_params.get(name, str(otherwise))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise InvalidInput(f"{name} is a number from {least} to {most}.", details={name: ["out of range"]})
    return int(text)
