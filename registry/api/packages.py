"""One package, served as the bytes that were built when it last changed; and which version a range means."""

from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import Actor
from accounts.api.answers import in_query, plain, route
from accounts.api.doors import Door
from accounts.errors import RegistryError
from registry import describing, documents, resolving
from registry.api import caching
from registry.api.reading import ECOSYSTEM, FILLED, boolean, ecosystem_of, text_of
from registry.api.shapes import PackageDetail, Resolution
from registry.errors import NotFound

TAG = "Packages"
SAME = plain("You have it already.")
DEPTH = in_query(
    "depth",
    "`shallow` or `0` (default: direct ranges only), `1` to `20`, or `full`: adds `dependency_tree`",
    type={"type": "string", "pattern": "^(shallow|full|0?[0-9]|1[0-9]|20)$"},
)


class PackageDoor(Door):
    """`/packages/{name}`."""

    is_public = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Whoever gets the stored document gets it before any framework machinery runs; the rest goes its way."""
        if request.method in ("GET", "HEAD") and "depth" not in request.GET:
            answer = stored_answer(request, kwargs["name"])
            if answer is not None:
                return answer
        return super().dispatch(request, *args, **kwargs)

    @route("One package", TAG, {200: PackageDetail, 304: SAME}, 404, 422, parameters=[ECOSYSTEM, DEPTH])
    def get(self, request: Request, name: str) -> HttpResponseBase:
        """Everything about it; e-mail addresses are masked except for maintainers and their owner."""
        depth = resolving.depth_from(text_of(request, "depth") if "depth" in request.GET else "0")
        package = resolving.find_package(name, self.actor, ecosystem_of(request))
        detail = describing.package(package, self.actor)
        detail["also_in"] = resolving.also_in(package, self.actor)
        if depth:
            latest = resolving.find_release(package, "latest", self.actor) if package.latest_version else None
            detail["dependency_tree"] = resolving.tree(latest, depth, self.actor) if latest else None
        return caching.conditional_json(request, detail, self.actor)


def stored_answer(request: HttpRequest, name: str) -> HttpResponse | None:
    """The stored document as an answer: one indexed query, no serialisation.

    None where it is not what this caller should see, or where there is an error to tell: then the door decides.
    """
    try:
        actor: Actor = request.actor  # type: ignore[attr-defined]  # set by WhoIsAsking
        ecosystem = request.GET.get("ecosystem")
        found = documents.read_bytes(name, ecosystem or "") if actor.kind and ecosystem != "" else None
    except (RegistryError, OperationalError, InterfaceError):
        return None
    if found is None or not _is_for(found, actor):
        return None
    return caching.conditional(request, found.body, found.etag, actor)


def _is_for(document: documents.Stored, actor: Actor) -> bool:
    """Whether the public form is what the actor should see: nothing hidden from them, no address of theirs masked."""
    if actor.is_anonymous:
        return not document.private
    if document.private or actor.is_maintainer:
        return False
    return actor.user is None or documents.mask_email(actor.user.email).encode() not in document.body


class ResolveDoor(Door):
    """`/packages/{name}/resolve`."""

    is_public = True

    @route(
        "The version that a range means",
        TAG,
        {200: Resolution},
        404,
        parameters=[
            in_query("range", "A range in the ecosystem's own notation", required=True, type=FILLED),
            in_query("prerelease", "Let pre-releases satisfy the range", enum=["true", "false"], default="false"),
            ECOSYSTEM,
        ],
    )
    def get(self, request: Request, name: str) -> Response:
        """What an installer would choose among the approved versions held here."""
        wanted = text_of(request, "range", required=True)
        prerelease = boolean(request, "prerelease")
        package = resolving.find_package(name, self.actor, ecosystem_of(request))
        version, candidates = resolving.resolve(package, wanted, prerelease, self.actor)
        if version is None:
            raise NotFound(f"No approved version of {package.name} satisfies {wanted}.")
        answer = {"name": package.name, "range": wanted, "version": version, "candidates": candidates}
        return Response(answer, headers=caching.revalidated(self.actor))
