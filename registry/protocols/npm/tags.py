"""Dist-tags, moved and taken away by `npm dist-tag`."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from registry import tagging
from registry.errors import InvalidInput
from registry.protocols.npm.packuments import NpmDoor


class DistTagDoor(NpmDoor):
    """`/-/package/{name}/dist-tags/{tag}`."""

    def put(self, request: Request, name: str, tag: str) -> Response:
        """Let the tag lead to the version that the body names, a JSON string."""
        self.actor.need("publish")
        version: Any = request.data  # DRF's stubs know of objects and arrays alone
        if not isinstance(version, str):
            raise InvalidInput("Send the version as a JSON string.")
        tagging.put(self.package(name), tag, version, self.actor)
        return Response({"ok": f"{tag} leads to {version}", "success": True}, status=201)

    def delete(self, request: Request, name: str, tag: str) -> Response:
        """Take the tag away; `latest` stays."""
        self.actor.need("publish")
        tagging.remove(self.package(name), tag, self.actor)
        return Response({"ok": f"{tag} is removed", "success": True})
