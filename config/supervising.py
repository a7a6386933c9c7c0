"""The portal on one box: prepares the data, then keeps broker, web server and worker running until it is told to stop.

Standard library only. Children live in process groups of their own and die with their parent, however it dies.
"""

import ctypes
import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from config import brokering, preparedness

ROOT = Path(__file__).resolve().parent.parent
LONGEST_PAUSE = 30.0
STEADY_AFTER = 60.0
READY_WITHIN = 90.0
WELL_WITHIN = 30.0  # the worker needs a moment longer than the web server
LARGEST_LOG = 10 * 1024 * 1024
PR_SET_PDEATHSIG = 1
# reads the process groups to bury; when its input ends, however the supervisor died, none of them is left
UNDERTAKER = """while read group; do all="$all -$group"; done
kill -s TERM -- $all; sleep 6; kill -s KILL -- $all"""  # not `kill -TERM --`, which dash takes for a wrong number


def die_with_parent(parent: int, death: signal.Signals) -> Callable[[], None]:
    """A function for the child, to run before exec: on Linux the kernel signals it when its parent is gone."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def bind() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, int(death), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return bind


@dataclass
class Child:
    """One process that is to run: how to start it, how to stop it, and how it has fared."""

    name: str
    command: list[str]
    log: Path
    environment: dict[str, str]
    stop_with: signal.Signals = signal.SIGTERM
    die_with: signal.Signals = signal.SIGTERM
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    pause: float = 0.5
    due: float = 0.0

    def start(self) -> None:
        """Start it in a session of its own, its output appended to its log."""
        rotate(self.log)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(os.getpid(), self.die_with),
            )
        self.started = time.monotonic()

    @property
    def is_running(self) -> bool:
        """Whether its first process lives."""
        return self.process is not None and self.process.poll() is None

    def tell(self, what: signal.Signals) -> None:
        """Signal the first process, if it lives."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(what)

    def clear_up(self) -> None:
        """Kill whatever of its group is left."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return

    def schedule_restart(self) -> float:
        """Note when to start again, later each time unless it ran steadily; returns the pause in seconds."""
        steady = time.monotonic() - self.started > STEADY_AFTER
        self.pause = 1.0 if steady else min(self.pause * 2, LONGEST_PAUSE)
        self.due = time.monotonic() + self.pause
        self.process = None
        return self.pause

    def last_words(self, lines: int = 5) -> str:
        """The end of its log, for the terminal."""
        text = self.log.read_bytes()[-4096:].decode(errors="replace").strip().splitlines()
        return "\n".join(f"    {line}" for line in text[-lines:])


def rotate(log: Path) -> None:
    """Put a long log aside, so that an installation's logs stay bounded."""
    if log.is_file() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))


def say(text: str = "") -> None:
    """Tell the person at the terminal; a terminal that is gone is no reason to stop."""
    try:
        print(text, flush=True)  # noqa: T201  # this is the program's voice
    except OSError:
        return


@dataclass
class Portal:
    """The whole installation on one box."""

    data: Path
    host: str
    port: int
    environment: dict[str, str]
    stopping: threading.Event = field(default_factory=threading.Event)
    children: list[Child] = field(default_factory=list)
    undertaker: "subprocess.Popen[bytes] | None" = None

    def run(self) -> int:
        """Prepare, start, tend, stop. Returns the exit status."""
        if problem := self._in_the_way():
            say(problem)
            return 1
        with lock(self.data / "running.lock") as mine:
            if mine is None:
                say(f"A portal runs on {self.data} already. Stop it first, or choose another DATA_DIR.")
                return 1
            self.undertaker = subprocess.Popen(
                ["/bin/sh", "-c", UNDERTAKER],
                stdin=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                return self._serve()
            finally:
                self._stop()
                self.undertaker.kill()

    def stop(self, number: int, frame: FrameType | None) -> None:
        """The signal handler: leave the loop, whatever it waits for."""
        self.stopping.set()

    def _in_the_way(self) -> str:
        with socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as problem:
                return (
                    f"Cannot listen on {self.host}:{self.port}: {problem.strerror}. Try: PORT={self.port + 1} make run"
                )
        return ""

    def _serve(self) -> int:
        began = time.monotonic()
        say(f"CodeSync Registry, data in {self.data}")
        self._start_broker()
        report = self._prepare()
        if report is None or self.stopping.is_set():
            return 0 if self.stopping.is_set() else 1
        self._add("web", ["-m", "gunicorn", "-c", "config/gunicorn.py"])
        self._add_worker()
        if not self._wait_until_ready():
            return 0 if self.stopping.is_set() else 1
        self._announce(report, time.monotonic() - began)
        self._tend()
        return 0

    def _start_broker(self) -> None:
        if self.environment.get("REDIS_URL"):
            return
        broker = brokering.configure(self.data / "valkey")
        if broker is None:
            say("  broker   none found for this machine: the worker polls the database instead")
            return
        self._start(Child("valkey", broker.command, self._log("valkey"), self.environment))
        self.environment["REDIS_URL"] = broker.url
        if not self._answers(broker.port):
            say("  broker   Valkey does not start here: the worker polls the database instead")
            self.children.pop().clear_up()
            del self.environment["REDIS_URL"]

    def _answers(self, port: int) -> bool:
        for _ in range(100):
            if not self.children[-1].is_running or self.stopping.is_set():
                return False
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return True
            self.stopping.wait(0.05)
        return False

    def _prepare(self) -> dict[str, str] | None:
        """Run `manage.py prepare`: its progress goes to the terminal, its report comes back. None if it failed."""
        if preparedness.is_prepared(self.data):
            say("  data     as this version left them")
            return {}
        offered = {"ADMIN_PASSWORD": secrets.token_urlsafe(12)} if not self.environment.get("ADMIN_PASSWORD") else {}
        process = subprocess.Popen(
            [sys.executable, "manage.py", "prepare"],
            cwd=ROOT,
            env=self.environment | offered,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=die_with_parent(os.getpid(), signal.SIGTERM),
        )
        while process.poll() is None:
            if self.stopping.wait(0.05):
                process.terminate()
                process.communicate()
                return None
        output = process.communicate()[0]
        if process.returncode:
            say("The data could not be prepared; see the lines above, and `.venv/bin/python manage.py doctor`.")
            return None
        preparedness.note(self.data)
        return {**offered, **json.loads(output.decode().strip().splitlines()[-1])}

    def _add(self, name: str, arguments: list[str], die_with: signal.Signals = signal.SIGTERM) -> None:
        self._start(Child(name, [sys.executable, *arguments], self._log(name), self.environment, die_with=die_with))

    def _add_worker(self) -> None:
        if not self.environment.get("REDIS_URL"):
            self._add("worker", ["manage.py", "work"])
            return
        arguments = ["-m", "celery", "-A", "config", "worker", "-B", "-c", "2", "--loglevel", "INFO"]
        arguments += ["--without-mingle", "--without-gossip", "-s", str(self.data / "beat")]
        # SIGQUIT ends celery at once, even inside a task; leases bring what was lost back
        self._add("worker", arguments, die_with=signal.SIGQUIT)

    def _start(self, child: Child) -> None:
        self.children.append(child)
        self._bring_up(child)

    def _bring_up(self, child: Child) -> None:
        child.start()
        if self.undertaker and self.undertaker.stdin and child.process:
            self.undertaker.stdin.write(f"{child.process.pid}\n".encode())
            self.undertaker.stdin.flush()

    def _log(self, name: str) -> Path:
        folder = self.data / "log"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.log"

    @property
    def address(self) -> str:
        """Where the portal is reached from this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104  # compared, not bound
        return f"http://{host}:{self.port}"

    def _wait_until_ready(self) -> bool:
        until, answering_since = time.monotonic() + READY_WITHIN, 0.0
        while time.monotonic() < until and not self.stopping.wait(0.1):
            status = status_of(f"{self.address}/health")
            answering_since = answering_since or (time.monotonic() if status else 0.0)
            if status == 200 or (status and time.monotonic() - answering_since > WELL_WITHIN):
                return True
            for child in self.children:
                if not child.is_running:
                    say(f"  {child.name} stopped while starting:\n{child.last_words()}")
                    return False
        if not self.stopping.is_set():
            say(f"  The web server does not answer on {self.address}; see {self._log('web')}")
        return False

    def _announce(self, report: dict[str, str], seconds: float) -> None:
        say()
        say(f"  Ready at {self.address} after {seconds:.0f} s, logs in {self.data / 'log'}")
        if report.get("admin"):
            password = report.get("ADMIN_PASSWORD", "as ADMIN_PASSWORD has it")
            say(f"  Admin at {self.address}/admin/: user {report['admin']}, password {password}")
            if "ADMIN_PASSWORD" in report:
                say("  The password is shown this once. Change it after the first sign-in.")
        say("  Ctrl-C stops everything.")

    def _tend(self) -> None:
        while not self.stopping.wait(0.5):
            for child in self.children:
                if child.process is None:
                    if time.monotonic() >= child.due:
                        self._bring_up(child)
                elif not child.is_running:
                    status = child.process.returncode
                    child.clear_up()
                    pause = child.schedule_restart()
                    say(f"  {child.name} ended with status {status}; starting it again in {pause:.0f} s")
                    say(child.last_words())

    def _stop(self) -> None:
        """Web and worker first, the broker last; politely, then firmly."""
        if self.stopping.is_set() and self.children:
            say("\nStopping …")
        for children in ([c for c in self.children if c.name != "valkey"], self.children):
            for what, seconds in ((None, 6.0), (signal.SIGQUIT, 2.0)):
                for child in children:
                    child.tell(what or child.stop_with)
                self._wait_for(children, seconds)
        for child in self.children:
            child.clear_up()
        if self.children:
            say("Stopped.")

    def _wait_for(self, children: list[Child], seconds: float) -> None:
        until = time.monotonic() + seconds
        for child in children:
            if child.process is not None:
                try:
                    child.process.wait(max(until - time.monotonic(), 0.01))
                except subprocess.TimeoutExpired:
                    continue


def status_of(address: str) -> int:
    """The status of what answers there, 503 where it is not well; 0 where nothing answers."""
    try:
        with urllib.request.urlopen(address, timeout=3) as answer:  # noqa: S310  # our own http address
            return int(answer.status)
    except urllib.error.HTTPError as problem:
        return problem.code
    except OSError:
        return 0


class lock:  # noqa: N801  # reads as a word where it is used
    """A file that one portal holds at a time; enters as None when another one does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: IO[str] | None = None

    def __enter__(self) -> "IO[str] | None":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = self.path.open("a")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.file.close()
            self.file = None
        return self.file

    def __exit__(self, *problem: object) -> None:
        if self.file is not None:
            self.file.close()


def environment_for(data: Path, host: str, port: int) -> dict[str, str]:
    """What every child is told: where the data lie, where it listens, and which names it answers to."""
    told = {**os.environ, "DATA_DIR": str(data), "HOST": host, "PORT": str(port), "PYTHONUNBUFFERED": "1"}
    told.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    told.setdefault("WEB_GRACE_SECONDS", "4")
    told.setdefault("DEMO", "1")
    if "ALLOWED_HOSTS" not in told:
        names = ["localhost", "127.0.0.1", "[::1]", host, socket.gethostname()]
        told["ALLOWED_HOSTS"] = ",".join(dict.fromkeys(names))
    return told


def main() -> int:
    """Run the portal on HOST and PORT over DATA_DIR until a signal ends it."""
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8000"))
    data = Path(os.environ.get("DATA_DIR") or ROOT / "var").resolve()
    portal = Portal(data, host, port, environment_for(data, host, port))
    for what in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if what != signal.SIGHUP or signal.getsignal(what) != signal.SIG_IGN:  # nohup means what it says
            signal.signal(what, portal.stop)
    if os.environ.get("MAKELEVEL"):  # started by make: when make is killed, stop
        die_with_parent(os.getppid(), signal.SIGTERM)()
    return portal.run()


if __name__ == "__main__":
    sys.exit(main())
