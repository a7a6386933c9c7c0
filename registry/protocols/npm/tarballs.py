"""The bytes of a version, as npm's clients ask for them."""

from django.http import HttpResponseBase
from rest_framework.request import Request

from registry import downloading, resolving
from registry.api.downloads import send
from registry.errors import NotFound
from registry.models import Release
from registry.protocols.npm.packuments import NpmDoor


class TarballDoor(NpmDoor):
    """`/{name}/-/{file}.tgz`."""

    def get(self, request: Request, name: str, filename: str) -> HttpResponseBase:
        """The file, if every gate allows it; otherwise 403, and npm shows its user why. Counts a download."""
        package = self.package(name)
        version = filename.removeprefix(f"{package.name.rpartition('/')[2]}-").removesuffix(".tgz")
        release = resolving.find_release(package, version, self.actor)
        if not _is_file_of(release, filename):
            raise NotFound(f"{package.name} has no file {filename[:200]}.")
        return send(request, downloading.open_artifact(release, self.actor), self.actor)


def _is_file_of(release: Release, filename: str) -> bool:
    """Whether the address names this version's file, and not one of its tags."""
    return filename.endswith(f"-{release.version}.tgz")
