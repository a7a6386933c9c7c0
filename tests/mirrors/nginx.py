"""A real nginx, with the configuration that is shipped."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests import servers, tools

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
MAIN = """
daemon off; worker_processes 1; {user}
pid {folder}/pid; error_log {folder}/errors.log;
events {{ worker_connections 64; }}
http {{ access_log off; {temporary} include {folder}/shipped.conf; }}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def changed(text: str, values: Mapping[str, str]) -> str:
    """The shipped text with what it says to change changed; everything that is to be changed must be there."""
    for shipped, here in values.items():
        assert shipped in text, shipped
        text = text.replace(shipped, here)
    return text


@contextmanager
def serving(folder: Path, configuration: str, values: Mapping[str, str], port: int) -> Iterator[str]:
    """nginx with the shipped configuration, changed as `values` says, until the block ends; yields its address."""
    folder.mkdir()
    (folder / "shipped.conf").write_text(changed((DOCS / configuration).read_text(), values))
    temporary = "".join(f"{name}_temp_path {folder}/{name};" for name in TEMPORARY)
    user = "user root;" if servers.unprivileged() else ""
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, temporary=temporary, user=user))
    command = [
        tools.need("nginx"),
        "-p",
        str(folder),
        "-c",
        str(folder / "nginx.conf"),
        "-e",
        str(folder / "errors.log"),
    ]
    with servers.process(command, folder / "printed.log") as child:
        servers.wait_for(child, lambda: servers.takes_connections(port), folder / "printed.log")
        yield f"http://127.0.0.1:{port}"


def get(address: str, *options: str) -> tuple[int, dict[str, str], bytes]:
    """What a real curl gets: status, headers in lower case, body."""
    command = [
        tools.need("curl"),
        "--silent",
        "--max-time",
        "10",
        "--path-as-is",
        "--dump-header",
        "-",
        *options,
        address,
    ]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    head, _blank, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _colon, value in (line.partition(": ") for line in lines)}
    return int(first.split()[1]), headers, body
