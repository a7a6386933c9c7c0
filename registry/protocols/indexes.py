"""Index documents over HTTP: the stored bytes for who sees what everybody sees, made anew for the others."""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple
from urllib.parse import quote

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from accounts.actors import Actor
from accounts.addresses import origin_of
from accounts.api.doors import Door
from accounts.errors import RegistryError
from registry import covering, documents, downloading, indexing, resolving
from registry.api import caching
from registry.documents import Stored
from registry.ecosystems.indexes import ORIGIN, IndexDocument
from registry.errors import Forbidden
from registry.models import Package, Release
from registry.upstreams.through import allowing, offering

NOTICE = "npm-notice"
SOURCE = "X-Pulled-Through"  # the upstream that some of an index was heard from: it is not the stored one
VARY = f"Accept, {caching.VARY}"


class Wanted(NamedTuple):
    """A stored document as it is asked for; `content_type` is given where it is sent under another than its own."""

    ecosystem: str
    name: str
    kind: str
    content_type: str = ""


class ClientDoor(Door):
    """A door below the base address that a client is configured with, which may name a project (`/npm/acme/`).

    Who is asking has taken the project from the same URL table, so the views need it for addresses only.
    """

    is_public = True
    schema = None  # type: ignore[assignment]  # so that OpenAPI leaves it out: these protocols are described elsewhere
    base: ClassVar[str] = ""
    has_stored: ClassVar[bool] = False  # whether `wanted` may have an answer

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Keep the project for the addresses that answers hold."""
        self.base_address = self.address_for(request, kwargs)
        self.project_slug: str = kwargs.pop("project", "")
        return super().dispatch(request, *args, **kwargs)

    @classmethod
    def wanted(cls, name: str, path: str, accept: str, query: Mapping[str, str]) -> Wanted | None:
        """The stored document that answers to this address, for whoever sees what it holds; None where none does."""
        return None

    @classmethod
    def base_for(cls, project: str | None) -> str:
        """The path of what a client has configured as its registry, without the last slash."""
        return f"{cls.base}/{project}" if project else cls.base

    def stored(self, request: HttpRequest, name: str) -> HttpResponse | None:
        """The stored document that this door would answer with, without any framework machinery; else None."""
        wanted = self.wanted(name, request.path, request.headers.get("Accept", ""), request.GET)
        try:
            actor: Actor = request.actor  # type: ignore[attr-defined]  # set by WhoIsAsking
            found = stored_document(wanted, actor) if wanted is not None and actor.kind else None
        except (RegistryError, OperationalError, InterfaceError):  # which the door meets again, and answers
            return None
        if wanted is None or found is None:
            return None
        document = IndexDocument(wanted.kind, wanted.content_type or found.content_type, found.body, found.notice)
        return _answer(request, document, found.etag, actor, self.address_for(request, self.kwargs))

    def address_for(self, request: HttpRequest, kwargs: Mapping[str, Any]) -> str:
        """What the client has configured as its registry, without the last slash."""
        return origin_of(request) + self.base_for(kwargs.get("project"))


def stored_document(wanted: Wanted, actor: Actor) -> Stored | None:
    """The document as it is stored, by one indexed query; None where it is not what this actor should see."""
    if allowing.adds_to_indexes(wanted.ecosystem, actor):
        return None
    found = documents.read_bytes(wanted.name, wanted.ecosystem, wanted.kind)
    return None if found is None or (found.private and not actor.sees_project(found.project_id)) else found


def index_answer(
    request: HttpRequest,
    ecosystem: str,
    name: str,
    kind: str,
    actor: Actor,
    base_address: str,
    *,
    is_reading: bool = True,
) -> HttpResponse | None:
    """The index with what upstreams have besides, else the stored one, else one of this caller's own.

    None where the name stands here, and nothing of it may be had. Raises NotFound, NotCovered, and what
    `through.offering` raises.
    """
    offered = offering.document(ecosystem, name, kind, actor) if is_reading else None
    if offered is not None:
        answer = _answer(request, offered.document, documents.build_etag(offered.document.body), actor, base_address)
        answer.headers[SOURCE] = offered.upstream
        answer.headers["Cache-Control"] = "private, no-cache"
        return answer
    package = resolving.find_package(name, actor, ecosystem)
    return own_answer(request, package, kind, actor, base_address)


def opened(release: Release, actor: Actor, address: str, filename: str = "") -> downloading.Download:
    """The file, if every gate allows it; the refusal of what waits for a decision says where it waits.

    `address` is that of the portal, as the client came by it.
    """
    try:
        return downloading.open_artifact(release, actor, filename)
    except Forbidden as refusal:
        if release.status == Release.Status.PENDING:
            package = release.package
            version = quote(release.version, safe="+")
            place = f"/packages/{package.ecosystem}/{quote(package.name, safe='@/')}/versions/{version}"
            refusal.message = f"{refusal.message} It waits at {address}{place}"
            refusal.args = (refusal.message,)
        raise


def own_document(package: Package, kind: str, actor: Actor) -> IndexDocument | None:
    """The document made of what this caller may have, as the holder of a license key; None where that is nothing."""
    releases = covering.covered(documents.releases_of(package), actor)
    tags = documents.dist_tags(package, releases, documents.latest_of(package.ecosystem, releases))
    return next((one for one in indexing.documents_of(package, releases, tags) if one.kind == kind), None)


def own_answer(
    request: HttpRequest, package: Package, kind: str, actor: Actor, base_address: str
) -> HttpResponse | None:
    """The same as an answer. Raises NotCovered where the holder's key opens no version at all."""
    if covering.is_restricted(package, actor):
        covering.latest(package, actor)
    document = own_document(package, kind, actor)
    if document is None:
        return None
    return _answer(request, document, documents.build_etag(document.body), actor, base_address)


def placed(body: bytes, base_address: str) -> bytes:
    """The document with the addresses that this client reaches us under."""
    return body.replace(ORIGIN.encode(), base_address.encode())


def told_with(notice: str, actor: Actor) -> dict[str, str]:
    """The headers of an index: who may keep it, what it depends on, and what clients tell their users beside it."""
    told = {**caching.revalidated(actor), "Vary": VARY}
    return {**told, NOTICE: notice} if notice else told


def _answer(request: HttpRequest, document: IndexDocument, etag: str, actor: Actor, base_address: str) -> HttpResponse:
    body = placed(document.body, base_address)
    answer = caching.conditional(request, body, etag, actor, document.content_type)
    for name, value in told_with(document.notice, actor).items():
        answer.headers[name] = value
    return answer
