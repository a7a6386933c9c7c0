"""Probing: every few seconds each region is asked to take, give back and drop a few bytes, all at the same time."""

import threading
import time
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from registry import tasks
from registry.mirrors import stores
from registry.mirrors.models import Mirror

LIMIT_SECONDS = 3.0
KEPT = 60
_under_way: dict[int, threading.Thread] = {}  # by region: one that hangs is not asked again until it is back


@dataclass(slots=True)
class Probe:
    """One region's answer; without milliseconds there was none in time."""

    mirror: Mirror
    milliseconds: float | None = None
    error: str = ""

    def run(self) -> None:
        """Ask; the body of a thread that touches no database."""
        began = time.perf_counter()
        try:
            stores.of(self.mirror).probe()
        except Exception as problem:  # whatever a region does must not end the probing
            self.error = f"{type(problem).__name__}: {problem}"[:500]
        else:
            self.milliseconds = round((time.perf_counter() - began) * 1000, 2)


@tasks.periodically("sweep")
def probe_all() -> None:
    """Ask every region that is followed, then write down in one UPDATE each how it went."""
    for probe in ask([one for one in Mirror.objects.all() if one.is_followed]):
        _write_down(probe)


def ask(mirrors: list[Mirror]) -> list[Probe]:
    """Every region at once; what has not answered after three seconds is not waited for."""
    probes = [Probe(mirror) for mirror in mirrors]
    until = time.monotonic() + LIMIT_SECONDS
    for probe in probes:
        before = _under_way.get(probe.mirror.pk)
        if before is None or not before.is_alive():
            thread = threading.Thread(target=probe.run, name=f"probe of {probe.mirror.region}", daemon=True)
            _under_way[probe.mirror.pk] = thread
            thread.start()
    for probe in probes:
        thread = _under_way[probe.mirror.pk]
        thread.join(max(until - time.monotonic(), 0))
        if thread.is_alive() or (probe.milliseconds is None and not probe.error):
            probe.milliseconds, probe.error = None, f"No answer within {LIMIT_SECONDS:.0f} s"
    return probes


def _write_down(probe: Probe) -> None:
    now, found = timezone.now(), Mirror.objects.filter(pk=probe.mirror.pk)
    if probe.milliseconds is None:
        found.update(probed_at=now, probe_error=probe.error)
        return
    fresh = [*probe.mirror.latencies, probe.milliseconds][-KEPT:]
    back = {"returned_at": now} if probe.mirror.probe_error else {}
    found.update(probed_at=now, answered_at=now, probe_error="", latencies=fresh, **back)
    if probe.mirror.probe_error:
        _welcome_back(probe.mirror)


def _welcome_back(mirror: Mirror) -> None:
    """It answers again: nothing is waited for any longer."""
    with transaction.atomic():
        Mirror.objects.filter(pk=mirror.pk).update(retry_at=None, strikes=0)
        tasks.enqueue("replicate", mirror.pk)
