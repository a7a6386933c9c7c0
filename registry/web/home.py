"""The front page: one search field, what this is in three lines, and what has happened lately."""

from itertools import islice

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.actors import Actor
from registry import searching
from registry.mirrors import standing
from registry.models import Release
from registry.web import status
from registry.web.pages import Page

LATEST = 6


class Home(Page):
    """The front page."""

    template = "catalogue/home.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show counts, categories, what was approved and what was flagged, and how the regions stand."""
        regions = standing.now()
        return self.show(
            query=searching.Query(),
            counts=_counts(self.actor),
            categories=searching.categories(self.actor),
            approved=_newest(self.actor, Release.Status.APPROVED),
            flagged=_newest(self.actor, Release.Status.REJECTED, Release.Status.QUARANTINED),
            regions=regions,
            regions_sentence=status.sentence(regions),
        )


def _counts(actor: Actor) -> list[tuple[str, str, int]]:
    """Label, status filter and number for the three figures under the search field."""
    packages, approved, pending = (
        searching.count(searching.Query(status=status), actor) for status in ("", "approved", "pending")
    )
    return [
        (ngettext("package", "packages", packages), "", packages),
        (_("approved"), "approved", approved),
        (_("waiting for a decision"), "pending", pending),
    ]


def _newest(actor: Actor, *statuses: str) -> list[Release]:
    """Walked from the newest until enough are visible, so that it costs the same in a large registry."""
    newest = Release.objects.listed().filter(status__in=statuses).select_related("package").order_by("-submitted_at")
    visible = (release for release in newest.iterator(chunk_size=50) if release.package.is_visible_to(actor))
    return list(islice(visible, LATEST))
