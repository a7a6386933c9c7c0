"""Kinds of jobs that only the tests know; importing this registers them."""

import threading
import time
from collections import Counter

from registry import tasks
from registry.models import Job

ran: Counter[str] = Counter()
broken = {"answer": "fails"}


@tasks.handles("tests.count")
def count(job: Job) -> None:
    """Note that it ran."""
    ran[job.ref] += 1


@tasks.handles("tests.fail")
def fail(job: Job) -> None:
    """Always break."""
    ran[job.ref] += 1
    raise ZeroDivisionError("poison")


@tasks.handles("tests.later")
def later(job: Job) -> None:
    """Twice not now, then done."""
    ran[job.ref] += 1
    if ran[job.ref] < 3:
        raise tasks.Later(60)


@tasks.handles("tests.reopen")
def reopen(job: Job) -> None:
    """While it runs, somebody asks for it again."""
    ran[job.ref] += 1
    if ran[job.ref] == 1:
        tasks.enqueue(job.kind, job.ref)


@tasks.handles("tests.die")
def die(job: Job) -> None:
    """What a killed worker looks like to its job: no end is ever written."""
    ran[job.ref] += 1
    raise SystemExit


@tasks.handles("tests.long")
def take_long(job: Job) -> None:
    """Work until the lease has been moved twice; note what another worker would have got meanwhile."""
    ran[job.ref] += 1
    moved = {job.lease_until}
    deadline = time.monotonic() + 20
    while len(moved) < 3 and time.monotonic() < deadline:
        ran["taken twice"] += tasks.claim(job.pk) is not None
        job.refresh_from_db()
        moved.add(job.lease_until)
        threading.Event().wait(0.05)
    ran["renewals"] = len(moved) - 1
