"""The portal as it is served: gunicorn with two processes over the test database, and deployments that ask it."""

import contextlib
import http.client
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection

from config.brokering import free_port
from tests.servers import process, takes_connections, wait_for

ME = "/api/v1/me"


@dataclass(frozen=True)
class Served:
    """Where the server listens, and the log in which each answer stands with the process that gave it."""

    port: int
    log: Path

    def processes_of(self, marker: str) -> set[str]:
        """The processes that have answered requests with the marker in their query."""
        lines = self.log.read_text(errors="replace").splitlines()
        return {line.split()[1] for line in lines if line.startswith("answered ") and marker in line}

    def ask(self, raw: str, path: str = ME, method: str = "GET", body: bytes | None = None) -> tuple[int, bytes]:
        """One request on a connection of its own, so that either process may take it."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {raw}", "Connection": "close", "Content-Type": "application/json"}
        with contextlib.closing(link):
            link.request(method, path, body, headers)
            answer = link.getresponse()
            return answer.status, answer.read()


@contextlib.contextmanager
def served(folder: Path, workers: int = 2) -> Iterator[Served]:
    """Gunicorn as production runs it, over the database of the tests."""
    port = free_port()
    log = folder / f"gunicorn-{port}.log"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
        "HOST": "127.0.0.1", "PORT": str(port),
        "WEB_WORKERS": str(workers), "WEB_THREADS": "4", "WEB_GRACE_SECONDS": "1",
        "DATABASE_URL": _address(), "SECRET_KEY": settings.SECRET_KEY, "ACCESS_LOG": "1", "DEBUG": "0",
    }  # fmt: skip
    command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py"]
    command += ["--access-logformat", "answered %(p)s %(s)s %(q)s"]
    with process(command, log, cwd=settings.BASE_DIR, env=environment) as child:
        wait_for(child, lambda: takes_connections(port), log)
        yield Served(port, log)


def _address() -> str:
    """The test database as an environment would name it."""
    now = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{now['NAME']}"
    return f"postgres://{now['USER']}:{now['PASSWORD']}@{now['HOST']}:{now['PORT']}/{now['NAME']}"


class Deployment(threading.Thread):
    """Asks all the time with whatever token it holds, and notes when each request began and how it ended."""

    def __init__(self, portal: Served, raw: str, marker: str) -> None:
        super().__init__(daemon=True)
        self.portal, self.raw, self.path = portal, raw, f"{ME}?{marker}"
        self.asked: list[tuple[float, str, int]] = []
        self.more, self.stopping = threading.Condition(), False

    def run(self) -> None:
        """Until told to stop; a connection that fails counts as status 0."""
        while not self.stopping:
            began, raw = time.monotonic(), self.raw
            try:
                status = self.portal.ask(raw, self.path)[0]
            except (OSError, http.client.HTTPException):
                status = 0
            with self.more:
                self.asked.append((began, raw, status))
                self.more.notify_all()

    def await_more(self, count: int = 5) -> None:
        """Return after so many more requests."""
        with self.more:
            until = len(self.asked) + count
            assert self.more.wait_for(lambda: len(self.asked) >= until, 60)

    def await_status(self, status: int) -> None:
        """Return once a request has ended so."""
        with self.more:
            assert self.more.wait_for(lambda: any(one[2] == status for one in self.asked), 60)

    def stop(self) -> None:
        """Finish the request under way, and end."""
        self.stopping = True
        self.join(60)


@contextlib.contextmanager
def deployments(portal: Served, raw: str, marker: str, count: int = 4) -> Iterator[list[Deployment]]:
    """So many at once, warmed up until both processes have answered them."""
    crowd = [Deployment(portal, raw, f"{marker}={number}") for number in range(count)]
    for one in crowd:
        one.start()
    try:
        until = time.monotonic() + 60
        while len(portal.processes_of(marker)) < 2 and time.monotonic() < until:
            crowd[0].await_more(2)
        yield crowd
    finally:
        for one in crowd:
            one.stop()
