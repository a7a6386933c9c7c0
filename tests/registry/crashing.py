"""Killing a process at every point where it touches the database or the disk.

A point is the moment before a statement, before and after a commit, and before every file-system event below the
room. The process that is killed is forked from the warmed one of the test, with a database and folders of its own.
"""

import itertools
import os
import shutil
import signal
import sqlite3
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

FILE_EVENTS = {"open", "os.link", "os.rename", "os.remove", "os.mkdir", "os.truncate"}
WRITING = os.O_WRONLY | os.O_RDWR


# --- rooms --------------------------------------------------------------------------------------------------------
class SqliteRooms:
    """A copy of the file for each room."""

    def __init__(self, folder: Path) -> None:
        self.template = folder / "template.sqlite3"
        connection.ensure_connection()
        with closing(sqlite3.connect(self.template)) as copy:
            connection.connection.backup(copy)
        connection.close()

    def enter(self, room: Path) -> None:
        """Point this process at the room's copy."""
        copy = room / "db.sqlite3"
        if not copy.exists():
            shutil.copy(self.template, copy)
        connection.settings_dict["NAME"] = str(copy)

    def leave(self, room: Path) -> None:
        """The file goes with its folder."""


class PostgresRooms:
    """A database made from the test's own as a template for each room."""

    def __init__(self, folder: Path) -> None:
        self.template = connection.settings_dict["NAME"]
        connection.close()

    def _run(self, statement: str) -> None:
        how = connection.settings_dict
        with psycopg.connect(
            host=how["HOST"], port=how["PORT"], user=how["USER"], dbname="postgres", autocommit=True
        ) as server:
            server.execute(statement)

    def name(self, room: Path) -> str:
        """The database of the room."""
        return f"{self.template}_{room.name}"

    def enter(self, room: Path) -> None:
        """Point this process at the room's database."""
        if not (room / "made").exists():
            self._run(f'CREATE DATABASE "{self.name(room)}" TEMPLATE "{self.template}"')
            (room / "made").touch()
        connection.settings_dict["NAME"] = self.name(room)

    def leave(self, room: Path) -> None:
        """Drop it."""
        self._run(f'DROP DATABASE IF EXISTS "{self.name(room)}" WITH (FORCE)')


def rooms_for(folder: Path) -> SqliteRooms | PostgresRooms:
    """Rooms on whatever database the tests run on; what stands in the database now is what each begins with."""
    return SqliteRooms(folder) if connection.vendor == "sqlite" else PostgresRooms(folder)


# --- points -------------------------------------------------------------------------------------------------------
@dataclass
class Points:
    """Counts the points that the process passes, and kills it at one of them."""

    room: Path
    kill_at: int | None = None
    passed: list[str] = field(default_factory=list)
    counting: bool = False

    def reach(self, what: str) -> None:
        """One more point; perhaps the last."""
        if self.counting:
            self.passed.append(what)
            if len(self.passed) == self.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Count from now on, until the process ends."""
        sys.addaudithook(self._on_event)
        connection.execute_wrappers.append(self._on_statement)
        self._watch_commits()
        self._watch_syncs()
        self.counting = True

    def _on_statement(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        self.reach(f"sql {sql[:90]}")
        return execute(sql, *rest)

    def _on_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in FILE_EVENTS or not self._is_ours(arguments[0]):
            return
        if event != "open" or (arguments[2] or 0) & WRITING:
            self.reach(f"{event} {Path(os.fsdecode(arguments[0])).name[:12]}")

    def _is_ours(self, path: object) -> bool:
        return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(str(self.room / "data"))

    def _watch_commits(self) -> None:
        commit = BaseDatabaseWrapper._commit

        def watched(wrapper: BaseDatabaseWrapper) -> None:
            self.reach("before COMMIT")
            commit(wrapper)
            self.reach("after COMMIT")

        BaseDatabaseWrapper._commit = watched

    def _watch_syncs(self) -> None:
        fsync = os.fsync

        def watched(handle: Any) -> None:
            self.reach("fsync")
            fsync(handle)

        os.fsync = watched  # type: ignore[assignment]  # the same in use


# --- processes ----------------------------------------------------------------------------------------------------
class Failed(AssertionError):
    """The child did not end as it should."""


def in_child(work: Callable[[], None], log: Path) -> int:
    """Run the work in a fork of this process; returns the signal that ended it, or 0. Raises Failed with its log."""
    connection.close()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            handle = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
            os.dup2(handle, 1)
            os.dup2(handle, 2)
            work()
            status = 0
        except BaseException:
            with suppress(Exception), log.open("a") as file:
                traceback.print_exc(file=file)
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    if os.WIFEXITED(ended) and os.WEXITSTATUS(ended):
        raise Failed(log.read_text()[-6000:])
    return os.WTERMSIG(ended) if os.WIFSIGNALED(ended) else 0


@dataclass
class Stage:
    """Where scenarios are played: rooms made one after the other, each with its folders and database."""

    folder: Path
    rooms: SqliteRooms | PostgresRooms
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @contextmanager
    def room(self) -> Iterator[Path]:
        """A fresh room."""
        room = self.folder / f"room{next(self.numbers)}"
        (room / "data").mkdir(parents=True)
        try:
            yield room
        finally:
            self.rooms.leave(room)
            shutil.rmtree(room)

    def play(self, room: Path, scenario: Callable[[Path], None], kill_at: int | None = None) -> list[str]:
        """Run the scenario in a child that is killed at the point, if it comes that far; returns the points passed."""
        tally = room / "points"
        tally.unlink(missing_ok=True)

        def work() -> None:
            self.rooms.enter(room)
            settings.STORAGE_URL = f"file://{room / 'data' / 'blobs'}"
            settings.STAGING_DIR = room / "data" / "staging"
            points = Points(room, kill_at)
            points.watch()
            scenario(room)
            points.counting = False
            tally.write_text("\n".join(point.replace("\n", " ") for point in points.passed))

        ended = in_child(work, room / "log")
        assert ended in (0, signal.SIGKILL), ended
        return tally.read_text().splitlines() if tally.exists() else []
