"""What an advisory means here: the versions it touches, and who took them."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.answers import route
from accounts.api.doors import Door
from accounts.wording import storable
from registry.api import paging
from registry.errors import NotFound
from scanning import naming, recalling
from scanning.api.shapes import RecallPage
from scanning.recalling import Recall, Taking

TAG = "Security"


class RecallDoor(Door):
    """`/advisories/{id}/recall`."""

    @route("Who took what an advisory touches", TAG, {200: RecallPage}, 404, parameters=paging.PARAMETERS)
    def get(self, request: Request, id: str) -> Response:
        """Found by any alias; as far back as records of downloads are kept. Needs the scope `review`."""
        self.actor.need("review")
        page = paging.Paging.of(request)
        advisory = naming.find(storable(id, 200))
        if advisory is None:
            raise NotFound(f"There is no advisory {id[:80]} here, under this or another name. Import it first.")
        found = recalling.recall(advisory, self.actor)
        total = found.rows.count()
        shape = {
            "advisory": advisory.osv_id,
            "known_as": found.names,
            "severity": advisory.severity,
            "summary": advisory.summary,
            "withdrawn": advisory.withdrawn_at,
            "versions": _versions(found),
            "taken": [_taking(one) for one in found.takings(page.rows)],
            **page.figures(total),
        }
        return Response(shape, headers={"Link": page.links(request, total), "Cache-Control": "private, no-store"})


def _versions(found: Recall) -> list[dict[str, Any]]:
    downloads, takers = found.downloads(), found.takers()
    return [
        {
            "ecosystem": one.release.package.ecosystem,
            "name": one.release.package.name,
            "version": one.release.version,
            "status": one.release.status,
            "removed": one.release.is_purged,
            "fixed_in": one.fixed_in or None,
            "downloads": downloads.get(one.release.pk, 0),
            "credentials": takers.get(one.release.pk, 0),
        }
        for one in found.versions
    ]


def _taking(one: Taking) -> dict[str, Any]:
    kind, name, prefix = one.credential
    return {
        "ecosystem": one.release.package.ecosystem,
        "name": one.release.package.name,
        "version": one.release.version,
        "project": one.project.slug if one.project else None,
        "user": one.user.username if one.user else None,
        "credential": {"kind": kind, "name": name or None, "prefix": prefix or None},
        "first_day": one.first.isoformat(),
        "last_day": one.last.isoformat(),
        "count": one.count,
        "notified_at": one.told_at,
    }
