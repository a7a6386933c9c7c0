"""The front page of the admin: what waits for a decision, the longest waiting first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from registry import scrubbing
from registry.admin.filtering import AGES, CHECKS, FAILED, PER_PAGE, STATES, Counts, Filters, count
from registry.models import Check, Release
from registry.models.packages import Ecosystem

QUEUE_CHECKS = Prefetch("checks", Check.objects.defer("details"))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the checks of a release are."""

    checks: Sequence[Check]

    @property
    def total(self) -> int:
        """Steps to do."""
        return len(self.checks)

    @property
    def done(self) -> int:
        """Steps done."""
        return sum(check.status not in Check.OPEN for check in self.checks)

    @property
    def is_running(self) -> bool:
        """Whether some steps are still to do."""
        return self.done < self.total

    @property
    def failed(self) -> list[Check]:
        """Checks that failed or could not be carried out."""
        return [check for check in self.checks if check.status in FAILED]

    @property
    def warned(self) -> list[Check]:
        """Checks that warn."""
        return [check for check in self.checks if check.status == Check.Status.WARNED]

    @property
    def worst(self) -> str:
        """The one word for all of them."""
        if self.is_running:
            return "running"
        return "failed" if self.failed else "warned" if self.warned else "passed" if self.total else "skipped"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the queue."""

    release: Release
    progress: Progress

    @property
    def value(self) -> str:
        """What its checkbox sends: the release, and the digest that the maintainer was shown."""
        return f"{self.release.pk}:{self.release.reviewed_sha256}"

    @property
    def age(self) -> str:
        """How long ago it was asked for, in one unit."""
        return waited(self.release.submitted_at)

    @property
    def remarks(self) -> list[Check]:
        """The checks to speak of: failures, else warnings."""
        return self.progress.failed or self.progress.warned


def waited(since: datetime) -> str:
    """A time span in its largest unit."""
    return timesince(since, depth=1) if timezone.now() - since >= timedelta(minutes=1) else _("under a minute")


def ago(at: datetime) -> str:
    """A moment in the past, in words."""
    return _("%s ago") % waited(at)


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a filter."""

    value: str
    label: Any
    count: int | None
    chosen: bool


def queue(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
    """The queue; `?part=progress&ids=1,2` answers only how far those releases' checks are."""
    if request.GET.get("part") == "progress":
        return TemplateResponse(request, "admin/parts/queue_progress.html", {"rows": _asked_rows(request)})
    filters = Filters.read(request.GET)
    counts = count(filters)
    rows, has_more = _page(filters)
    context = {
        **admin.site.each_context(request),
        "title": _("Review queue"),
        "filters": filters,
        "query": filters.as_query(page=filters.page),
        "rows": rows,
        "tabs": _tabs(filters, counts),
        "selects": _selects(filters, counts),
        "previous_query": filters.as_query(page=filters.page - 1) if filters.page > 1 else None,
        "damaged": scrubbing.damaged().count(),
        "next_query": filters.as_query(page=filters.page + 1) if has_more else None,
        **(extra_context or {}),
    }
    return TemplateResponse(request, "admin/queue.html", context)


def rows_of(releases: Iterable[Release]) -> list[Row]:
    """Lines of the queue for releases whose checks are prefetched."""
    return [Row(release, Progress(list(release.checks.all()))) for release in releases]


def next_after(release: Release, filters: Filters) -> Release | None:
    """The release that waits next under the same filters, or the longest waiting of those before, or None."""
    waiting = filters.apply().exclude(pk=release.pk)
    later = waiting.filter(submitted_at__gte=release.submitted_at)
    return later.first() or waiting.first()


def _page(filters: Filters) -> tuple[list[Row], bool]:
    """One page, and whether there is another: one row more than shown says so, without a count."""
    start = (filters.page - 1) * PER_PAGE
    releases = filters.apply().select_related("package", "project", "submitted_by").prefetch_related(QUEUE_CHECKS)
    found = list(releases[start : start + PER_PAGE + 1])
    return rows_of(found[:PER_PAGE]), len(found) > PER_PAGE


def _asked_rows(request: HttpRequest) -> list[Row]:
    """The rows whose progress a page asks for, at most one page of them."""
    ids = [int(one) for one in request.GET.get("ids", "").split(",") if one.isascii() and one.isdigit()][:PER_PAGE]
    ids = [one for one in ids if one < 2**63]
    return rows_of(Release.objects.filter(pk__in=ids).prefetch_related(QUEUE_CHECKS))


def _tabs(filters: Filters, counts: Counts) -> list[dict[str, Any]]:
    labels = dict(Release.Status.choices)
    return [
        {
            "state": state,
            "label": labels[Release.Status(state)],
            "count": counts.states[state],
            "current": state == filters.state,
            "query": filters.as_query(state=state, age="", checks=""),
        }
        for state in STATES
    ]


def _selects(filters: Filters, counts: Counts) -> list[tuple[str, str, list[Choice]]]:
    """The filters as (name, label, options); those of age and checks only for what waits."""
    origins = dict(Release.Origin.choices)
    selects = [
        ("ecosystem", _("Ecosystem"), _choices(dict(Ecosystem.choices), counts.ecosystems, filters.ecosystem)),
        ("origin", _("Origin"), _choices(origins, counts.origins, filters.origin)),
    ]
    if filters.state == "pending":
        ages = {key: label for key, (label, _delta) in AGES.items()}
        selects.append(("age", _("Waiting"), _choices(ages, counts.ages, filters.age)))
        selects.append(("checks", _("Checks"), _choices(CHECKS, counts.checks, filters.checks)))
    return selects


def _choices(labels: dict[Any, Any], counts: dict[str, int], chosen: str) -> list[Choice]:
    return [
        Choice(str(value), label, counts.get(str(value), 0) if counts else None, str(value) == chosen)
        for value, label in labels.items()
    ]


def back_to_queue(query: str = "") -> HttpResponseRedirect:
    """The queue, as it was filtered."""
    return HttpResponseRedirect(reverse("admin:index") + (f"?{query}" if query else ""))
