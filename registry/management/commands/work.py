"""`manage.py work`: the worker of an installation without a broker."""

import logging
import signal
import threading
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import close_old_connections

from registry import heartbeat, tasks

logger = logging.getLogger(__name__)
PERIODIC = {"sweep": float(settings.SWEEP_SECONDS), "reconcile": 60.0, "refresh_figures": 60.0, "daily": 86400.0}


class Command(BaseCommand):
    """Polls the jobs table; what the Celery worker and its beat do where there is a broker."""

    help = "Run due jobs in this process, for installations without a broker. Ctrl-C ends it after the job at hand."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="run what is due now, then end")
        parser.add_argument("--pause", type=float, default=1.0, help="seconds between two looks at the table")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            self.stdout.write(f"{tasks.drain()} jobs run.")
            return
        stopping = threading.Event()
        for what in (signal.SIGINT, signal.SIGTERM):
            signal.signal(what, lambda *_: stopping.set())
        self.stdout.write("Working without a broker. Ctrl-C ends it.")
        beating = heartbeat.start()
        work(stopping, options["pause"])
        beating.set()


def work(stopping: threading.Event, pause: float) -> None:
    """Run due jobs and the periodic ones until told to stop; a database that is away is waited for."""
    last = dict.fromkeys(PERIODIC, 0.0)
    while not stopping.is_set():
        close_old_connections()
        try:
            ran = tasks.run_due(limit=20)
            run_periodic(last)
        except Exception:
            logger.exception("Looking for work failed; trying again")
            ran = 0
        if not ran:
            stopping.wait(pause)


def run_periodic(last: dict[str, float]) -> None:
    """Run each periodic function whose interval is over."""
    for name, interval in PERIODIC.items():
        if time.monotonic() - last[name] >= interval or not last[name]:
            last[name] = time.monotonic()
            tasks.run_periodic(name)
