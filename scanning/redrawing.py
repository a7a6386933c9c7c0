"""Charts for rows kept before there were charts, or drawn by another scheme. Until then, they answer plainly."""

from django.db import transaction

from registry import tasks
from scanning import charting
from scanning.models import AffectedPackage

BATCH = 200


@tasks.periodically("daily")
def redraw() -> int:
    """Draw what is not drawn by the scheme of now, in short transactions; returns how many rows that were."""
    drawn = 0
    while number := _redraw_some():
        drawn += number
    return drawn


@transaction.atomic
def _redraw_some() -> int:
    stale = AffectedPackage.objects.exclude(chart_scheme=charting.SCHEME).order_by("pk")
    rows = list(stale.only("ecosystem", "ranges", "versions").select_for_update()[:BATCH])
    for row in rows:
        row.chart = charting.draw(row.ecosystem, row.ranges, row.versions)
        row.chart_scheme = charting.SCHEME
    AffectedPackage.objects.bulk_update(rows, ["chart", "chart_scheme"])
    return len(rows)
