"""How the regions stand, from rows alone and in one query: do they answer, how far behind are they, what fails there.

The worker probes and copies; this only reads what it wrote, so that asking costs the regions nothing, and a worker
that is gone shows as silence.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Exists, Func, IntegerField, OuterRef, QuerySet, Subquery
from django.utils import timezone

from registry.mirrors.models import Debt, Mirror
from registry.models import Change

DEADLINE = timedelta(seconds=15)  # from a change to its standing in a region whose window is open
SILENT = timedelta(seconds=10)  # a region that nobody has looked at for so long is not called healthy
LOST = timedelta(seconds=60)  # and one for so long does not answer, as far as anybody knows


class Status(StrEnum):
    """What contract section 8 calls a region, and all of them together."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    DOWN = "down"


class Fault(StrEnum):
    """Why a region is not healthy; the worst one that holds."""

    NONE = ""
    UNREACHABLE = "unreachable"  # the last probe failed
    LOST = "lost"  # nobody has looked for a minute
    SILENT = "silent"  # nobody has looked for ten seconds
    PAUSED = "paused"
    FAILING = "failing"  # packages, or the region as a whole, cannot be brought in line
    RETURNED = "returned"  # it answers again, but misses what changed meanwhile
    LATE = "late"  # a change is past its deadline


class Latency(NamedTuple):
    """Round trips of the last probes, in milliseconds; None where none was answered yet."""

    last: float | None
    p50: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class Region:
    """One region at one instant."""

    mirror: Mirror
    fault: Fault
    lag_seconds: int
    pending: int
    failed_packages: int
    latency: Latency
    is_open: bool
    next_window: datetime | None

    @property
    def status(self) -> Status:
        """Down where it does not answer, degraded where it is behind."""
        if self.fault in (Fault.UNREACHABLE, Fault.LOST):
            return Status.DOWN
        return Status.DEGRADED if self.fault else Status.HEALTHY


@dataclass(frozen=True, slots=True)
class Standing:
    """All regions at one instant."""

    checked_at: datetime
    regions: tuple[Region, ...]

    @property
    def status(self) -> Status:
        """Healthy where every region is, down where none answers, and so where there is none."""
        states = {region.status for region in self.regions}
        if states <= {Status.DOWN}:
            return Status.DOWN
        return Status.HEALTHY if states == {Status.HEALTHY} else Status.DEGRADED

    @property
    def pending(self) -> int:
        """How many times a package is yet to be brought somewhere."""
        return sum(region.pending for region in self.regions)

    @property
    def failed_packages(self) -> int:
        """How many times a package could not be brought somewhere, and will be tried again."""
        return sum(region.failed_packages for region in self.regions)

    @property
    def next_sync_window(self) -> datetime | None:
        """When changes travel next; None where nobody does the work."""
        return min(filter(None, (region.next_window for region in self.regions)), default=None)


def now() -> Standing:
    """How every enabled region stands at this moment. One query."""
    at = timezone.now()
    return Standing(at, tuple(judge(mirror, at) for mirror in measured(Mirror.objects.filter(enabled=True))))


# --- counting in the database --------------------------------------------------------------------------------------
def measured(mirrors: QuerySet[Mirror]) -> QuerySet[Mirror]:
    """The regions, each with what its debts and the change feed say of it, for `judge`."""
    behind = Change.objects.filter(seq__gt=OuterRef("applied_seq")).order_by("seq")
    debts = Debt.objects.filter(mirror=OuterRef("pk"))
    again = Change.objects.filter(seq__gt=OuterRef("mirror__applied_seq"), package=OuterRef("package"))
    return mirrors.annotate(
        changed_since=Subquery(behind.values("at")[:1]),
        owed_since=Subquery(debts.order_by("since").values("since")[:1]),
        changed=_number(behind, "DISTINCT package_id"),
        owed=_number(debts.exclude(Exists(again))),
        failing=_number(debts.filter(attempts__gte=1)),
    )


def _number(rows: QuerySet[Any], of: str = "*") -> Subquery:
    """How many rows there are, as a subquery that depends on the region (Django's own Count would group them)."""
    counted = rows.order_by().annotate(number=Func(template=f"COUNT({of})", output_field=IntegerField()))
    return Subquery(counted.values("number"))


# --- judging -------------------------------------------------------------------------------------------------------
def judge(mirror: Any, at: datetime) -> Region:
    """How a region stands that was `measured`."""
    oldest = min(filter(None, (mirror.changed_since, mirror.owed_since)), default=None)
    lag = max(timedelta(), at - oldest) if oldest else timedelta()
    return Region(
        mirror=mirror,
        fault=_fault(mirror, at, oldest),
        lag_seconds=int(lag.total_seconds()),
        pending=mirror.changed + mirror.owed,
        failed_packages=mirror.failing,
        latency=_latency(mirror.latencies),
        is_open=mirror.is_open(at.time()),
        next_window=_next_window(mirror, at),
    )


def _fault(mirror: Any, at: datetime, oldest: Any) -> Fault:
    """The worst that can be said of the region; `oldest` is when the first change came that it lacks, or None."""
    if mirror.paused_at is not None:
        return Fault.PAUSED
    silence = at - max(filter(None, (mirror.probed_at, mirror.created_at)))
    is_due = oldest is not None and mirror.is_open(at.time())
    had_time = mirror.is_open((at - DEADLINE).time())
    faults = (
        (Fault.LOST, silence > LOST),
        (Fault.UNREACHABLE, bool(mirror.probe_error)),
        (Fault.SILENT, silence > max(SILENT, 2 * _between_sweeps()) or mirror.answered_at is None),
        (Fault.FAILING, bool(mirror.failing or mirror.strikes)),
        (Fault.RETURNED, is_due and mirror.returned_at is not None and oldest <= mirror.returned_at),
        (Fault.LATE, is_due and had_time and at - oldest > DEADLINE),
    )
    return next((fault for fault, holds in faults if holds), Fault.NONE)


def _between_sweeps() -> timedelta:
    return timedelta(seconds=settings.SWEEP_SECONDS)


def _latency(latencies: list[float]) -> Latency:
    """The newest round trip, and the nearest-rank percentiles of all that are kept."""
    if not latencies:
        return Latency(None, None, None)
    ranked = sorted(latencies)
    half, most = (ranked[ceil(share * len(ranked)) - 1] for share in (0.5, 0.95))
    return Latency(*(round(value, 1) for value in (latencies[-1], half, most)))


def _next_window(mirror: Mirror, at: datetime) -> datetime | None:
    """When changes travel to the region next: with the sweep after the last one, or when its window opens."""
    if not mirror.is_followed or mirror.probed_at is None or at - mirror.probed_at > LOST:
        return None
    if mirror.is_open(at.time()):
        return max(at, mirror.probed_at + _between_sweeps())
    assert mirror.window_opens is not None  # else it would be open
    today = datetime.combine(at.date(), mirror.window_opens, UTC)
    return today if today > at else today + timedelta(days=1)
