"""`GET /health`: every part under its real name, and 503 as soon as one is down, hangs, or is told to be elsewhere."""

import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as project_settings
from django.db import connection
from django.utils import timezone

from config import brokering
from registry import diagnosing, heartbeat
from registry.models import Job
from tests import builders
from tests.servers import process

ROOT = Path(__file__).resolve().parents[2]
PARTS = {"database", "cache", "broker", "storage", "worker"}
LIMIT = 2.0


@pytest.fixture
def worker(settings, tmp_path) -> Iterator[None]:
    """A worker's heartbeat."""
    settings.DATA_DIR = tmp_path
    if connection.vendor == "postgresql" and not settings.REDIS_URL:
        stopping = heartbeat.start()
        yield
        stopping.set()
    else:
        heartbeat.once()
        yield


def test_every_part_is_named_as_what_it_is(db, client, worker):
    answer = client.get("/health")
    found = answer.json()
    assert (answer.status_code, found["status"]) == (200, "ok"), found
    assert {name for name, value in found.items() if isinstance(value, dict)} == PARTS
    database = "SQLite" if connection.vendor == "sqlite" else "PostgreSQL"
    assert found["database"]["detail"].startswith(database)
    assert found["mongo"] == f"Metadata store is fine ({database})"
    assert found["cache"]["detail"].startswith("Valkey" if project_settings.REDIS_URL else "in the memory")
    assert found["redis"].startswith("Cache is fine")
    assert answer["Cache-Control"] == "no-store"


def test_a_broker_that_is_away_makes_it_503(db, client, settings):
    settings.REDIS_URL = "redis://:secret@127.0.0.1:1/0"
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["status"] == "down"
    assert answer.json()["broker"] == {"status": "down", "detail": "Redis does not answer (ConnectionError)"}
    assert answer.json()["worker"] == {"status": "down", "detail": "not known while Redis is down"}
    assert answer.json()["redis"] == "Cache is down (Redis)"
    assert b"secret" not in answer.content
    assert b"127.0.0.1" not in answer.content


def test_storage_that_is_away_makes_it_503(db, client, settings):
    for away in ("gopher://nowhere", "file:///proc/registry"):
        settings.STORAGE_URL = away
        assert client.get("/health").json()["storage"]["status"] == "down"


def test_a_full_disk_makes_it_503(db, client, settings, tmp_path, monkeypatch):
    settings.STAGING_DIR = tmp_path / "made" / "later"
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=3_000_000))
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["storage"] == {"status": "down", "detail": "the disk of uploads is full (2 MiB left)"}


def test_a_folder_of_uploads_that_takes_no_files_makes_it_503(db, client, settings):
    settings.STAGING_DIR = Path("/proc/self")
    assert client.get("/health").json()["storage"]["status"] == "down"


def test_jobs_that_nobody_takes_mean_that_the_worker_is_down(db, worker):
    Job.objects.create(kind="check", ref="1", dedupe_key="one", due_at=timezone.now() - timedelta(minutes=5))
    rows = diagnosing.look_at_rows()
    assert rows.late == 1
    assert diagnosing._worker(rows, True).detail == "1 jobs wait for longer than a minute"
    assert diagnosing._worker(rows, False).detail == "no worker runs"


@pytest.mark.once
def test_a_clock_that_is_set_back_makes_no_dead_worker_alive(db, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    if connection.vendor == "sqlite" and not settings.REDIS_URL:
        heartbeat.once()
        assert heartbeat.is_in_database()
        (beat,) = tmp_path.iterdir()
        os.utime(beat, (time.time() + 3600, time.time() + 3600))
        assert not heartbeat.is_in_database()


@pytest.mark.once
@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_is_only_for_reading(db, client, method: str):
    assert getattr(client, method)("/health").status_code == 405


# --- real processes -----------------------------------------------------------------------------------------------
class Health:
    """Asks a real server, and notes how long the answers take."""

    def __init__(self, port: int) -> None:
        self.address, self.longest = f"http://127.0.0.1:{port}/health", 0.0

    def ask(self) -> dict[str, Any]:
        """What it says now."""
        began = time.monotonic()
        try:
            with urllib.request.urlopen(self.address, timeout=20) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as problem:
            return json.load(problem)
        finally:
            self.longest = max(self.longest, time.monotonic() - began)

    def becomes(self, part: str, status: str) -> float:
        """Ask until the part is so; returns how many seconds that took."""
        began = time.monotonic()
        while time.monotonic() - began < 20:
            if self.ask()[part]["status"] == status:
                return time.monotonic() - began
        raise AssertionError(f"{part} never became {status}: {self.ask()}")


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """A port whose connections are never answered: the queue of those that wait for it is full."""
    with contextlib.ExitStack() as stack:
        hole = stack.enter_context(socket.socket())
        hole.bind(("127.0.0.1", 0))
        hole.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(hole.getsockname())
        yield hole.getsockname()[1]


@pytest.fixture
def health(serve) -> Callable[..., Health]:
    """Start the web server with these settings, and ask how it is."""

    def start(**settings: str) -> Health:
        made = Health(serve(**settings))
        made.ask()  # the process listens before it has read its own code
        made.longest = 0.0
        return made

    return start


@pytest.mark.once
@pytest.mark.slow
def test_parts_that_swallow_every_word_are_down_and_the_answer_is_not_late(health, transactional_db):
    with black_hole() as port:
        health = health(
            DATABASE_URL=f"postgres://registry:secret@127.0.0.1:{port}/registry",
            REDIS_URL=f"redis://:secret@127.0.0.1:{port}/0",
            STORAGE_URL=f"s3://bucket/x?endpoint_url=http://127.0.0.1:{port}",
            AWS_ACCESS_KEY_ID="secret", AWS_SECRET_ACCESS_KEY="secret", AWS_DEFAULT_REGION="eu-central-1",
        )  # fmt: skip
        for _ in range(3):
            said = health.ask()
            assert [said[part]["status"] for part in sorted(PARTS)] == ["down"] * 5
            assert "secret" not in json.dumps(said)
            assert str(port) not in json.dumps(said)
        assert health.longest < LIMIT


@pytest.mark.once
@pytest.mark.slow
def test_a_broker_and_a_worker_that_stop_hang_and_start_are_seen_within_two_seconds(
    health, tmp_path, transactional_db
):
    broker = brokering.configure(tmp_path / "valkey")
    assert broker is not None
    database = builders.database_url()
    health = health(REDIS_URL=broker.url, DATABASE_URL=database)
    log, seen = tmp_path / "log", {}
    assert health.ask()["broker"]["status"] == "down"
    with process(broker.command, log) as valkey:
        seen["broker up"] = health.becomes("broker", "ok")
        celery = [sys.executable, "-m", "celery", "-A", "config", "worker", "-c", "1", "-P", "solo"]
        environment = {**os.environ, "DATA_DIR": str(tmp_path), "REDIS_URL": broker.url, "DATABASE_URL": database}
        with process(celery, log, cwd=ROOT, env=environment) as worker:
            health.becomes("worker", "ok")  # once it has started
            worker.send_signal(signal.SIGSTOP)
            seen["worker hangs"] = health.becomes("worker", "down")
            worker.send_signal(signal.SIGCONT)
            seen["worker goes on"] = health.becomes("worker", "ok")
            worker.kill()
            seen["worker dies"] = health.becomes("worker", "down")
        valkey.send_signal(signal.SIGSTOP)
        seen["broker hangs"] = health.becomes("broker", "down")
        valkey.send_signal(signal.SIGCONT)
        seen["broker goes on"] = health.becomes("broker", "ok")
    seen["broker down"] = health.becomes("broker", "down")
    assert health.longest < LIMIT
    assert {what: took for what, took in seen.items() if took > LIMIT + 0.2} == {}
