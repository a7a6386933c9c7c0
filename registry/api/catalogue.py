"""The list of packages, its categories, and the wish for a new one."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.answers import in_query, route
from accounts.api.doors import Door
from registry import covering, documents, publishing, searching, submitting
from registry.api import caching, paging
from registry.api.reading import ecosystem_of, text_of, word_of
from registry.api.shapes import ECOSYSTEMS, STATUSES, Categories, Packages, Submission, Submitted
from registry.models import Release
from registry.models.packages import CATEGORIES

TAG = "Packages"
CATEGORY_CODES = [code for code, _ in CATEGORIES]
ORDERINGS = sorted(searching.CHOICES["ordering"])
FILTERS = [
    in_query("search", "Words of name, keywords and description; ranked"),
    in_query("q", "The same as search"),
    in_query("ecosystem", "Only this ecosystem", enum=ECOSYSTEMS),
    in_query("type", "The same as ecosystem", enum=ECOSYSTEMS),
    in_query("category", "Only this category", enum=CATEGORY_CODES),
    in_query("status", "Only this status of the latest version", enum=STATUSES),
    in_query("license", "Only this SPDX licence, alone or within an expression"),
    in_query("ordering", "Relevance if there is a search, else the name", enum=ORDERINGS),
]


class PackagesDoor(Door):
    """`/packages`."""

    is_public = True

    @route("Find packages", TAG, {200: Packages}, parameters=[*FILTERS, *paging.PARAMETERS])
    def get(self, request: Request) -> Response:
        """Filtered, ranked, in pages; only what the caller may see is listed and counted."""
        page = paging.Paging.of(request)
        query = query_of(request)
        total = searching.count(query, self.actor)
        rows = searching.search(query, self.actor, total)[page.rows]
        covering.present_all(rows, self.actor)
        packages = [documents.summary_row(package) for package in rows]
        headers = {"Link": page.links(request, total), **caching.revalidated(self.actor)}
        return Response({"packages": packages, **page.figures(total)}, headers=headers)

    @route("Submit a third-party package for review", TAG, {201: Submitted}, 409, 413, 415, 422, request=Submission)
    def post(self, request: Request) -> Response:
        """It is checked by machines and decided by a maintainer. Needs the scope `publish`."""
        with publishing.refusals_audited("release.submit", "submission", self.actor):
            self.actor.need("publish")
        wanted = Submission.read(request.data)
        wanted["keywords"] = tuple(wanted.get("keywords", ()))
        release = submitting.submit(submitting.Submission(**wanted), self.actor)
        answer = _submitted(release)
        return Response(answer, status=201, headers={"Location": answer["url"]})


class CategoriesDoor(Door):
    """`/packages/stats/categories`."""

    is_public = True

    @route("How many packages each category holds", TAG, {200: Categories})
    def get(self, request: Request) -> Response:
        """Categories that hold nothing the caller may see are left out."""
        counts = searching.categories(self.actor)
        rows = [{"category": category, "count": count} for category, count in counts]
        answer = {"categories": rows, "total": sum(count for _, count in counts)}
        return Response(answer, headers=caching.revalidated(self.actor))


def query_of(request: Request) -> searching.Query:
    """What the request looks for."""
    return searching.Query(
        search=text_of(request, "search", "q"),
        ecosystem=ecosystem_of(request, "type"),
        category=word_of(request, "category", among=CATEGORY_CODES),
        status=word_of(request, "status", among=STATUSES),
        license=text_of(request, "license"),
        ordering=word_of(request, "ordering", among=ORDERINGS),
    )


def _submitted(release: Release) -> dict[str, Any]:
    return {
        "id": release.pk,
        "name": release.package.name,
        "version": release.version,
        "ecosystem": release.package.ecosystem,
        "status": release.status,
        "submitted_by": release.submitted_for or None,
        "submitted_at": release.submitted_at,
        "queued_scan": True,
        "url": documents.version_url(release.package, release.version),
    }
