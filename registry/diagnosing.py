"""Diagnosing: whether the parts that the portal stands on answer, each under the name of what really runs.

All parts are asked at once, each in a thread and over a connection of its own, and none is waited for longer than
PATIENCE: a part that hangs is down. Nothing is remembered, so that what is said was true a moment ago.
"""

import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone

from registry import heartbeat, scrubbing, storage
from registry.models import Job

PATIENCE = 1.5
CONNECTING = 1.0
LEAST_FREE = 16 * 2**20
OVERDUE_AFTER = timedelta(seconds=60)
MOST_HANGING = 8


@dataclass(frozen=True, slots=True)
class Part:
    """One part: whether it answers, and what it is or why it does not."""

    is_up: bool
    detail: str
    product: str

    def as_dict(self) -> dict[str, str]:
        """The shape of the health page."""
        return {"status": "ok" if self.is_up else "down", "detail": self.detail}


@dataclass(frozen=True, slots=True)
class Rows:
    """What the database knows of the other parts."""

    late: int
    damaged: int
    is_beating: bool


@dataclass(slots=True)
class Question:
    """A question to one part, put by one thread at a time; whoever comes meanwhile gets the same answer."""

    ask: Callable[[], Any]
    lock: threading.Lock = field(default_factory=threading.Lock)
    answer: "Future[Any] | None" = None
    began: float = 0.0
    hanging: int = 0

    def put(self) -> "Future[Any]":
        """The answer to come; asked anew where the last one came or is overdue, but not by ever more threads."""
        with self.lock:
            is_new = self.answer is None or self.answer.done() or time.monotonic() - self.began > PATIENCE
            if self.answer is None or (is_new and self.hanging < MOST_HANGING):
                self.answer, self.began = Future(), time.monotonic()
                self.hanging += 1
                threading.Thread(target=self._run, args=(self.answer,), daemon=True).start()
            return self.answer

    def _run(self, answer: "Future[Any]") -> None:
        try:
            answer.set_result(self.ask())
        except Exception as problem:  # whatever a driver raises: it is down
            answer.set_exception(problem)
        finally:
            connection.close()  # this thread's own, if it has one
            with self.lock:
                self.hanging -= 1


def parts() -> dict[str, Part]:
    """Every part by its name, within PATIENCE seconds and a little, whatever is down or silent."""
    until = time.monotonic() + PATIENCE
    asked = {name: question.put() for name, question in QUESTIONS.items()}
    database, cache, bytes_ = (_heard(name, answer, until) for name, answer in asked.items())
    broker, beating = cache, None
    if not settings.REDIS_URL:
        cache = Part(True, "in the memory of each process", "memory")
        broker = Part(True, "none: the worker polls the database", "memory")
    elif cache.is_up:
        beating = asked["redis"].result()[1]
    rows = asked["database"].result()[1] if database.is_up else None
    if rows and rows.damaged and bytes_.is_up:  # no reason to be called down, since they mend by themselves
        bytes_ = Part(True, f"{bytes_.detail}, {rows.damaged} damaged files held back", bytes_.product)
    worker = _worker(rows, rows.is_beating if rows and not settings.REDIS_URL else beating)
    return {"database": database, "cache": cache, "broker": broker, "storage": bytes_, "worker": worker}


def _heard(name: str, answer: "Future[Any]", until: float) -> Part:
    """The answer, or what its absence means; never a word of the exception, which may hold addresses."""
    product = PRODUCTS[name]()
    try:
        part: Part = answer.result(max(0.0, until - time.monotonic()))[0]
    except NoAnswer:
        return Part(False, f"{product} does not answer within {PATIENCE:g} seconds", product)
    except Exception as problem:
        return Part(False, f"{product} does not answer ({type(problem).__name__})", product)
    return part


def _worker(rows: Rows | None, is_beating: bool | None) -> Part:
    """Somebody beats, and no job has waited for longer than a minute."""
    if is_beating is None:
        what = "Redis" if settings.REDIS_URL else "the database"
        return Part(False, f"not known while {what} is down", "worker")
    if not is_beating:
        return Part(False, "no worker runs", "worker")
    if rows is None:
        return Part(False, "can take no jobs while the database is down", "worker")
    if rows.late:
        return Part(False, f"{rows.late} jobs wait for longer than a minute", "worker")
    return Part(True, "jobs are taken in time", "worker")


# --- the questions -------------------------------------------------------------------------------------------------
def ask_database() -> tuple[Part, Rows]:
    """The database, its version, and what it knows; over a connection that does not wait for long."""
    if connection.connection is None:
        connection.settings_dict = {**connection.settings_dict, "OPTIONS": _hasty_options()}
    if connection.vendor == "sqlite":
        if not Path(connection.settings_dict["NAME"]).exists():
            raise FileNotFoundError  # which connecting would make anew, and empty
        return Part(True, f"SQLite {sqlite3.sqlite_version}", "SQLite"), look_at_rows()
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = str(cursor.fetchone()[0]).split()[0]
    return Part(True, f"PostgreSQL {version}", "PostgreSQL"), look_at_rows()


def _hasty_options() -> dict[str, Any]:
    options = dict(connection.settings_dict.get("OPTIONS", {}))
    if connection.vendor == "sqlite":
        return {**options, "timeout": CONNECTING}
    return {**options, "connect_timeout": 2, "tcp_user_timeout": int(PATIENCE * 1000)}


def look_at_rows() -> Rows:
    """What waits, what is damaged, and whether a worker beats."""
    late = Job.objects.filter(state=Job.State.OPEN, lease_until=None, due_at__lt=timezone.now() - OVERDUE_AFTER)
    return Rows(late.count(), scrubbing.damaged().count(), not settings.REDIS_URL and heartbeat.is_in_database())


def ask_redis() -> tuple[Part, bool]:
    """The Redis or Valkey behind cache and broker, and whether a worker beats in it; it must take a write."""
    if not settings.REDIS_URL:
        return Part(True, "none", "memory"), False
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=CONNECTING, socket_connect_timeout=CONNECTING, retry=None
    )
    with client:
        found = dict(client.info("server"))
        client.set("health", "1", px=1000)
        is_beating = heartbeat.is_in_redis(client)
    if version := found.get("valkey_version"):
        return Part(True, f"Valkey {version}", "Valkey"), is_beating
    return Part(True, f"Redis {found.get('redis_version', '')}".strip(), "Redis"), is_beating


def ask_storage() -> tuple[Part, None]:
    """Where the bytes lie, and whether the disk through which they come in takes any and has room."""
    product = PRODUCTS["storage"]()
    storage.store().probe(CONNECTING)
    staging = next(place for place in (settings.STAGING_DIR, *settings.STAGING_DIR.parents) if place.exists())
    if (free := shutil.disk_usage(staging).free) < LEAST_FREE:
        return Part(False, f"the disk of uploads is full ({free // 2**20} MiB left)", product), None
    try:
        with tempfile.TemporaryFile(dir=staging) as file:
            file.write(b".")
    except OSError as problem:
        return Part(False, f"the folder of uploads takes no files ({type(problem).__name__})", product), None
    return Part(True, product, product), None


PRODUCTS: dict[str, Callable[[], str]] = {
    "database": lambda: "SQLite" if connection.vendor == "sqlite" else "PostgreSQL",
    "redis": lambda: "Redis" if settings.REDIS_URL else "memory",
    "storage": lambda: "S3" if settings.STORAGE_URL.startswith("s3:") else "directory",
}
QUESTIONS = {"database": Question(ask_database), "redis": Question(ask_redis), "storage": Question(ask_storage)}
