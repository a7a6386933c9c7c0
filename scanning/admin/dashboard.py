"""The dashboard: is it getting better, what has stood longest, what is kept away, and what cannot be known."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry.admin.site import Added, added_pages
from registry.models import Decision, Release
from scanning import figures
from scanning.admin import plots
from scanning.models import AdvisorySource, DailyFigures, Finding, Scan, Severity, ToolResult, Waiver

DAYS, SOON = 90, timedelta(days=14)
ROWS, LOOKED_AT = 15, 200
GRAVE = (Severity.CRITICAL, Severity.HIGH)


@dataclass(frozen=True, slots=True)
class Part:
    """The first rows of a table, and how many there are in all."""

    rows: list[Any]
    total: int

    @classmethod
    def of(cls, rows: QuerySet[Any]) -> "Part":
        """The first of them."""
        return cls(list(rows[:ROWS]), rows.count())


def dashboard(request: HttpRequest) -> HttpResponse:
    """The page; `?severity=all` shows more than the grave ones among the oldest."""
    shows_all = request.GET.get("severity") == "all"
    days = {one.day: one for one in DailyFigures.objects.filter(day__gt=timezone.now().date() - timedelta(days=DAYS))}
    today = days[max(days)] if days else None
    context = {
        **admin.site.each_context(request),
        "title": gettext("Security"),
        "shows_all": shows_all,
        "today": today,
        "open": [(name, number) for name in Severity.values if (number := getattr(today, name, 0))],
        "days": [days[day] for day in sorted(days, reverse=True)],
        "severities": Severity.values,
        "findings_plot": _plot(days, [*reversed(Severity.values)]),
        "held_plot": _plot(days, ["quarantined"], height=110),
        "oldest": oldest(None if shows_all else GRAVE),
        "quarantined": Part.of(quarantined()),
        "errored": Part.of(errored()),
        "sources": list(AdvisorySource.objects.order_by("-failures", "name")[:50]),
        "ending": Part.of(ending()),
    }
    return TemplateResponse(request, "admin/security.html", context)


def _plot(days: dict[Any, DailyFigures], names: list[str], **box: int) -> plots.Plot:
    shown = {day: {name: getattr(one, name) for name in names} for day, one in days.items()}
    return plots.draw(shown, names, timezone.now().date(), DAYS, **box)


def oldest(severities: tuple[str, ...] | None) -> list[Finding]:
    """The open findings that have stood longest, the oldest first: of the first that are looked at, by index."""
    found = figures.standing().order_by("first_seen_at", "pk")
    if severities:
        found = found.filter(severity__in=severities)
    rows = list(found.select_related("scan__release__package", "scan__release__project")[:LOOKED_AT])
    waivers = figures.LiveWaivers({one.scan.release.project_id for one in rows})
    return [one for one in rows if not waivers.cover(one, one.scan.release.project_id)][:ROWS]


def quarantined() -> QuerySet[Release]:
    """The versions that are kept away, the longest held first, with who held them and since when."""
    held = Decision.objects.filter(release=OuterRef("pk"), answer=Decision.Answer.QUARANTINED).order_by("-at")
    rows = Release.objects.filter(status=Release.Status.QUARANTINED, purged_at=None)
    rows = rows.annotate(since=Subquery(held.values("at")[:1]), by=Subquery(held.values("by_name")[:1]))
    return rows.select_related("package", "project").order_by("since", "pk")


def errored() -> QuerySet[Scan]:
    """The versions of which nothing is known because a scanner failed, the last tried first."""
    failed = ToolResult.objects.filter(scan=OuterRef("pk"), status=ToolResult.Status.FAILED)
    rows = Scan.objects.filter(Exists(failed), is_current=True, status=Scan.Status.ERRORED, release__purged_at=None)
    return rows.select_related("release__package").order_by("-finished_at")


def ending() -> QuerySet[Waiver]:
    """The waivers that end within two weeks, the first to end first."""
    rows = Waiver.objects.live().filter(expires_at__lte=timezone.now() + SOON)
    return rows.select_related("owner", "project").order_by("expires_at")


PAGE = Added("security/", "security", _("Security"), dashboard)
if PAGE not in added_pages:
    added_pages.append(PAGE)
