"""What npm's clients change: publish, deprecate, unpublish."""

from typing import Any

from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.addresses import origin_of
from registry import deprecating, publishing, resolving, retiring
from registry.errors import Conflict, Forbidden, NotFound, Refused
from registry.indexing import as_ascii
from registry.models import Package, Release
from registry.protocols.indexes import NOTICE, own_document
from registry.protocols.npm import packument_changes, publications
from registry.protocols.npm.packuments import NpmDoor, PackumentDoor, nothing_to_have
from registry.protocols.npm.publications import Publication, Said

UNSIGNED = (
    "This project takes signed archives only, and npm sends no signatures. Publish with `codesync publish` or over "
    "the API (POST /api/v1/packages/publish with X-Signature); or an owner of the project makes signatures optional."
)


class PackageDoor(PackumentDoor):
    """`/{name}`, written to: a publish carries a tarball, a deprecation the packument without one."""

    def put(self, request: Request, name: str) -> Response:
        """201 once the version is kept: it waits for its checks, at least, and `npm-notice` says so."""
        self.actor.need("publish", narrow=True)
        with publications.received(request._request) as said:  # noqa: SLF001  # DRF's own stream would be parsed
            if said.staged is None and not said.document.get("_attachments"):
                return self._deprecate(name, said.document)
            return self._answer(accept(said, name, self))

    def _answer(self, release: Release) -> Response:
        address = page_of(self.request, release)
        name, version = release.package.name, release.version
        notice = f"{name} {version} is {release.status} here: {address} {release.held_because}"
        answer = {"ok": f"{name} {version} is kept", "success": True, "id": name, "status": release.status}
        return Response(answer | {"url": address}, status=201, headers={NOTICE: as_ascii(notice)})

    def _deprecate(self, name: str, sent: dict[str, Any]) -> Response:
        package = self.package(name)
        publishing.need_say(package, self.actor)
        before = standing(package, self)
        if not before["versions"]:
            raise NotFound(nothing_to_have(package))
        texts = packument_changes.deprecations(before, sent)
        deprecating.deprecate(package, texts, self.actor)
        return _done(package)


class RevisionDoor(NpmDoor):
    """`/{name}/-rev/{rev}`: the packument sent back with versions left out of it, or the whole package taken away."""

    def put(self, request: Request, name: str, rev: str) -> Response:
        """Unlist what is left out. A second time it changes nothing."""
        _refuse_others(self)
        package = self.package(name)
        with publications.received(request._request) as said:  # noqa: SLF001  # DRF's own stream would be parsed
            before = standing(package, self)
            gone = packument_changes.removals(before, said.document)
        if gone:
            _refuse_old(before, rev)
        for version in gone:
            unlist(resolving.find_release(package, version, self.actor), self)
        return _done(package)

    def delete(self, request: Request, name: str, rev: str) -> Response:
        """Unlist every version. A second time it changes nothing."""
        _refuse_others(self)
        package = self.package(name)
        listed = list(package.releases.listed().select_related("package__project", "project", "submitted_by"))
        if any(one.is_served for one in listed):
            _refuse_old(standing(package, self), rev)
        for release in listed:
            unlist(release, self)
        return _done(package)


class TarballRevisionDoor(NpmDoor):
    """`/{name}/-/{file}.tgz/-rev/{rev}`: the last step of `npm unpublish`; the step before has done it already."""

    def delete(self, request: Request, name: str, filename: str, rev: str, doubled: str = "") -> Response:
        """Unlist the version of that file, unless it is."""
        _refuse_others(self)
        package = self.package(name)
        version = filename.removeprefix(f"{package.name.rpartition('/')[2]}-").removesuffix(".tgz")
        release = resolving.find_release(package, version, self.actor)
        if not filename.endswith(f"-{release.version}.tgz"):
            raise NotFound(f"{package.name} has no file {filename[:200]}.")
        unlist(release, self)
        return _done(package)


def accept(said: Said, name: str, door: NpmDoor, *, is_staged: bool = False) -> Release:
    """The release made of what npm has sent; raises Forbidden where the version exists."""
    with publishing.refusals_audited("release.publish", f"npm:{name}", door.actor):
        publication = publications.read(said, name)
    try:
        return publish(publication, door, is_staged=is_staged)
    except Conflict as known:
        if known.code != "version_exists":
            raise
        # 403, since npm tries once more after 409 with whatever it finds here
        over = f"You cannot publish over {publication.name} {publication.version}: it exists already."
        refusal = Forbidden(f"{over} Raise the version number.", code=known.code)
        refusal.is_noted = True
        raise refusal from known


def publish(publication: Publication, door: NpmDoor, *, is_staged: bool = False) -> Release:
    """The release made of it; for npm's users the words about signatures are npm's."""
    try:
        return publishing.publish_upload(
            publication.staged,
            door.actor,
            tag=publication.tag,
            access=publication.access,
            filename=f"{publication.name.rpartition('/')[2]}-{publication.version}.tgz",
            agrees=publication.agrees_with,
            is_staged=is_staged,
        )
    except Refused as refusal:
        if refusal.code == "unsigned":
            raise Refused(UNSIGNED, code="unsigned", details=refusal.details) from refusal
        raise


def page_of(request: Request, release: Release) -> str:
    """Where people follow what becomes of the version."""
    package = release.package
    values = {"ecosystem": package.ecosystem, "name": package.name, "version": release.version}
    return origin_of(request) + reverse("version", kwargs=values)


def standing(package: Package, door: NpmDoor) -> dict[str, Any]:
    """The packument as the caller has read it before changing it; without versions where nothing may be had."""
    document = own_document(package, packument_changes.KIND, door.actor)
    return packument_changes.parsed(document) if document is not None else {"versions": {}, "_rev": ""}


def unlist(release: Release, door: NpmDoor) -> None:
    """Unlist it; whoever was faster has done what was asked for."""
    if release.is_unlisted:
        return
    try:
        retiring.unlist(release, door.actor, "unpublished by an npm client")
    except Conflict as done:
        if done.code != "already_unlisted":
            raise


def _refuse_others(door: NpmDoor) -> None:
    """Only admins retire versions; the others are told what they can do instead."""
    if not door.actor.is_anonymous and not door.actor.is_admin:
        raise Forbidden("Only admins unpublish here. To warn users of a version, deprecate it: `npm deprecate`.")
    door.actor.need("admin")


def _refuse_old(before: dict[str, Any], rev: str) -> None:
    if rev != before["_rev"]:
        raise Conflict("The package has changed meanwhile. Try again.", code="old_revision")


def _done(package: Package) -> Response:
    return Response({"ok": f"{package.name} is changed", "success": True, "id": package.name})
