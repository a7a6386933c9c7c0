"""Small bar charts of downloads, drawn as SVG attributes: no script, no inline style."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Sum
from django.utils import timezone

from registry.models import DownloadCount


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: where it stands, how high it is, and what it says."""

    x: int
    y: int
    height: int
    count: int
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A row of bars in a box of `width` × `height` units."""

    bars: tuple[Bar, ...]
    width: int
    height: int
    bar_width: int
    total: int


def draw(counts: Sequence[int], labels: Sequence[str], *, height: int = 40, step: int = 6) -> Chart:
    """Bars side by side, the highest as high as the box; a count above zero is at least two units high."""
    highest = max(counts, default=0) or 1
    heights = [max(2, round(count / highest * height)) if count else 0 for count in counts]
    bars = tuple(
        Bar(index * step, height - tall, tall, count, label)
        for index, (tall, count, label) in enumerate(zip(heights, counts, labels, strict=True))
    )
    return Chart(bars, max(1, len(bars) * step - 2), height, step - 2, sum(counts))


def by_day(package_ids: Iterable[int], days: int) -> dict[int, dict[date, int]]:
    """Downloads per package and day since `days` ago, in one query."""
    since = timezone.now().date() - timedelta(days=days)
    rows = DownloadCount.objects.filter(package_id__in=list(package_ids), day__gt=since)
    found: dict[int, dict[date, int]] = {}
    for package_id, day, count in rows.values_list("package_id", "day").annotate(total=Sum("count")):
        found.setdefault(package_id, {})[day] = count
    return found


def weekly(counts: Mapping[date, int], weeks: int, **box: int) -> Chart:
    """One bar for each of the last weeks, this one included."""
    today = timezone.now().date()
    ends = [today - timedelta(days=7 * back) for back in reversed(range(weeks))]
    sums = [sum(counts.get(end - timedelta(days=back), 0) for back in range(7)) for end in ends]
    return draw(sums, [f"{end - timedelta(days=6):%Y-%m-%d} – {end:%Y-%m-%d}" for end in ends], **box)


@dataclass(frozen=True, slots=True)
class Line:
    """A line through values, oldest first, in a box of `width` × `height` units; `points` is what SVG draws."""

    points: str
    width: int
    height: int


def line(values: Sequence[float], *, height: int = 32, step: int = 4) -> Line | None:
    """From nothing at the bottom to the highest value at the top; None where there are fewer than two."""
    if len(values) < 2:
        return None
    highest = max(values) or 1
    points = (
        f"{index * step},{height - 1 - value / highest * (height - 2):.1f}" for index, value in enumerate(values)
    )
    return Line(" ".join(points), (len(values) - 1) * step, height)
