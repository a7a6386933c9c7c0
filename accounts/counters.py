"""Counters that all processes share: in Redis where there is one, else in a small file beside the data.

While Redis does not answer, the file counts in its place. The two know nothing of each other: whoever may do a thing N
times may then do it N times by each of them, and where many machines share one Redis, N times by the file of each.
While neither answers, nothing is counted and nothing refused: the portal outlives its counters.
"""

import fcntl
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from redis import ConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

logger = logging.getLogger(__name__)

PAUSE_AFTER_FAILURE = 5.0
SWEEP_SECONDS = 60.0
PATIENCE = 0.5
LONGEST_WAIT = 5.0
SCHEMA = "CREATE TABLE IF NOT EXISTS counters (key TEXT PRIMARY KEY, used INTEGER, ends REAL) WITHOUT ROWID"
ADD = "INSERT INTO counters VALUES (?, 1, ?) ON CONFLICT (key) DO UPDATE SET used = used + 1 RETURNING used"
TAKE = "UPDATE counters SET used = used - 1 WHERE key = ? AND used > 0 RETURNING used"
_silent_until: dict[str, float] = {}  # by store; one switch for the process


class Store(Protocol):
    """Where numbers are kept under keys until their time is over."""

    def add(self, key: str, seconds: int) -> int:
        """The number after adding one, atomically for every process; it is forgotten some time after the seconds."""

    def take(self, key: str) -> int:
        """The number after taking one away, 0 where there is none to take."""

    def read(self, key: str) -> int:
        """The number, 0 if there is none."""


def add(key: str, seconds: int) -> int:
    """Add one and return the number, 1 for the first; 0 when no store answers. Nothing is raised."""
    return _asked(lambda store: store.add(key, seconds))


def take(key: str) -> int:
    """Take one away that was added before and return the number; 0 when no store answers. Nothing is raised."""
    return _asked(lambda store: store.take(key))


def read(key: str) -> int:
    """The number without adding to it; 0 when no store answers. Nothing is raised."""
    return _asked(lambda store: store.read(key))


def _asked(question: Callable[[Store], int]) -> int:
    """The answer of the first store that has one; a store that fails is not waited for again for some seconds."""
    for name, store in _stores():
        if time.monotonic() < _silent_until.get(name, 0.0):
            continue
        try:
            return question(store)
        except (RedisError, sqlite3.Error, OSError) as problem:
            _silent_until[name] = time.monotonic() + PAUSE_AFTER_FAILURE
            logger.warning("%s does not count for the next %s seconds: %s", name, PAUSE_AFTER_FAILURE, problem)
    return 0


def _stores() -> list[tuple[str, Store]]:
    """By preference."""
    file: tuple[str, Store] = ("The file of counters", _file(settings.COUNTERS_FILE))
    return [("Redis", _redis(settings.REDIS_URL)), file] if settings.REDIS_URL else [file]


# --- Redis ---------------------------------------------------------------------------------------------------------
class InRedis:
    """One round trip on a connection of each thread's own: half the cost of asking through a client and its pool."""

    def __init__(self, url: str) -> None:
        once = Retry(NoBackoff(), 0)
        self._pool = ConnectionPool.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=once)
        self._mine = threading.local()

    def add(self, key: str, seconds: int) -> int:
        """See Store."""
        number = self._ask(b"INCR", key.encode())
        if number == 1:
            self._ask(b"EXPIRE", key.encode(), b"%d" % (seconds + 60))
        return number

    def take(self, key: str) -> int:
        """See Store."""
        number = self._ask(b"DECR", key.encode(), again=False)
        if number < 0:  # it had been forgotten
            self._ask(b"DEL", key.encode())
        return max(number, 0)

    def read(self, key: str) -> int:
        """See Store."""
        return self._ask(b"GET", key.encode())

    def _ask(self, *words: bytes, again: bool = True) -> int:
        """The answer; a connection that was open before may have been cut since, so it is tried once more.

        Should the first try have been counted and only its answer lost, that is one too many, never one too few:
        what takes away is not tried again.
        """
        connection, command = self._connection(), _packed(words)
        was_open = connection.is_connected
        try:
            return _answer(connection, command)
        except RedisError:
            if not was_open or not again:
                raise
        return _answer(connection, command)

    def _connection(self) -> Any:
        """This thread's connection; it opens itself when something is sent."""
        if not hasattr(self._mine, "connection"):
            self._mine.connection = self._pool.connection_class(**self._pool.connection_kwargs)
        return self._mine.connection


def _packed(words: tuple[bytes, ...]) -> bytes:
    """The command as RESP has it."""
    return b"*%d\r\n%s" % (len(words), b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))


def _answer(connection: Any, command: bytes) -> int:
    """Send and read; whatever happens in between, no later question may get this answer."""
    try:
        connection.send_packed_command([command], check_health=False)
        return int(connection.read_response() or 0)
    except BaseException:
        connection.disconnect()
        raise


_redis = lru_cache(maxsize=4)(InRedis)


# --- the file ------------------------------------------------------------------------------------------------------
class InFile:
    """An SQLite file of its own, in WAL mode, so that every process of this machine adds to the same numbers.

    It is not synced to the disk: a power cut may cost the counts of the moment, and a file that it leaves broken is
    thrown away.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mine = threading.local()
        self._swept = 0.0

    def add(self, key: str, seconds: int) -> int:
        """See Store."""
        now = time.time()
        if now - self._swept > SWEEP_SECONDS:
            self._swept = now
            self._asked("DELETE FROM counters WHERE ends < ?", (now,))
        return self._asked(ADD, (key, now + seconds + 60))

    def take(self, key: str) -> int:
        """See Store."""
        return self._asked(TAKE, (key,))

    def read(self, key: str) -> int:
        """See Store."""
        return self._asked("SELECT used FROM counters WHERE key = ?", (key,))

    def _asked(self, sql: str, params: tuple[Any, ...]) -> int:
        try:
            rows = self._connection().execute(sql, params).fetchall()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:  # not a database, or no longer a whole one
            self._throw_away()
            rows = self._connection().execute(sql, params).fetchall()
        return int(rows[0][0]) if rows else 0

    def _connection(self) -> sqlite3.Connection:
        """This thread's connection, of this process and not of the one that it was forked from."""
        if getattr(self._mine, "process", None) != os.getpid():
            self._mine.file = self._identity()
            self._mine.connection = _opened(self._path)
            self._mine.process = os.getpid()
        connection: sqlite3.Connection = self._mine.connection
        return connection

    def _throw_away(self) -> None:
        """Remove the file, unless another has put a new one there since this thread opened it."""
        if self._mine.file in (None, self._identity()):
            logger.warning("The counters in %s could not be read; they begin anew.", self._path)
            for end in ("", "-wal", "-shm"):
                Path(f"{self._path}{end}").unlink(missing_ok=True)
        self._mine.process = None

    def _identity(self) -> int | None:
        return self._path.stat().st_ino if self._path.exists() else None


def _opened(path: Path) -> sqlite3.Connection:
    """A connection; one process opens after the other, since SQLite waits for nobody while it turns WAL on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        opened = sqlite3.connect(path, timeout=LONGEST_WAIT, isolation_level=None)
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=OFF", SCHEMA):
            opened.execute(statement)
    return opened


_file = lru_cache(maxsize=4)(InFile)
