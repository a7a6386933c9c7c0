"""Decisions over HTTP: approve or reject a version."""

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.answers import route
from accounts.api.doors import Door
from registry import approving, describing, resolving
from registry.api.reading import ECOSYSTEM, ecosystem_of
from registry.api.shapes import Approval, Rejection, Version
from registry.models import Release

TAG = "Review"
ERRORS = (404, 409, 413, 415)


class _ReviewDoor(Door):
    """What both decisions share: the version, and the answer about it."""

    def release(self, name: str, version: str) -> Release:
        """The version to decide over, for those who may decide."""
        self.actor.need("review")
        package = resolving.find_package(name, self.actor, ecosystem_of(self.request))
        return resolving.find_release(package, version, self.actor)

    def answer(self, release: Release) -> Response:
        """The version as it stands now."""
        return Response(describing.version(release, self.actor))


class ApproveDoor(_ReviewDoor):
    """`…/versions/{version}/approve`."""

    @route("Approve a version", TAG, {200: Version}, *ERRORS, request=Approval, parameters=[ECOSYSTEM])
    def post(self, request: Request, name: str, version: str) -> HttpResponseBase:
        """Over a failed check it needs `override` and a reason. Needs the scope `review`."""
        release = self.release(name, version)
        return self.answer(approving.approve(release, self.actor, **Approval.read(request.data)))


class RejectDoor(_ReviewDoor):
    """`…/versions/{version}/reject`."""

    @route("Reject a version", TAG, {200: Version}, *ERRORS, request=Rejection, parameters=[ECOSYSTEM])
    def post(self, request: Request, name: str, version: str) -> HttpResponseBase:
        """Its submitter will read the reason. Needs the scope `review`."""
        release = self.release(name, version)
        return self.answer(approving.reject(release, self.actor, **Rejection.read(request.data)))
