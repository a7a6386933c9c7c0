"""Jobs and the tasks that wake them. Rows are the truth: a lost message costs one sweep, a killed worker one lease.

A handler is `(job) -> None`, registered by kind; it must be idempotent. Raise `Later(seconds)` to come back.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from registry import leases
from registry.models import Job

logger = logging.getLogger(__name__)
MAX_ATTEMPTS = 12
URGENT = frozenset({"replicate", "through"})  # what many packages, or a client, wait for; checks come after them
FIRST, LATER = 0, 6  # priorities of Celery's Redis transport; its periodic tasks are among the first
Handler = Callable[[Job], None]
_handlers: dict[str, Handler] = {}
_periodic: dict[str, list[Callable[[], object]]] = {"sweep": [], "reconcile": [], "refresh_figures": [], "daily": []}


class Later(Exception):
    """Not now: run the job again after so many seconds. Not a failure."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds


def handles(kind: str) -> Callable[[Handler], Handler]:
    """Register the function as the handler of a kind of job."""

    def register(handler: Handler) -> Handler:
        _handlers[kind] = handler
        return handler

    return register


def periodically(name: str) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Run the function with the periodic task of that name (see config/celery.py for its interval)."""

    def register(function: Callable[[], object]) -> Callable[[], object]:
        _periodic[name].append(function)
        return function

    return register


def enqueue(
    kind: str, ref: object, *, dedupe: str = "", delay: float = 0, payload: dict[str, Any] | None = None
) -> Job:
    """Write the job in the caller's transaction (a done one reopens under its key); wake a worker after commit."""
    key = dedupe or f"{kind}:{ref}"
    due = timezone.now() + timedelta(seconds=delay)
    asked = {"kind": kind, "ref": str(ref), "payload": payload or {}, "state": Job.State.OPEN, "due_at": due}
    fresh = {"attempts": 0, "lease_until": None, "lease_owner": "", "last_error": "", "finished_at": None}
    given = asked | fresh
    [job] = Job.objects.bulk_create(
        [Job(dedupe_key=key, **given)], update_conflicts=True, unique_fields=["dedupe_key"], update_fields=list(given)
    )
    if not delay:
        transaction.on_commit(lambda: hint(job.pk, urgent=kind in URGENT), robust=True)
    return job


def hint(job_id: int, *, urgent: bool = False) -> None:
    """Tell a worker that a job is due. Losing this message costs one sweep: no broker, or a dead one, is no error."""
    if not settings.REDIS_URL:
        return
    try:
        run_job.apply_async(args=(job_id,), retry=False, priority=FIRST if urgent else LATER)
    except Exception as problem:
        logger.warning("The broker did not take the hint for job %s (%s); the sweeper will find it.", job_id, problem)


def claim(job_id: int) -> Job | None:
    """Take the lease of a due job, or None when it is done, not due or somebody else's."""
    return _unless_poisonous(leases.take(job_id))


def _unless_poisonous(job: Job | None) -> Job | None:
    """A job that killed its worker too often is dead: it must not kill the next one."""
    if job is None or job.attempts <= MAX_ATTEMPTS:
        return job
    _fail(job, RuntimeError("The worker died every time this job ran."))
    return None


def execute(job: Job) -> bool:
    """Run the handler of a claimed job and write how it ended. A failure comes back later, with back-off."""
    try:
        with leases.renewed(job):
            _handlers[job.kind](job)
    except Later as later:
        _release(job, later.seconds, attempts=max(job.attempts - 1, 0))
        if not later.seconds:  # more to do, and others get their turn between
            hint(job.pk)
    except Exception as problem:
        logger.exception("Job %s failed (attempt %s)", job, job.attempts)
        _fail(job, problem)
    else:
        leases.held(job).update(state=Job.State.DONE, finished_at=timezone.now(), lease_until=None, last_error="")
        return True
    return False


def _release(job: Job, seconds: float, **fields: Any) -> None:
    leases.held(job).update(due_at=timezone.now() + timedelta(seconds=seconds), lease_until=None, **fields)


def _fail(job: Job, problem: Exception) -> None:
    text = f"{type(problem).__name__}: {problem}"[:2000]
    if job.attempts >= MAX_ATTEMPTS:
        leases.held(job).update(state=Job.State.DEAD, finished_at=timezone.now(), lease_until=None, last_error=text)
    else:
        _release(job, min(2**job.attempts, 3600), last_error=text)


def due(limit: int = 100) -> list[int]:
    """Ids of the jobs that wait and are due, the longest waiting first."""
    now = timezone.now()
    waiting = Job.objects.filter(state=Job.State.OPEN, due_at__lte=now).filter(
        Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    )
    return list(waiting.order_by("due_at", "id").values_list("pk", flat=True)[:limit])


def run_due(limit: int = 100, seconds: float | None = None) -> int:
    """Run what is due in this process, beginning none after so many seconds; returns how many jobs were claimed."""
    ran, began = 0, time.monotonic()
    for job_id in due(limit):
        if seconds is not None and time.monotonic() - began > seconds:
            break
        if job := claim(job_id):
            execute(job)
            ran += 1
    return ran


def drain(rounds: int = 50) -> int:
    """Run jobs in this process until none is due; returns how many ran."""
    total = 0
    for _ in range(rounds):
        if not (ran := run_due()):
            break
        total += ran
    return total


def run_periodic(name: str) -> None:
    """Run what is registered for one periodic task; a function that fails stops none of the others."""
    for function in _periodic[name]:
        try:
            function()
        except Exception:
            logger.exception("The periodic %s failed in %s", name, function.__name__)


@shared_task(name="registry.run_job")
def run_job(job_id: int) -> None:
    """Claim and run one job; a second message for it does nothing."""
    if job := claim(job_id):
        execute(job)


@shared_task(name="registry.sweep")
def sweep() -> None:
    """Run what is overdue: lost hints, expired leases, jobs whose time has come."""
    run_periodic("sweep")
    run_due(limit=200, seconds=settings.SWEEP_SECONDS)  # the next sweep goes on, and looks at the regions before


@shared_task(name="registry.reconcile")
def reconcile() -> None:
    """Bring storage and rows in line."""
    run_periodic("reconcile")


@shared_task(name="registry.refresh_figures")
def refresh_figures() -> None:
    """Fold the day's downloads into the packages' figures."""
    run_periodic("refresh_figures")


@shared_task(name="registry.daily")
def daily() -> None:
    """What has to happen once a day: notices, retention, feeds."""
    run_periodic("daily")
