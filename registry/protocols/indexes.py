"""Index documents over HTTP: the stored bytes for who sees what everybody sees, made anew for the others."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from accounts.actors import Actor
from accounts.addresses import origin_of
from accounts.api.doors import Door
from accounts.errors import RegistryError
from registry import covering, documents, indexing
from registry.api import caching
from registry.ecosystems.indexes import ORIGIN, IndexDocument
from registry.models import Package

NOTICE = "npm-notice"
VARY = f"Accept, {caching.VARY}"


class ClientDoor(Door):
    """A door below the base address that a client is configured with, which may name a project (`/npm/acme/`).

    Who is asking has taken the project from the same URL table, so the views need it for addresses only.
    """

    is_public = True
    schema = None  # type: ignore[assignment]  # so that OpenAPI leaves it out: these protocols are described elsewhere
    base: ClassVar[str] = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Keep the project for the addresses that answers hold."""
        self.base_address = self.address_for(request, kwargs)
        self.project_slug: str = kwargs.pop("project", "")
        return super().dispatch(request, *args, **kwargs)

    def address_for(self, request: HttpRequest, kwargs: Mapping[str, Any]) -> str:
        """What the client has configured as its registry, without the last slash."""
        project = kwargs.get("project")
        return f"{origin_of(request)}{self.base}/{project}" if project else origin_of(request) + self.base


def stored_answer(
    request: HttpRequest, ecosystem: str, name: str, kind: str, base_address: str
) -> HttpResponse | None:
    """The stored document as an answer: one indexed query, no serialisation.

    None where it is not what this caller should see, or where there is an error to tell: then the door decides.
    """
    try:
        actor: Actor = request.actor  # type: ignore[attr-defined]  # set by WhoIsAsking
        found = documents.read_bytes(name, ecosystem, kind) if actor.kind else None
    except (RegistryError, OperationalError, InterfaceError):
        return None
    if found is None or (found.private and not actor.sees_project(found.project_id)):
        return None
    document = IndexDocument(kind, found.content_type, found.body, found.notice)
    return _answer(request, document, found.etag, actor, base_address)


def own_document(package: Package, kind: str, actor: Actor) -> IndexDocument | None:
    """The document made of what this caller may have, as the holder of a license key; None where that is nothing."""
    releases = covering.covered(documents.releases_of(package), actor)
    tags = documents.dist_tags(package, releases, documents.latest_of(package.ecosystem, releases))
    return next((one for one in indexing.documents_of(package, releases, tags) if one.kind == kind), None)


def own_answer(
    request: HttpRequest, package: Package, kind: str, actor: Actor, base_address: str
) -> HttpResponse | None:
    """The same as an answer."""
    document = own_document(package, kind, actor)
    if document is None:
        return None
    return _answer(request, document, documents.build_etag(document.body), actor, base_address)


def placed(body: bytes, base_address: str) -> bytes:
    """The document with the addresses that this client reaches us under."""
    return body.replace(ORIGIN.encode(), base_address.encode())


def _answer(request: HttpRequest, document: IndexDocument, etag: str, actor: Actor, base_address: str) -> HttpResponse:
    body = placed(document.body, base_address)
    answer = caching.conditional(request, body, etag, actor, document.content_type)
    answer.headers["Vary"] = VARY
    if document.notice:
        answer.headers[NOTICE] = document.notice
    return answer
