"""Whether the registry is there, and who it takes the client for."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import Unauthenticated
from registry.protocols.npm.packuments import NpmDoor


class PingDoor(NpmDoor):
    """`/-/ping`."""

    def get(self, request: Request) -> Response:
        """An empty object: the registry is there."""
        return Response({})


class WhoAmIDoor(NpmDoor):
    """`/-/whoami`."""

    is_public = False

    def get(self, request: Request) -> Response:
        """The user behind the token."""
        if self.actor.user is None:
            raise Unauthenticated("Log in first: npm login, or an _authToken in .npmrc.")
        return Response({"username": self.actor.user.username})
