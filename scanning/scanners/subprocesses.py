"""Running a tool that is not ours: few rights, no network, an empty environment, and limits to everything."""

import json
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO

from django.conf import settings

from scanning.scanners import launching
from scanning.scanners.base import Unavailable

MIB = 1024 * 1024
OUTPUT_LIMIT = 16 * MIB
FILE_LIMIT = 256 * MIB
DATABASE_LIMIT = 4096 * MIB  # where a tool may fetch its database
KEPT_COMPLAINT = 2000
CHUNK = 64 * 1024
PATIENCE = 5  # seconds, for the launcher to end what it started
PREFIX = "codesync-scan-"
ABANDONED_AFTER = 24 * 3600
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool printed, the status it ended with, and the end of what it complained about."""

    output: bytes
    status: int
    complaint: str


@dataclass(slots=True)
class _Heard:
    """What has been read so far; of complaints only the end is kept."""

    output: list[bytes] = field(default_factory=list)
    size: int = 0
    complaint: bytes = b""


def find(binary: str) -> Path | None:
    """The tool's program: where a setting says, else on PATH."""
    given = settings.SCANNER_PATHS.get(binary) or binary
    found = shutil.which(given)
    return Path(found).absolute() if found else None


def user() -> int | None:
    """Who the tools run as: nobody where we could be anybody, else whoever we are."""
    return launching.NOBODY if os.geteuid() == 0 else None


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder that the tools' user may read, gone with all it holds when the block ends."""
    _forget_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        give(folder)
        yield folder
    finally:
        _remove(folder)


def give(path: Path) -> None:
    """Hand the path to the user that the tools run as."""
    if (nobody := user()) is not None:
        os.chown(path, nobody, nobody, follow_symlinks=False)


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Answer:
    """Run the command, whose first word is a full path, and read what it prints.

    Raises Unavailable where it cannot be started, takes longer than SCANNER_TIMEOUT_SECONDS, prints more than 16 MB
    or is ended by a signal. Nothing that it started, and nothing that it wrote to its folder, is left.
    """
    with private_folder() as folder, _started(command, folder, environment or {}) as process:
        heard = _listen(process)
        status = _status(process)
    complaint = heard.complaint.decode("utf-8", "replace").strip()
    if status in (launching.CANNOT_BE_RUN, launching.NOT_FOUND):
        raise Unavailable(f"It cannot be run by the user that scanners run as ({last_line(complaint)}).")
    if status > launching.SIGNALLED:
        raise Unavailable(f"It was ended by {_signal_name(status - launching.SIGNALLED)}.")
    return Answer(b"".join(heard.output), status, complaint)


@cache
def separations() -> frozenset[str]:
    """What the system lets us cut tools off from: `network`, `processes`, both or none."""
    asked = [sys.executable, "-I", "-S", launching.__file__, "--probe"]
    try:
        answer = subprocess.run(asked, capture_output=True, check=True, timeout=10, env={})
        return frozenset(json.loads(answer.stdout))
    except (OSError, ValueError, subprocess.SubprocessError):
        return frozenset()


def _order(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    memory, seconds = settings.SCANNER_MEMORY_MB * MIB, max(1, round(settings.SCANNER_TIMEOUT_SECONDS))
    limits = {
        "RLIMIT_AS": memory,
        "RLIMIT_CPU": seconds * (os.cpu_count() or 1),
        "RLIMIT_FSIZE": DATABASE_LIMIT if settings.SCANNER_NETWORK else FILE_LIMIT,
        "RLIMIT_NOFILE": 1024,
        "RLIMIT_CORE": 0,
        **({"RLIMIT_NPROC": 1024} if user() is not None else {}),
    }
    home = str(folder)
    order = {
        "command": list(command),
        "environment": {
            "PATH": f"{Path(command[0]).parent}:{SYSTEM_PATH}", "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8",
            "GOMEMLIMIT": f"{memory * 3 // 4}", **environment,
        },
        "folder": home,
        "user": user(),
        "limits": limits,
        "network": settings.SCANNER_NETWORK,
    }  # fmt: skip
    return json.dumps(order)


@contextmanager
def _started(
    command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """The launcher with the tool inside; ended, and all it started, when the block ends."""
    launcher = [sys.executable, "-I", "-S", launching.__file__, _order(command, folder, environment)]
    process = subprocess.Popen(
        launcher,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _end(process)
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _listen(process: subprocess.Popen[bytes]) -> _Heard:
    """Read both streams to their end; what is too much is never held."""
    deadline, heard = time.monotonic() + settings.SCANNER_TIMEOUT_SECONDS, _Heard()
    with selectors.DefaultSelector() as open_streams:
        for stream in (process.stdout, process.stderr):
            open_streams.register(stream, selectors.EVENT_READ)  # type: ignore[arg-type]  # both are pipes
        while open_streams.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise _too_slow()
            for key, _ in open_streams.select(left):
                if not _hear(key.fileobj, process, heard):  # type: ignore[arg-type]  # registered above
                    open_streams.unregister(key.fileobj)
    try:
        process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise _too_slow() from None
    return heard


def _hear(stream: IO[bytes], process: subprocess.Popen[bytes], heard: _Heard) -> bool:
    chunk = os.read(stream.fileno(), CHUNK)
    if stream is process.stderr:
        heard.complaint = (heard.complaint + chunk)[-KEPT_COMPLAINT:]
        return bool(chunk)
    heard.size += len(chunk)
    if heard.size > OUTPUT_LIMIT:
        raise Unavailable(f"It printed more than {OUTPUT_LIMIT // MIB} MB.")
    heard.output.append(chunk)
    return bool(chunk)


def _too_slow() -> Unavailable:
    return Unavailable(f"It took longer than {settings.SCANNER_TIMEOUT_SECONDS:g} seconds.")


def _status(process: subprocess.Popen[bytes]) -> int:
    """The tool's status as the launcher hands it on; a launcher that was killed counts as a killed tool."""
    code = process.returncode
    return code if code >= 0 else launching.SIGNALLED - code


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def last_line(complaint: str) -> str:
    """What a program said last of what went wrong, without colours and control characters."""
    plain = re.sub(r"\x1b\[[0-9;]*m|[\x00-\x09\x0b-\x1f\x7f]", " ", complaint).strip()
    return (plain.splitlines() or ["no reason was given"])[-1][-300:].strip().rstrip(".")


def _remove(folder: Path) -> None:
    """Remove the folder, whatever rights its owner took away inside."""
    locked = [folder]
    while locked:
        with suppress(OSError):
            top = locked.pop()
            top.chmod(0o700)
            locked += [Path(entry.path) for entry in os.scandir(top) if entry.is_dir(follow_symlinks=False)]
    shutil.rmtree(folder, ignore_errors=True)


def _forget_abandoned() -> None:
    """Remove the folders that killed workers left a day ago."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            if left.stat().st_mtime < time.time() - ABANDONED_AFTER and not left.is_symlink():
                _remove(left)
