"""A portal as a stranger gets it: a fresh clone, `make run`, a signal at the end."""

import os
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from config.brokering import free_port
from config.supervising import die_with_parent

READY = "Ctrl-C stops everything."
ROOT = Path(__file__).resolve().parent.parent.parent
OURS = (
    "DATABASE_URL",
    "REDIS_URL",
    "DATA_DIR",
    "SECRET_KEY",
    "DJANGO_SETTINGS_MODULE",
    "TEST_DATABASE_URL",
    "TEST_REDIS_URL",
)


def clone(target: Path) -> Path:
    """A clone of what is committed here."""
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, target], check=True)
    return target


@dataclass
class RunningPortal:
    """`make run` in a folder, on a free port, with what it prints."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    printed: list[str] = field(default_factory=list)
    took: float = 0.0
    process: "subprocess.Popen[str] | None" = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        """Where its data lie."""
        return Path(self.settings.get("DATA_DIR", self.folder / "var"))

    def environment(self) -> dict[str, str]:
        """The environment of a person who has set nothing of ours."""
        kept = {
            name: value for name, value in os.environ.items() if name not in OURS and not name.startswith("PYTEST")
        }
        kept.pop("MAKELEVEL", None)
        return {**kept, **self.settings, "PORT": str(self.port)}

    def start(self, timeout: float = 300.0) -> "RunningPortal":
        """Run `make run` until it says that it is ready."""
        began = time.monotonic()
        self.process = subprocess.Popen(
            ["make", "run"],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=die_with_parent(os.getpid(), signal.SIGTERM),
        )
        ready = threading.Event()
        threading.Thread(target=self._read, args=(ready,), daemon=True).start()
        ready.wait(timeout)
        if READY not in self.text:
            self.stop()
            raise AssertionError("make run did not get ready:\n" + self.text + self.logs())
        self.took = time.monotonic() - began
        return self

    def _read(self, ready: threading.Event) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed.append(line)
            if READY in line:
                ready.set()
        ready.set()

    @property
    def text(self) -> str:
        """Everything that it has printed."""
        return "".join(self.printed)

    @property
    def password(self) -> str:
        """The admin's password, as printed once."""
        found = re.search(r"password (\S+)", self.text)
        assert found, self.text
        return found[1]

    def logs(self) -> str:
        """The end of each child's log."""
        return "".join(f"\n--- {log.name}\n{log.read_text()[-2000:]}" for log in sorted(self.data.glob("log/*.log")))

    def interrupt(self) -> float:
        """Press Ctrl-C, as a terminal does: to the whole foreground group. Returns the seconds until all is over."""
        assert self.process is not None
        began = time.monotonic()
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(30)
        return time.monotonic() - began

    def supervisor(self) -> int:
        """The process id of the supervisor under make."""
        assert self.process is not None
        return next(pid for pid, line in processes_of(self.folder).items() if "config.supervising" in line)

    def stop(self) -> None:
        """End it, whatever state it is in."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)


def processes_of(folder: Path) -> dict[int, str]:
    """The living processes that run out of the folder: process id and command line."""
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            where = str((entry / "cwd").readlink())
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if (str(folder) in line or where.startswith(str(folder))) and state != "Z":
            found[int(entry.name)] = line
    return found


def wait_until(condition, seconds: float = 20.0, pause: float = 0.1) -> bool:
    """Whether the condition came true in time."""
    waiting, until = threading.Event(), time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        waiting.wait(pause)
    return bool(condition())
