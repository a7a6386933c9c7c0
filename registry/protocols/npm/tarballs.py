"""The bytes of a version, as npm's clients ask for them."""

from django.http import HttpResponseBase
from rest_framework.request import Request

from accounts.addresses import origin_of
from registry.api.downloads import send
from registry.errors import NotFound
from registry.models import Release
from registry.protocols.indexes import opened
from registry.protocols.npm.packuments import NpmDoor
from registry.upstreams.through import errands


class TarballDoor(NpmDoor):
    """`/{name}/-/{file}.tgz`."""

    def get(self, request: Request, name: str, filename: str) -> HttpResponseBase:
        """The file, if every gate allows it; otherwise 403, and npm shows its user why. Counts a download."""
        version = filename.removeprefix(f"{name.rpartition('/')[2]}-").removesuffix(".tgz")
        release = errands.find_release("npm", name, version, self.actor)
        if not _is_file_of(release, filename):
            raise NotFound(f"{release.package.name} has no file {filename[:200]}.")
        return send(request, opened(release, self.actor, origin_of(request)), self.actor)


def _is_file_of(release: Release, filename: str) -> bool:
    """Whether the address names this version's file, and not one of its tags."""
    return filename.endswith(f"-{release.version}.tgz")
