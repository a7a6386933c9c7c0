"""Waivers: those that a caller may see, a new one, and the end of one."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import Actor
from accounts.api.answers import in_query, plain, route
from accounts.api.doors import Door
from accounts.models import Project
from accounts.wording import storable
from registry.api import paging
from registry.api.reading import text_of, word_of
from registry.errors import NotFound
from scanning import waiving
from scanning.api.shapes import WAIVER_STATES, WaiverRow, Waivers, WantedWaiver
from scanning.models import Waiver
from scanning.models.waivers import WaiverQuerySet

TAG = "Security"
FILTERS = [
    in_query("status", "Only those that hold, that were ended, or that ran out", enum=WAIVER_STATES),
    in_query("project", "Only those for the versions of this project"),
    in_query("package", "Only those about this package"),
    in_query("finding", "Only those about this id"),
]


class WaiversDoor(Door):
    """`/security/waivers`."""

    @route("Waivers", TAG, {200: Waivers}, parameters=[*FILTERS, *paging.PARAMETERS])
    def get(self, request: Request) -> Response:
        """Those for the caller's projects, for maintainers all; the last given first."""
        page = paging.Paging.of(request)
        found = _filtered(request, waiving.visible_to(self.actor))
        total = found.count()
        rows = [row(waiver) for waiver in found.select_related("owner", "project").order_by("-pk")[page.rows]]
        return Response({"waivers": rows, **page.figures(total)}, headers={"Link": page.links(request, total)})

    @route("Waive a finding", TAG, {201: WaiverRow}, 404, 413, 415, request=WantedWaiver)
    def post(self, request: Request) -> Response:
        """A maintainer answers for it, with a reason and an end. Needs the scope `review`."""
        self.actor.need("review")
        wanted = WantedWaiver.read(request.data)
        waiver = Waiver(
            identifier=wanted["finding"],
            ecosystem=wanted["ecosystem"],
            package=wanted["package"],
            version_range=wanted["versions"],
            project=_project(wanted.get("project", ""), self.actor),
            reason=wanted["reason"],
            expires_at=wanted["expires_at"],
        )
        given = waiving.give(waiver, self.actor)
        return Response(row(given), status=201, headers={"Location": f"/api/v1/security/waivers/{given.pk}"})


class WaiverDoor(Door):
    """`/security/waivers/{id}`."""

    @route("One waiver", TAG, {200: WaiverRow}, 404)
    def get(self, request: Request, id: int) -> Response:
        """Who answers for what, why, and until when."""
        return Response(row(_find(id, self.actor)))

    @route("End a waiver", TAG, {204: plain("It holds no longer; what it let through is judged again.")}, 404, 409)
    def delete(self, request: Request, id: int) -> Response:
        """Before its time, at once. It stays in the list. Needs the scope `review`."""
        self.actor.need("review")
        waiving.end(_find(id, self.actor), self.actor)
        return Response(status=204)


def row(waiver: Waiver) -> dict[str, Any]:
    """A waiver as the API shows it."""
    return {
        "id": waiver.pk,
        "finding": waiver.identifier,
        "ecosystem": waiver.ecosystem,
        "package": waiver.package,
        "versions": waiver.version_range,
        "project": waiver.project.slug,
        "reason": waiver.reason,
        "owner": waiver.owner.username,
        "status": waiver.state,
        "created_at": waiver.created_at,
        "expires_at": waiver.expires_at,
        "ended_at": waiver.ended_at,
    }


def _filtered(request: Request, found: WaiverQuerySet) -> WaiverQuerySet:
    for parameter, column in (("project", "project__slug"), ("package", "package"), ("finding", "identifier")):
        if text := text_of(request, parameter):
            found = found.filter(**{column: text})
    state = word_of(request, "status", among=WAIVER_STATES)
    return found.in_state(state) if state else found


def _find(id: int, actor: Actor) -> Waiver:
    found = waiving.visible_to(actor).select_related("owner", "project").filter(pk=min(id, 2**63 - 1)).first()
    if found is None:
        raise NotFound("There is no waiver with this id here. GET /security/waivers lists them.")
    return found


def _project(slug: str, actor: Actor) -> Project:
    """The project that is named, else the one of the request."""
    found = Project.objects.filter(slug=storable(slug, 64)).first() if slug else actor.project
    if found is None or not actor.sees_project(found.pk):
        raise NotFound("There is no such project here. Name one by its slug.")
    return found
