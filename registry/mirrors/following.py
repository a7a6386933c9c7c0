"""Following the change feed, one region at a time and each for itself: removals first, then what is new, then debts.

A region's `applied_seq` says up to where everything stands there, but for the packages in `Debt`. A run works for a
few seconds and queues itself again, so that no region keeps a worker to itself.
"""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from registry import tasks
from registry.mirrors import comparing, holding, owing, replicating, stores
from registry.mirrors.models import Debt, Mirror, Replica
from registry.mirrors.patience import Patient
from registry.mirrors.replicating import Destination
from registry.models import Change, Job, Package, Release

logger = logging.getLogger(__name__)
SECONDS = 3.0  # of a run, and of one kind of work within it before removals are looked for again: a third
BATCH, SKIMMED = 200, 1000
LONGEST_REST = 60
PROMISED = "frankfurt"  # contract section 3: within 15 seconds of the answer
QUIET = ("published", "checked", "held", "namesake")  # changes that can wait for the next sweep
TAKEN_BACK = (Release.Status.QUARANTINED, Release.Status.REJECTED, "unlisted", "purged", "changed")


# --- being woken ---------------------------------------------------------------------------------------------------
def wake(kind: str = "", **_: object) -> None:
    """The feed has moved: what must go does so everywhere at once, what is new reaches the promised region at once.

    The others follow with the next sweep, many packages in one run.
    """
    if kind in TAKEN_BACK:
        _enqueue(_ready())
    elif kind not in QUIET:
        _enqueue(_ready().filter(region=PROMISED))


@tasks.periodically("sweep")
def catch_up() -> None:
    """Wake the regions that have something to do, though nobody woke them: a message was lost, a rest ended."""
    last = Change.objects.order_by("-seq").values("seq")[:1]
    at = timezone.now()
    owed = Debt.objects.filter(mirror=OuterRef("pk"), due_at__lte=at)
    found = _ready().annotate(last=Subquery(last), owes=Exists(owed))
    _enqueue(one for one in found if one.owes or one.comparing or _is_before(one, one.last or 0))


def _is_before(mirror: Mirror, seq: int) -> bool:
    """Whether the feed is ahead of the region; a closed window leaves nothing to do but removals."""
    is_open = mirror.is_open(timezone.now().time())
    return mirror.withdrawn_seq < seq or (is_open and mirror.applied_seq < seq)


def _ready() -> QuerySet[Mirror]:
    """Regions that may be written to now: neither paused nor resting nor known not to answer."""
    now = timezone.now()
    rested = Q(retry_at=None) | Q(retry_at__lte=now)
    return Mirror.objects.filter(rested, enabled=True, paused_at=None, probe_error="")


def _enqueue(mirrors: Iterable[Mirror]) -> None:
    """A job for each, unless one waits already; a run that is under way looks again before it ends."""
    waiting = Job.objects.filter(kind="replicate", state=Job.State.OPEN, lease_until=None, due_at__lte=timezone.now())
    queued = set(waiting.values_list("ref", flat=True))
    for mirror in mirrors:
        if str(mirror.pk) not in queued:
            with transaction.atomic():
                tasks.enqueue("replicate", mirror.pk)


# --- a run ---------------------------------------------------------------------------------------------------------
class RegionFailed(Exception):
    """The region as a whole does not work; what was tried last was not at fault."""


@dataclass(slots=True)
class Run:
    """One turn of work on a region."""

    to: Destination
    until: float
    has_written: bool = False
    seen: dict[int, int] = field(default_factory=dict)  # package: the end of the feed when it was brought in line

    @property
    def is_over(self) -> bool:
        """Whether others should have their turn."""
        return time.monotonic() >= self.until

    @property
    def is_open(self) -> bool:
        """Whether new files may travel now."""
        return self.to.mirror.is_open(timezone.now().time())


@tasks.handles("replicate")
def replicate(job: Job) -> None:
    """Work on a region for a while. Where it is held, its holder looks again before it goes, so nothing is missed."""
    until = time.monotonic() + SECONDS
    while True:
        with holding.hold(int(job.ref)) as hold:
            if hold is None:
                return
            mirror = Mirror.objects.get(pk=job.ref)
            is_done = _work(mirror, hold, until)
        if not is_done:
            with transaction.atomic():
                tasks.enqueue("replicate", mirror.pk)
            return
        if not _is_behind(mirror):
            return


def _work(mirror: Mirror, hold: holding.Hold, until: float) -> bool:
    """Whether there is nothing left to do now; a region that fails rests, longer each time."""
    try:
        to = Destination(mirror, Patient(stores.of(mirror)), hold)
        is_done = _follow(Run(to, until))
        if mirror.strikes:  # it works again, even where there was nothing left to write
            Mirror.objects.filter(pk=mirror.pk).update(strikes=0, retry_at=None, last_error="")
        return is_done
    except holding.Lost:
        logger.warning("Region %s: the hold was lost; another worker goes on", mirror.region)
    except (RegionFailed, OSError) as problem:
        logger.warning("Region %s failed: %s", mirror.region, problem)
        rest = timezone.now() + timedelta(seconds=min(2**mirror.strikes, LONGEST_REST))
        Mirror.objects.filter(pk=mirror.pk).update(
            strikes=mirror.strikes + 1, retry_at=rest, last_error=str(problem)[:500]
        )
    return True


def _follow(run: Run) -> bool:
    """Do what there is to do, the most urgent first; False where the time was over before."""
    while not run.is_over:
        if _take_back(run):
            continue
        more = [step(run) for step in (_bring, _pay, _compare)]
        if not any(more):
            return True
    return False


def _is_behind(mirror: Mirror) -> bool:
    """Whether the feed went on after the run had looked for the last time."""
    fresh = Mirror.objects.get(pk=mirror.pk)
    last = Change.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
    return _is_before(fresh, last) and fresh.retry_at is None and fresh.is_followed


# --- the steps: each says whether there is more to do ---------------------------------------------------------------
def _take_back(run: Run) -> bool:
    """Removals of the whole feed, ahead of everything else in it and whatever the window."""
    mirror = run.to.mirror
    changes = list(
        Change.objects.filter(seq__gt=mirror.withdrawn_seq).values_list("seq", "package_id", "kind")[:SKIMMED]
    )
    if not changes:
        return False
    for package in _to_take_back(mirror, changes):
        _attempt(run, package, adding=False)
    _move_on(run, withdrawn_seq=changes[-1][0])
    return len(changes) == SKIMMED


def _to_take_back(mirror: Mirror, changes: list[tuple[int, int, str]]) -> QuerySet[Package]:
    """Packages with files on the region that may not stay there, or whose document must say less than before."""
    believed = Replica.objects.filter(mirror=mirror).exclude(state=Replica.State.REMOVED)
    believed = believed.filter(artifact__release__package=OuterRef("pk"))
    unwanted = believed.exclude(artifact__in=replicating.standing())
    loud = {package for _seq, package, kind in changes if kind in TAKEN_BACK}
    touched = Package.objects.filter(pk__in={package for _seq, package, _kind in changes})
    return touched.filter(Exists(unwanted) | (Q(pk__in=loud) & Exists(believed))).order_by("pk")


def _bring(run: Run) -> bool:
    """The next packages of the feed, each once however often it changed; for a while only, as removals may follow."""
    mirror, turn = run.to.mirror, min(run.until, time.monotonic() + SECONDS / 3)
    if not run.is_open:
        return False
    horizon = Change.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
    changes = list(Change.objects.filter(seq__gt=mirror.applied_seq)[:BATCH].values_list("seq", "package_id"))
    if not changes:
        return False
    packages = Package.objects.in_bulk({package for _seq, package in changes})
    for seq, package_id in changes:
        if package_id in packages and run.seen.get(package_id, 0) < seq:
            _attempt(run, packages[package_id], adding=True)
            run.seen[package_id] = horizon
        if time.monotonic() >= turn:
            break
    _move_on(run, applied_seq=seq)
    return seq < horizon


def _move_on(run: Run, **seq: int) -> None:
    """Note how far the region is, unless somebody has put it back meanwhile; then that counts."""
    mirror = run.to.mirror
    success = {"last_success_at": timezone.now(), "last_error": "", "strikes": 0} if run.has_written else {}
    stood = {column: getattr(mirror, column) for column in seq}
    if not Mirror.objects.filter(pk=mirror.pk, **stood).update(**seq, **success):
        mirror.refresh_from_db()
        return
    for column, value in seq.items():
        setattr(mirror, column, value)


def _pay(run: Run) -> bool:
    """What is owed and due. While the window is closed only removals are made up for, and the rest stays owed."""
    due = list(owing.due(run.to.mirror)) if not run.is_over else []
    for debt in due:
        if run.is_over:
            break
        if _attempt(run, debt.package, adding=run.is_open) and not run.is_open:
            owing.put_off(debt)
    return bool(due)


def _compare(run: Run) -> bool:
    """The next piece of a full comparison, where one is under way."""
    return comparing.go_on(run.to, min(run.until, time.monotonic() + SECONDS / 3))


def _attempt(run: Run, package: Package, *, adding: bool) -> bool:
    """Bring the package in line, or note that it is owed. Raises RegionFailed where the region answers no probe."""
    run.to.hold.check()
    mirror = run.to.mirror
    try:
        run.has_written |= replicating.bring_in_line(run.to, package, adding=adding)
    except (DatabaseError, holding.Lost):
        raise
    except Exception as problem:
        try:
            run.to.store.probe()
        except OSError as fault:
            raise RegionFailed(str(problem)) from fault
        logger.warning("Region %s: %s is owed: %s", mirror.region, package, problem)
        owing.owe(mirror, package, problem)
        return False
    if adding:
        owing.settle(mirror, package)
    return True
