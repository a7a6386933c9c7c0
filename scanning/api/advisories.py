"""The loaded advisories."""

from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.answers import in_query, route
from accounts.api.doors import Door
from accounts.wording import storable
from registry import ecosystems
from registry.api import caching, paging
from registry.api.reading import ecosystem_of, text_of, word_of
from registry.api.shapes import ECOSYSTEMS
from registry.errors import NotFound
from scanning import holdings, naming
from scanning.api.shapes import SEVERITIES, Advisories
from scanning.models import Advisory, AffectedPackage
from scanning.models.advisories import AdvisoryQuerySet

TAG = "Security"
FILTERS = [
    in_query("ecosystem", "Only advisories about packages of this ecosystem", enum=ECOSYSTEMS),
    in_query("package", "Only advisories about this package"),
    in_query("severity", "Only this severity", enum=SEVERITIES),
    in_query("id", "Only advisories that go by this id or alias, in any case"),
    in_query("withdrawn", "Only withdrawn advisories, or only standing ones", enum=["true", "false"]),
]
OSV = OpenApiResponse(
    {
        "type": "object",
        "required": ["id", "modified", "database_specific"],
        "properties": {
            "id": {"type": "string"},
            "modified": {"type": "string"},
            "database_specific": {"type": "object"},
        },
        "additionalProperties": True,
    },
    description="The advisory as OSV JSON; `database_specific.held_here` lists the versions here that it touches, "
    "`database_specific.known_as` every other name of the flaw.",
)


class AdvisoriesDoor(Door):
    """`/advisories`."""

    @route("Known advisories", TAG, {200: Advisories}, parameters=[*FILTERS, *paging.PARAMETERS])
    def get(self, request: Request) -> Response:
        """The last changed first, in pages."""
        page = paging.Paging.of(request)
        found = _filtered(request)
        total = found.count()
        rows = [_row(advisory) for advisory in found.defer("raw")[page.rows]]
        headers = {"Link": page.links(request, total), **caching.revalidated(self.actor)}
        return Response({"advisories": rows, **page.figures(total)}, headers=headers)


class AdvisoryDoor(Door):
    """`/advisories/{id}`."""

    @route("One advisory, and what it touches here", TAG, {200: OSV}, 404)
    def get(self, request: Request, id: str) -> Response:
        """The OSV document as it was imported, with the versions held here that it touches; found by any alias."""
        advisory = naming.find(storable(id, 200))
        if advisory is None:
            raise NotFound(f"There is no advisory {id[:80]} here, under this or another name. Import it first.")
        specific = advisory.raw.get("database_specific")
        names = naming.joined([advisory])[advisory.osv_id]
        held = {"held_here": holdings.touched(advisory, self.actor), "known_as": names}
        document = {**advisory.raw, "database_specific": {**(specific if isinstance(specific, dict) else {}), **held}}
        return Response(document, headers=caching.revalidated(self.actor))


def _filtered(request: Request) -> AdvisoryQuerySet:
    found = Advisory.objects.all()
    ecosystem, package = ecosystem_of(request), text_of(request, "package")
    if severity := word_of(request, "severity", among=SEVERITIES):
        found = found.filter(severity=severity)
    if name := text_of(request, "id", longest=128):
        found = found.named(name)
    if withdrawn := word_of(request, "withdrawn", among=["true", "false"]):
        found = found.filter(withdrawn_at__isnull=withdrawn == "false")
    if ecosystem or package:
        touched = _affected(ecosystem, package)
        found = found.filter(pk__in=touched.values("advisory"))
    return found


def _affected(ecosystem: str, package: str) -> Any:
    rules = [ecosystems.get(ecosystem)] if ecosystem else ecosystems.ALL
    meant = (
        Q(ecosystem=one.slug, **({"normalized": one.normalize_name(package)} if package else {})) for one in rules
    )
    return AffectedPackage.objects.filter(reduce(or_, meant))


def _row(advisory: Advisory) -> dict[str, Any]:
    return {
        "id": advisory.osv_id,
        "aliases": advisory.aliases,
        "summary": advisory.summary,
        "severity": advisory.severity,
        "cvss": advisory.cvss,
        "url": advisory.url,
        "published": advisory.published_at,
        "modified": advisory.modified_at,
        "withdrawn": advisory.withdrawn_at,
    }
