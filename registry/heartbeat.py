"""The worker's heartbeat: how the health page knows within two seconds that a worker runs, or no longer does.

With Redis a key that expires, on SQLite a file in DATA_DIR that is touched (both tell a worker that is stopped from
one that runs), on PostgreSQL without Redis a lock that ends with the worker's connection. None of them is a write
that has to be synced.
"""

import logging
import threading
import time
from pathlib import Path

from django.conf import settings
from django.db import connection, connections
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)
EVERY = 0.4
GOOD_FOR = 1.4
KEY = "worker:beat"
LOCK = (0x636F6465, 0x62656174)  # two numbers that name one advisory lock
HELD = """
    SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = %s AND objid = %s
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
HOLD = f"SELECT pg_try_advisory_lock_shared(%s, %s) WHERE NOT EXISTS ({HELD} AND pid = pg_backend_pid())"


def start() -> threading.Event:
    """Beat in a thread of this process until the event is set or the process ends."""
    stopping = threading.Event()
    threading.Thread(target=_beat, args=(stopping,), name="heartbeat", daemon=True).start()
    return stopping


def _beat(stopping: threading.Event) -> None:
    is_heard = True
    while not stopping.is_set():
        try:
            once()
            is_heard = True
        except Exception as problem:  # what it writes to may be away; the next beat tries again
            connections.close_all()
            if is_heard:
                logger.warning("The worker's heartbeat is not taken (%s); trying on.", type(problem).__name__)
            is_heard = False
        stopping.wait(EVERY)
    connections.close_all()


def once() -> None:
    """One beat."""
    if settings.REDIS_URL:
        with _redis() as client:
            client.set(KEY, "1", px=int(GOOD_FOR * 1000))
    elif connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # taken once by this thread's connection, then only found to be there
            cursor.execute(HOLD, LOCK * 2)
    else:
        _file().touch()


def is_in_redis(client: "Redis") -> bool:
    """Whether a worker has beaten lately."""
    return bool(client.exists(KEY))


def is_in_database() -> bool:
    """Whether a worker is connected, or has touched its file lately."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(HELD, LOCK)
            return cursor.fetchone() is not None
    file = _file()
    return file.exists() and abs(time.time() - file.stat().st_mtime) < GOOD_FOR  # a clock that was set back is no beat


def _file() -> Path:
    return Path(settings.DATA_DIR) / "worker.beat"


def _redis() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL, socket_timeout=EVERY, socket_connect_timeout=EVERY, retry=Retry(NoBackoff(), 0)
    )
