"""The list of packages: search, facets, sorting and paging, all carried by the address."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import F
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _

from accounts.actors import Actor
from registry import searching
from registry.errors import InvalidInput
from registry.models import Check, Package
from registry.templatetags.catalogue import CHIPS, category_label, ecosystem_label
from registry.web import charts, paging
from registry.web.pages import Page

PER_PAGE = 20
SEVERITIES = ("critical", "high", "medium", "low", "unknown")
FIELDS = ("search", "ecosystem", "category", "status", "license", "ordering")


@dataclass(frozen=True, slots=True)
class Row:
    """A package in the list, with what the list shows beside its own columns."""

    package: Package
    findings: tuple[tuple[str, int], ...]
    chart: charts.Chart | None


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One line of a facet: choosing it filters, choosing it again lifts the filter."""

    value: str
    label: str
    count: int
    chosen: bool
    url: str


class PackageList(Page):
    """Search and list."""

    template = "catalogue/list.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show one page of what matches, and what else the same words would find."""
        query, complaint = read_query(request.GET)
        total = searching.count(query, self.actor)
        pager = paging.Pager.of(request.GET, total, PER_PAGE)
        found = searching.search(query, self.actor, total)[pager.offset : pager.offset + PER_PAGE]
        return self.show(
            query=query,
            complaint=complaint,
            rows=_rows(found),
            total=total,
            pager=pager,
            facets=_facets(query, request.GET, self.actor),
            filters=_filters_in(query, request.GET),
            orderings=_orderings(query),
        )


def read_query(given: QueryDict) -> tuple[searching.Query, str]:
    """What the address asks for; a value that does not exist is left out, with a sentence that says so."""
    values = {field: given.get(field, "").strip()[:200] for field in FIELDS}
    values["search"] = values["search"] or given.get("q", "").strip()[:200]
    query = searching.Query(**values)
    try:
        searching.check(query)
    except InvalidInput as refusal:
        wrong = dict.fromkeys(refusal.details, "")
        return read_query_without(query, wrong), refusal.message
    return query, ""


def read_query_without(query: searching.Query, wrong: dict[str, str]) -> searching.Query:
    """The query without the fields that cannot be understood; all filters go if it still cannot."""
    mended = replace(query, **wrong)
    try:
        searching.check(mended)
    except InvalidInput:
        return searching.Query(search=query.search)
    return mended


def _rows(packages: list[Package]) -> list[Row]:
    """Findings and downloads for all packages of the page: two queries, however many rows."""
    ids = [package.pk for package in packages]
    findings, counts = _findings(ids), charts.by_day(ids, 84)
    return [
        Row(
            package,
            findings.get(package.pk, ()),
            charts.weekly(counts[package.pk], 12, height=20, step=5) if package.pk in counts else None,
        )
        for package in packages
    ]


def _findings(package_ids: Iterable[int]) -> dict[int, tuple[tuple[str, int], ...]]:
    """Known flaws of each package's latest version, by severity."""
    checks = Check.objects.filter(
        name="vulnerabilities",
        release__package__in=list(package_ids),
        release__version=F("release__package__latest_version"),
    )
    return {
        package_id: severities(details) for package_id, details in checks.values_list("release__package", "details")
    }


def severities(details: dict[str, Any]) -> tuple[tuple[str, int], ...]:
    """The severities that were found, the gravest first, with counts."""
    return tuple((name, details[name]) for name in SEVERITIES if details.get(name))


# --- the side column -----------------------------------------------------------------------------------------------
def _facets(query: searching.Query, given: QueryDict, actor: Actor) -> list[tuple[str, str, list[FacetValue]]]:
    found = searching.facets(query, actor)
    titles = {"status": _("Status"), "ecosystem": _("Ecosystem"), "category": _("Category"), "license": _("License")}
    shown = [(name, title, _values(name, found[name], query, given)) for name, title in titles.items()]
    return [facet for facet in shown if facet[2]]


def _values(name: str, rows: list[tuple[str, int]], query: searching.Query, given: QueryDict) -> list[FacetValue]:
    chosen = getattr(query, name)
    known = dict(rows)
    if chosen and chosen not in known:
        rows = [(chosen, 0), *rows]
    return [
        FacetValue(
            value, _label(name, value), count, value == chosen, _address(given, name, "" if value == chosen else value)
        )
        for value, count in rows
    ]


def _label(name: str, value: str) -> str:
    """The value of a filter in words."""
    if name == "status":
        return str(CHIPS[value][1])
    words: dict[str, Callable[[str], str]] = {"ecosystem": ecosystem_label, "category": category_label}
    return words[name](value) if name in words else value


def _filters_in(query: searching.Query, given: QueryDict) -> list[tuple[str, str]]:
    """What is filtered by now, each with the address that lifts it."""
    return [
        (_label(name, value), _address(given, name, ""))
        for name in searching.FACETS
        if (value := getattr(query, name))
    ]


def _address(given: QueryDict, name: str, value: str) -> str:
    """The same list with one filter set or lifted, from its first page."""
    changed = given.copy()
    for gone in (name, "page", "q"):
        if gone in changed:
            del changed[gone]
    if "q" in given and not given.get("search"):
        changed["search"] = given.get("q", "")
    if value:
        changed[name] = value
    for key in [key for key in changed if not changed[key]]:
        del changed[key]
    return f"?{changed.urlencode()}" if changed else "?"


def _orderings(query: searching.Query) -> list[tuple[str, str, bool]]:
    words = {
        "relevance": _("Relevance"),
        "name": _("Name"),
        "-updated": _("Last change"),
        "-downloads": _("Downloads"),
    }
    if not query.search:
        del words["relevance"]
    return [(value, word, value == query.ranking) for value, word in words.items()]
