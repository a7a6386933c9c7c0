"""Counters that every process shares: exact under a crowd, in Redis, in the file, and when Redis dies in between."""

import contextlib
import http.client
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import time_machine

from accounts import counters
from config import brokering
from tests.servers import process, takes_connections, wait_for

LIMIT = 200
CLIENTS = 64
DAY = 86_400


@dataclass
class Crowd:
    """Clients that all ask at once; what they were answered."""

    port: int
    caller: str
    after_the_first: Callable[[], None] = lambda: None
    answers: list[tuple[int, str]] = field(default_factory=list)
    some_passed: threading.Event = field(default_factory=threading.Event)

    def ask(self, times: int) -> "Crowd":
        """Each client asks so often on a connection of its own."""
        ready = threading.Barrier(CLIENTS)
        clients = [threading.Thread(target=self._client, args=(times, ready)) for _ in range(CLIENTS)]
        for one in clients:
            one.start()
        assert self.some_passed.wait(60)
        self.after_the_first()
        for one in clients:
            one.join()
        assert len(self.answers) == times * CLIENTS
        return self

    def _client(self, times: int, ready: threading.Barrier) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        ready.wait()
        for _ in range(times):
            connection.request("OPTIONS", "/api/v1/packages", headers={"X-Forwarded-For": self.caller})
            answer = connection.getresponse()
            answer.read()
            self.answers.append((answer.status, answer.headers["X-RateLimit-Remaining"]))
            if len(self.answers) >= CLIENTS // 2:
                self.some_passed.set()

    @property
    def passed(self) -> Counter[str]:
        """What was left after each request that got through, and how often that was said."""
        assert {status for status, _ in self.answers} <= {204, 429}
        return Counter(remaining for status, remaining in self.answers if status == 204)


EACH_ONCE = Counter(map(str, range(LIMIT)))


@contextlib.contextmanager
def portal(folder: Path, redis: str) -> Iterator[int]:
    """Two gunicorn processes, and the port that they answer on."""
    if DAY - time.time() % DAY < 60:
        threading.Event().wait(60)  # no window may end while it is being counted in
    port = brokering.free_port()
    given = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": str(folder), "REDIS_URL": redis,
        "DATABASE_URL": "", "PORT": str(port), "WEB_WORKERS": "2", "TRUSTED_PROXIES": "1", "LOG_LEVEL": "ERROR",
        "RATE_LIMIT_ANONYMOUS": f"{LIMIT}/d",
    }  # fmt: skip
    command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py"]
    log = folder / "gunicorn.log"
    with process(command, log, env=given, cwd=Path(__file__).parents[2]) as child:
        wait_for(child, lambda: takes_connections(port), log)
        yield port


@contextlib.contextmanager
def dying_redis(folder: Path) -> Iterator["tuple[str, subprocess.Popen[bytes]]"]:
    """A Valkey, its address and its process, to be killed."""
    broker = brokering.configure(folder / "redis")
    assert broker, "There is no Valkey or Redis."
    with process(broker.command, folder / "redis.log") as server:
        wait_for(server, lambda: takes_connections(broker.port), folder / "redis.log")
        yield broker.url, server


def test_of_a_crowd_exactly_the_limit_gets_through_two_processes_that_share_a_file(tmp_path):
    with portal(tmp_path, redis="") as port:
        assert Crowd(port, "198.51.100.1").ask(5).passed == EACH_ONCE
        assert Crowd(port, "198.51.100.1").ask(1).passed == Counter()


def test_of_a_crowd_exactly_the_limit_gets_through_redis_and_once_more_by_the_file_when_it_dies(tmp_path):
    with dying_redis(tmp_path) as (address, redis), portal(tmp_path, address) as port:
        assert Crowd(port, "198.51.100.1").ask(5).passed == EACH_ONCE
        torn = Crowd(port, "198.51.100.2", after_the_first=redis.kill).ask(10).passed
        assert set(torn) == set(EACH_ONCE)
        assert max(torn.values()) <= 2  # by Redis, and by the file
        assert Crowd(port, "198.51.100.2").ask(1).passed == Counter()
        assert Crowd(port, "198.51.100.3").ask(5).passed == EACH_ONCE


@pytest.fixture
def fresh(settings, monkeypatch):
    """No store has failed lately."""
    monkeypatch.setattr(counters, "_silent_until", {})
    return settings


@pytest.mark.parametrize("in_redis", [True, False])
def test_what_was_added_can_be_taken_again_and_no_more_than_that(fresh, in_redis, tmp_path):
    with dying_redis(tmp_path) if in_redis else contextlib.nullcontext(("", None)) as (address, _):
        fresh.REDIS_URL = address
        assert [counters.add("plums", 60), counters.add("plums", 60)] == [1, 2]
        assert [counters.take("plums") for _ in range(3)] == [1, 0, 0]
        assert counters.add("plums", 60) == 1


def test_a_redis_that_is_not_there_is_not_asked_each_time(fresh, caplog):
    fresh.REDIS_URL = "redis://127.0.0.1:1/0"
    assert [counters.add("pears", 60) for _ in range(50)] == list(range(1, 51))
    assert counters.read("pears") == 50
    assert [record.message[:5] for record in caplog.records] == ["Redis"]


def test_when_no_store_answers_nothing_is_counted_and_nobody_refused(fresh, tmp_path):
    fresh.REDIS_URL = "redis://127.0.0.1:1/0"
    (tmp_path / "file").write_text("where a folder should be")
    fresh.COUNTERS_FILE = tmp_path / "file" / "counters.sqlite3"
    assert [counters.add("pears", 60) for _ in range(3)] == [0, 0, 0]
    assert counters.read("pears") == 0


def test_a_broken_file_is_thrown_away(fresh):
    fresh.REDIS_URL = ""
    fresh.COUNTERS_FILE.write_bytes(b"this is no database" * 500)
    assert [counters.add("pears", 60) for _ in range(3)] == [1, 2, 3]


def test_windows_that_are_over_are_forgotten(fresh):
    fresh.REDIS_URL = ""
    with time_machine.travel(1_000_000, tick=False):
        counters.add("long ago", 60)
    with time_machine.travel(1_000_090, tick=False):
        assert counters.read("long ago") == 1
    with time_machine.travel(1_000_200, tick=False):
        counters.add("now", 60)
    with contextlib.closing(sqlite3.connect(fresh.COUNTERS_FILE)) as file:
        assert file.execute("SELECT key FROM counters").fetchall() == [("now",)]


def test_a_forked_process_counts_on(fresh):
    fresh.REDIS_URL = ""
    counters.add("pears", 60)
    if (child := os.fork()) == 0:
        os._exit(counters.add("pears", 60))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    assert counters.add("pears", 60) == 3
