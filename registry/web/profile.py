"""The profile: what I submitted and published, and how far it is."""

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse

from registry import searching
from registry.errors import Unauthenticated
from registry.models import Check, Release
from registry.web import paging
from registry.web.pages import Page

PER_PAGE = 25


class Profile(Page):
    """My versions, newest first, with real progress."""

    template = "catalogue/profile.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the versions of the person who is signed in."""
        if self.actor.user is None:
            raise Unauthenticated("Sign in to see your submissions.")
        mine = Release.objects.filter(submitted_by=self.actor.user)
        pager = paging.Pager.of(request.GET, mine.count(), PER_PAGE)
        rows = (
            mine.select_related("package")
            .annotate(checks_all=Count("checks"), checks_open=Count("checks", filter=Q(checks__status__in=Check.OPEN)))
            .order_by("-submitted_at", "-pk")[pager.offset : pager.offset + PER_PAGE]
        )
        return self.show(query=searching.Query(), rows=[_row(one) for one in rows], pager=pager)


def _row(release: Release) -> tuple[Release, int, int]:
    """The version, checks done, checks to do."""
    whole, still_open = release.checks_all, release.checks_open  # type: ignore[attr-defined]  # annotated above
    return release, whole - still_open, whole
