"""Diagnosing: whether the parts that the portal stands on answer, each under the name of what really runs."""

import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from registry import scrubbing, storage
from registry.models import Job

PATIENCE = 0.5
LEAST_FREE = 16 * 2**20
OVERDUE_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Part:
    """One part: whether it answers, and what it is or why it does not."""

    is_up: bool
    detail: str
    product: str

    def as_dict(self) -> dict[str, str]:
        """The shape of the health page."""
        return {"status": "ok" if self.is_up else "down", "detail": self.detail}


def parts() -> dict[str, Part]:
    """Every part by its name. Takes at most a few seconds, whatever is down."""
    database = look_at_database()
    cache = look_at_redis("in the memory of each process")
    broker = look_at_redis("none: the worker polls the database")
    worker = look_at_worker() if database.is_up else Part(False, "not known while the database is down", "")
    stored = _with_damage(look_at_storage()) if database.is_up else look_at_storage()
    return {"database": database, "cache": cache, "broker": broker, "storage": stored, "worker": worker}


def look_at_database() -> Part:
    """The database and its version."""
    if connection.vendor == "sqlite":
        return _asked(f"SQLite {sqlite3.sqlite_version}", "SQLite", lambda: connection.cursor().execute("SELECT 1"))
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            version = str(cursor.fetchone()[0]).split()[0]
    except DatabaseError as problem:
        return Part(False, f"PostgreSQL does not answer ({type(problem).__name__})", "PostgreSQL")
    return Part(True, f"PostgreSQL {version}", "PostgreSQL")


def look_at_redis(without: str) -> Part:
    """The Redis or Valkey behind cache and broker, or what stands in for it."""
    if not settings.REDIS_URL:
        return Part(True, without, "memory")
    try:
        client = redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=None
        )
        with client:
            found = dict(client.info("server"))
    except redis.RedisError as problem:
        return Part(False, f"Redis does not answer ({type(problem).__name__})", "Redis")
    if version := found.get("valkey_version"):
        return Part(True, f"Valkey {version}", "Valkey")
    return Part(True, f"Redis {found.get('redis_version', '')}".strip(), "Redis")


def look_at_storage() -> Part:
    """Where the bytes lie, and whether the disk through which they come in has room."""
    scheme = settings.STORAGE_URL.partition("://")[0]
    product = "S3" if scheme == "s3" else "directory"
    part = _asked(product, product, lambda: storage.store().exists("health"))
    if part.is_up and (free := _free(settings.STAGING_DIR)) < LEAST_FREE:
        return Part(False, f"the disk of uploads is full ({free // 2**20} MiB left)", product)
    return part


def _with_damage(part: Part) -> Part:
    """How many stored files are held back, too; no reason to be called down, since they mend by themselves."""
    count = scrubbing.damaged().count()
    return replace(part, detail=f"{part.detail}, {count} damaged files held back") if count and part.is_up else part


def _free(folder: Path) -> int:
    """Bytes left on the disk of the folder, which is made with the first upload."""
    return shutil.disk_usage(next(place for place in (folder, *folder.parents) if place.exists())).free


def look_at_worker() -> Part:
    """Whether somebody takes the jobs: none has waited for longer than a minute."""
    late = Job.objects.filter(state=Job.State.OPEN, lease_until=None, due_at__lt=timezone.now() - OVERDUE_AFTER)
    if count := late.count():
        return Part(False, f"{count} jobs wait for longer than a minute: no worker runs", "worker")
    return Part(True, "jobs are taken in time", "worker")


def _asked(detail: str, product: str, ask: Callable[[], object]) -> Part:
    try:
        ask()
    except Exception as problem:  # whatever a driver raises: it is down
        return Part(False, f"{product} does not answer ({type(problem).__name__})", product)
    return Part(True, detail, product)
