"""Plots of days as SVG attributes: stacked steps, so that a day without figures is a gap and not a guess."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 760, 180, 40, 24, 10
Figures = Mapping[date, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Band:
    """One kind of thing over the days."""

    name: str
    path: str
    latest: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of the grid with its word."""

    at: float
    word: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Bands in a box, the first one lowest."""

    bands: tuple[Band, ...]
    levels: tuple[Mark, ...]
    days: tuple[Mark, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    floor: int = HEIGHT - BOTTOM


def draw(figures: Figures, names: Sequence[str], last: date, days: int, height: int = HEIGHT) -> Plot:
    """The last days up to and with `last`, the names stacked in their order."""
    floor, step = height - BOTTOM, (WIDTH - LEFT) / days
    first = last - timedelta(days=days - 1)
    top = ceiling(max((sum(one[name] for name in names) for one in figures.values()), default=0))
    scale = (floor - TOP) / top
    below = dict.fromkeys(figures, 0)
    bands = []
    for name in names:
        path = []
        for day in sorted(figures):
            left, base = LEFT + (day - first).days * step, floor - below[day] * scale
            below[day] += figures[day][name]
            top_edge = floor - below[day] * scale
            if figures[day][name]:
                path.append(f"M{left:.1f} {base:.1f}V{top_edge:.1f}H{left + step:.1f}V{base:.1f}z")
        bands.append(Band(name, "".join(path), figures[max(figures)][name] if figures else 0))
    levels = tuple(Mark(floor - part * scale, f"{part:,}") for part in sorted({0, top // 2 if top > 1 else top, top}))
    return Plot(tuple(bands), levels, _calendar(first, days, step), height=height, floor=floor)


def ceiling(highest: int) -> int:
    """The first of 1, 2, 4, 6, 10, 20, 40, … that is as high."""
    size = 1
    while True:
        for head in (1, 2, 4, 6):
            if highest <= head * size:
                return head * size
        size *= 10


def _calendar(first: date, days: int, step: float) -> tuple[Mark, ...]:
    """Every second Monday, where there is room for its name."""
    found = [first + timedelta(days=number) for number in range(days)]
    mondays = [day for day in found if day.weekday() == 0 and day.isocalendar().week % 2 == 0]
    marks = (Mark(LEFT + (day - first).days * step, f"{day:%d %b}") for day in mondays)
    return tuple(mark for mark in marks if mark.at < WIDTH - 44)
