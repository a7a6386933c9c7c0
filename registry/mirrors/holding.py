"""One writer to a region at a time: a lease in the region's row, kept while its holder lives."""

import logging
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.db.models import Q
from django.utils import timezone

from registry.mirrors.models import Mirror

logger = logging.getLogger(__name__)
SECONDS = 15.0  # how long after its holder's death a region waits for another


class Lost(Exception):
    """Somebody else may hold the region by now."""


class Hold:
    """The right to write to one region; `check` it before each step."""

    def __init__(self, mirror_id: int) -> None:
        self.mirror_id, self.owner = mirror_id, secrets.token_hex(16)
        self.good_until = 0.0

    def take(self) -> bool:
        """Whether the region was free, is followed, and may be tried now."""
        now, began = timezone.now(), time.monotonic()
        free = Mirror.objects.filter(pk=self.mirror_id, enabled=True, paused_at=None)
        free = free.filter(Q(held_until=None) | Q(held_until__lt=now), Q(retry_at=None) | Q(retry_at__lte=now))
        if not free.update(held_by=self.owner, held_until=_end()):
            return False
        self.good_until = began + SECONDS
        return True

    def check(self) -> None:
        """Raise Lost when the lease may have ended: a process that was asleep must not write any more."""
        if time.monotonic() >= self.good_until:
            raise Lost

    def keep(self, over: threading.Event) -> None:
        """Renew the lease until the event is set; the body of a thread, with a connection of its own."""
        try:
            while not over.wait(SECONDS / 4):
                self._renew()
        finally:
            connection.close()

    def _renew(self) -> None:
        began = time.monotonic()
        try:
            held = Mirror.objects.filter(pk=self.mirror_id, held_by=self.owner).update(held_until=_end())
            self.good_until = began + SECONDS if held else 0.0
        except DatabaseError as problem:
            logger.warning("The hold on region %s could not be renewed yet: %s", self.mirror_id, problem)

    def give_back(self) -> None:
        """Let the next one in."""
        Mirror.objects.filter(pk=self.mirror_id, held_by=self.owner).update(held_by="", held_until=None)


@contextmanager
def hold(mirror_id: int) -> Iterator[Hold | None]:
    """The hold on a region for the length of the block; None where it is another's, paused, or rests after a fault."""
    held = Hold(mirror_id)
    if not held.take():
        yield None
        return
    over = threading.Event()
    keeping = threading.Thread(target=held.keep, args=(over,), name=f"hold on region {mirror_id}", daemon=True)
    keeping.start()
    try:
        yield held
    finally:
        over.set()
        keeping.join()
        held.give_back()


def _end() -> datetime:
    return timezone.now() + timedelta(seconds=SECONDS)
