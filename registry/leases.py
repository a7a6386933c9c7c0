"""Leases of jobs: who runs one now, for how long nobody else may, and how a long one keeps it."""

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from registry.models import Job

logger = logging.getLogger(__name__)


def take(job_id: int) -> Job | None:
    """Lease an open, due job for JOB_LEASE_SECONDS in one conditional update; None where somebody else was first."""
    now = timezone.now()
    owner = f"{socket.gethostname()}:{os.getpid()}:{id(connection)}:{now.timestamp()}"
    taken = (
        Job.objects.filter(pk=job_id, state=Job.State.OPEN, due_at__lte=now)
        .filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now))
        .update(lease_until=_end(), lease_owner=owner, attempts=F("attempts") + 1)
    )
    return Job.objects.filter(pk=job_id, lease_owner=owner).first() if taken else None


def held(job: Job) -> QuerySet[Job]:
    """The job's row while this lease is still the one that counts: what ends a job writes through it."""
    return Job.objects.filter(pk=job.pk, lease_owner=job.lease_owner, state=Job.State.OPEN)


@contextmanager
def renewed(job: Job) -> Iterator[None]:
    """Keep the lease while the block runs, so that a long job is not begun a second time beside itself.

    It is renewed for JOB_LIMIT_SECONDS at most: what hangs for ever is handed to another worker in the end. The
    thread dies with its process, and so does the lease of a killed worker.
    """
    over = threading.Event()
    renewing = threading.Thread(target=_renew, args=(job, over), name=f"lease of job {job.pk}", daemon=True)
    renewing.start()
    try:
        yield
    finally:
        over.set()
        renewing.join()


def _renew(job: Job, over: threading.Event) -> None:
    deadline = time.monotonic() + settings.JOB_LIMIT_SECONDS
    try:
        while not over.wait(settings.JOB_LEASE_SECONDS / 3) and time.monotonic() < deadline and _prolong(job):
            pass
    finally:
        connection.close()  # this thread's own, where it opened one


def _prolong(job: Job) -> bool:
    """Move the end of the lease; False once the lease is somebody else's. A database that is away is asked again."""
    try:
        return bool(held(job).update(lease_until=_end()))
    except DatabaseError as problem:
        logger.warning("The lease of job %s could not be renewed yet: %s", job.pk, problem)
        return True


def _end() -> datetime:
    return timezone.now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)
