"""The command `codesync` as its user runs it, against a portal that is served, with a worker beside it."""

import base64
import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from registry import tasks
from tests import builders
from tests.builders import Cast, KeyPair

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "codesync"]


@dataclass(frozen=True)
class Done:
    """How a run ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output, which is JSON and nothing else."""
        return json.loads(self.out)


@dataclass
class Terminal:
    """Somebody's shell: a home, a folder, an environment of their own."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def variables(self) -> dict[str, str]:
        """What a command finds in its environment."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("CODESYNC_", "XDG_", "PYTEST"))
        }
        ours = {"HOME": str(self.home), "PYTHONPATH": str(ROOT / "sdk" / "python"), "COLUMNS": "100"}
        ours |= {"XDG_CONFIG_HOME": str(self.home / ".config"), "npm_config_update_notifier": "false"}
        return {**kept, **ours, **self.environment}

    def run(self, *arguments: str, folder: Path | None = None, typed: str = "") -> Done:
        """Run `codesync` without a terminal, as CI does."""
        done = subprocess.run(
            [*COMMAND, *arguments], cwd=folder or self.home, env=self.variables(), input=typed, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def watch(self, *arguments: str, folder: Path) -> Done:
        """Run it on a terminal; what it draws is in `out`."""
        ours, theirs = pty.openpty()
        child = subprocess.Popen(
            [*COMMAND, *arguments], cwd=folder, env={**self.variables(), "TERM": "xterm"}, stdin=theirs, stdout=theirs,
            stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        drawn = bytearray()
        try:
            while piece := os.read(ours, 4096):
                drawn += piece
        except OSError:  # the other end is closed: it has ended
            pass
        os.close(ours)
        return Done(child.wait(60), drawn.decode(), "")

    @property
    def config(self) -> Path:
        """What `login` wrote."""
        return self.home / ".config" / "codesync" / "config.json"


@pytest.fixture
def worker(transactional_db) -> Iterator[None]:
    """Runs what is due, as the worker beside a portal does."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.1):
            tasks.drain()
        connection.close()

    running = threading.Thread(target=work)
    running.start()
    yield
    stop.set()
    running.join(30)


@pytest.fixture
def pair(tmp_path: Path) -> KeyPair:
    """Alice's key pair, not registered yet."""
    return builders.key_pair(tmp_path)


@pytest.fixture
def terminal_of(cast: Cast, live_server, worker: None, tmp_path: Path) -> Callable[..., Terminal]:
    """A terminal with the portal and a token of the person in its environment."""

    def make(person: User, *scopes: str) -> Terminal:
        home = tmp_path / f"home of {person.username}"
        home.mkdir(exist_ok=True)
        raw = builders.token(person, *(scopes or ("read", "publish")))
        return Terminal(home, {"CODESYNC_URL": live_server.url, "CODESYNC_TOKEN": raw})

    return make


def npm_folder(home: Path, name: str, version: str = "1.0.0", **manifest: Any) -> Path:
    """A folder as `npm init` leaves it."""
    folder = home / name.rpartition("/")[2]
    folder.mkdir(exist_ok=True)
    stated = {"name": name, "version": version, "description": "Greets.", "license": "MIT", **manifest}
    (folder / "package.json").write_text(json.dumps(stated))
    (folder / "index.js").write_text("module.exports = 1\n")
    (folder / "README.md").write_text(f"# {name}\n")
    return folder


# what builds a package without asking any index for a build system: a backend in the folder, and in the sdist
BACKEND = """
import base64, pathlib, tarfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    (pathlib.Path(folder) / "{stem}-py3-none-any.whl").write_bytes(base64.b64decode("{wheel}"))
    return "{stem}-py3-none-any.whl"
def build_sdist(folder, config_settings=None):
    with tarfile.open(pathlib.Path(folder) / "{stem}.tar.gz", "w:gz") as archive:
        for name in ("PKG-INFO", "pyproject.toml", "backend.py"):
            archive.add(name, f"{stem}/{{name}}")
    return "{stem}.tar.gz"
"""


def python_folder(home: Path, name: str, version: str = "1.0.0") -> Path:
    """A folder with a pyproject.toml that builds a wheel and an sdist, without the network."""
    folder = home / name
    folder.mkdir(exist_ok=True)
    wheel = base64.b64encode(builders.wheel(name, version)).decode()
    stem = f"{name.replace('-', '_')}-{version}"
    (folder / "backend.py").write_text(BACKEND.format(stem=stem, wheel=wheel))
    lines = ("[build-system]", "requires = []", 'build-backend = "backend"', 'backend-path = ["."]')
    (folder / "pyproject.toml").write_text("\n".join((*lines, "")))
    (folder / "PKG-INFO").write_text(builders.python_metadata(name, version))
    return folder
