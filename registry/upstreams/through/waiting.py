"""Waiting in a request for what another process does: for so long, less where it would take the last thread."""

import itertools
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection

from registry.errors import Unavailable

SHORTEST, LONGEST, GROWTH = 0.05, 0.5, 1.25
CROWDED_SECONDS = 10.0
_waiting = 0
_lock = threading.Lock()


class NotYet(Unavailable):
    """It is on its way: the client is asked to come back in `wait` seconds."""

    code = "not_yet"

    def __init__(self, message: str, wait: float = 5) -> None:
        super().__init__(message)
        self.wait = max(wait, 1.0)


def rounds(seconds: float | None = None) -> Iterator[int]:
    """Count from 0, at growing, uneven intervals, until the time is over (PULL_THROUGH_SECONDS). In no transaction.

    Whoever waits looks anew when a round begins: what was read at the end of one is old by then. Where all threads of
    this web server but one wait like this, the time is ten seconds at most, so that an upstream that is slow does not
    make the portal slow for everybody.
    """
    began, pause = time.monotonic(), SHORTEST
    limit = settings.PULL_THROUGH_SECONDS if seconds is None else seconds
    with _counted():
        for count in itertools.count():
            yield count
            left = min(limit, CROWDED_SECONDS if _is_crowded() else limit) - (time.monotonic() - began)
            if left <= 0:
                return
            is_long = pause >= LONGEST  # a connection anew for each look would cost more than the look itself
            if is_long and not connection.in_atomic_block and connection.vendor == "postgresql":
                connection.close()  # so that a thousand who wait do not hold a thousand connections
            threading.Event().wait(min(left, pause * random.uniform(0.5, 1.5)))  # noqa: S311  # nothing secret
            pause = min(pause * GROWTH, LONGEST)


@contextmanager
def _counted() -> Iterator[None]:
    global _waiting
    with _lock:
        _waiting += 1
    try:
        yield
    finally:
        with _lock:
            _waiting -= 1


def _is_crowded() -> bool:
    return _waiting >= max(int(os.environ.get("WEB_THREADS", "4")) - 1, 1)
