"""The map of Europe: where a region's mark and its name stand on it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from registry.mirrors.standing import Region

# Lambert's conformal conic projection with two standard parallels (Snyder, Map Projections, 1987, equations 15-1 to
# 15-4), in the units of the drawing. `templates/regions/europe.html` was drawn with it: a dot where there is land
# (Natural Earth, 1:110m, in the public domain), the countries of the European Economic Area apart from the others.
_SOUTH, _NORTH, _MIDDLE, _CENTRE = map(math.radians, (38, 62, 11.5, 52))
_SCALE, _X, _Y = 700, 235, 262
BOX = (28, 8, 436, 442)  # x, y, width and height of what is shown
LINE = 16  # two names closer than this would lie on one another
WIDEST = 96  # a name's room beside its mark


def _slant(latitude: float) -> float:
    return math.tan(math.pi / 4 + latitude / 2)


_N = math.log(math.cos(_SOUTH) / math.cos(_NORTH)) / math.log(_slant(_NORTH) / _slant(_SOUTH))
_F = math.cos(_SOUTH) * _slant(_SOUTH) ** _N / _N


def project(latitude: float, longitude: float) -> tuple[float, float]:
    """Where a place in degrees lies on the drawing."""
    radius, centre = (_F / _slant(angle) ** _N for angle in (math.radians(latitude), _CENTRE))
    turn = _N * (math.radians(longitude) - _MIDDLE)
    return _X + _SCALE * radius * math.sin(turn), _Y - _SCALE * (centre - radius * math.cos(turn))


@dataclass(frozen=True, slots=True)
class Mark:
    """A region on the map; its name stands left of the mark where another one is in its way."""

    region: Region
    x: int
    y: int
    is_left: bool


def marks(regions: Sequence[Region]) -> list[Mark]:
    """The regions that say where they are, and are on the map."""
    placed = [
        (region, *project(region.mirror.latitude, region.mirror.longitude))
        for region in regions
        if region.mirror.latitude is not None and region.mirror.longitude is not None
    ]
    shown = [one for one in placed if _is_shown(one[1], one[2])]
    return [Mark(region, round(x), round(y), _is_in_the_way(x, y, shown)) for region, x, y in shown]


def _is_shown(x: float, y: float) -> bool:
    left, top, width, height = BOX
    return left <= x <= left + width and top <= y <= top + height


def _is_in_the_way(x: float, y: float, others: Sequence[tuple[Region, float, float]]) -> bool:
    """Whether the name has no room to the right of its mark."""
    if x + WIDEST > BOX[0] + BOX[2]:
        return True
    return any(0 < other_x - x < WIDEST and abs(other_y - y) < LINE for _region, other_x, other_y in others)
