"""The registries beside which `benchmarks.rivals` puts the portal: installed, started, filled as their users do it."""

import base64
import contextlib
import http.client
import io
import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.__main__ import HOST, complain
from benchmarks.load import measure
from config import brokering
from tests.protocols.npm import bodies
from tests.servers import takes_connections

FULL, ABBREVIATED = "application/json", "application/vnd.npm.install-v1+json"
JSON, HTML = "application/vnd.pypi.simple.v1+json", "text/html"
WHEEL = "-py3-none-any.whl"
VERDACCIO = """\
storage: ./storage
auth: {htpasswd: {file: ./htpasswd}}
uplinks: {}
packages: {"**": {access: $all, publish: $all}}
publish: {allow_offline: true}
middlewares: {audit: {enabled: false}}
web: {enable: false}
log: {type: stdout, format: json, level: error}
max_body_size: 100mb
"""
# One dependency names another by a tag (`cjs`), which mirrors of packages do not always carry: this is its version.
NPM = {"private": True, "dependencies": {"verdaccio": "6"}, "overrides": {"node-fetch": "2.6.7"}}
Address = tuple[str, int]


@dataclass(frozen=True)
class Registry:
    """A registry that runs, with the archives in it: where its packages begin, and what a publish has to carry."""

    name: str
    address: Address
    base: str
    slash: str = ""
    token: str = ""
    speaks: tuple[str, ...] = ()


def wheel_name(name: str, version: str) -> str:
    """The file name of the wheel."""
    return f"{name.replace('-', '_')}-{version}{WHEEL}"


def published(name: str, version: str, body: bytes) -> bytes:
    """What `npm publish` sends of the tarball."""
    document = bodies.published(body, name, version)
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        manifest = tar.extractfile("package/package.json")
        assert manifest is not None
        document["versions"][version] |= json.load(manifest)
    return json.dumps(document).encode()


def put(name: str, version: str, body: bytes, to: Registry) -> bytes:
    """The whole request of that publish."""
    sent = published(name, version, body)
    authorization = f"Authorization: Bearer {to.token}\r\n" if to.token else ""
    head = (
        f"PUT {to.base}{name} HTTP/1.1\r\nHost: {HOST}:{to.address[1]}\r\n{authorization}"
        f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n\r\n"
    )
    return head.encode() + sent


def form(name: str, version: str, body: bytes) -> tuple[dict[str, str], bytes]:
    """What twine sends of the wheel: headers and body."""
    fields = {
        ":action": "file_upload", "protocol_version": "1", "metadata_version": "2.1", "name": name, "version": version,
        "filetype": "bdist_wheel", "pyversion": "py3", "requires_python": ">=3.8",
    }  # fmt: skip
    part = "--limit\r\nContent-Disposition: form-data; name="
    texts = "".join(f'{part}"{key}"\r\n\r\n{value}\r\n' for key, value in fields.items())
    file = f'{part}"content"; filename="{wheel_name(name, version)}"\r\nContent-Type: application/octet-stream\r\n\r\n'
    return {"Content-Type": "multipart/form-data; boundary=limit"}, (
        texts + file
    ).encode() + body + b"\r\n--limit--\r\n"


def archives(folder: Path, ending: str) -> Iterator[tuple[str, str, bytes]]:
    """Name, version and bytes of every archive of that kind."""
    for path in sorted((folder / "archives").glob(f"*{ending}")):
        name, version = path.name.removesuffix(".tgz").removesuffix(WHEEL).rsplit("-", 1)
        yield name.replace("_", "-"), version, path.read_bytes()


# --- their servers -----------------------------------------------------------------------------------------------
def ask(address: Address, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """One request; anything but success ends the run."""
    link = http.client.HTTPConnection(*address, timeout=60)
    link.request(method, path, body, headers or {})
    answer = link.getresponse()
    said = answer.read()
    if answer.status >= 400:
        raise SystemExit(f"{method} {path}: {answer.status} {said[:300]!r}")
    return said


@contextlib.contextmanager
def on_core(number: int) -> Iterator[None]:
    """Run on that core, and whatever is started meanwhile."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(number, (os.cpu_count() or 1) - 1)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def running(command: list[str], port: int, folder: Path) -> Iterator[Address]:
    """The server on the first core, until the end."""
    with (folder / "server.log").open("wb") as log, on_core(0):
        production = os.environ | {"NODE_ENV": "production"}
        child = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, env=production)
    try:
        until = time.monotonic() + 60
        while not takes_connections(port):
            if child.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"{command[0]} did not start: {(folder / 'server.log').read_text()[-600:]}")
            time.sleep(0.05)
        yield HOST, port
    finally:
        child.terminate()
        child.wait(30)


@contextlib.contextmanager
def verdaccio(binaries: Path, folder: Path, data: Path) -> Iterator[Registry]:
    """Verdaccio over its own storage, without uplinks; everybody may publish."""
    (folder / "config.yaml").write_text(VERDACCIO)
    port = brokering.free_port()
    command = [str(binaries / "verdaccio"), "--config", "config.yaml", "--listen", f"{HOST}:{port}"]
    with running(command, port, folder) as address:
        made = Registry("verdaccio", address, "/", speaks=(FULL, ABBREVIATED))
        for one in archives(data, ".tgz"):
            complain("verdaccio", measure(address, [put(*one, made)], 60, 1, once=True))
        yield made


@contextlib.contextmanager
def devpi(binaries: Path, folder: Path, data: Path) -> Iterator[Registry]:
    """devpi-server with one index that has no bases."""
    port = brokering.free_port()
    there = ["--serverdir", str(folder / "data")]
    subprocess.run([binaries / "devpi-init", *there, "--no-root-pypi"], check=True, capture_output=True)
    with running(
        [str(binaries / "devpi-server"), *there, "--host", HOST, "--port", str(port)], port, folder
    ) as address:
        plain = {"Content-Type": "application/json", "Accept": "application/json"}
        ask(address, "PUT", "/bench", b'{"password": "bench"}', plain)
        answer = json.loads(ask(address, "POST", "/+login", b'{"user": "bench", "password": "bench"}', plain))
        said = base64.b64encode(f"bench:{answer['result']['password']}".encode()).decode()
        known = {"X-Devpi-Auth": said}
        ask(address, "PUT", "/bench/dev", b'{"type": "stage", "bases": [], "volatile": true}', plain | known)
        for one in archives(data, ".whl"):
            headers, body = form(*one)
            ask(address, "POST", "/bench/dev/", body, headers | known)
        yield Registry("devpi-server", address, "/bench/dev/+simple/", "/", speaks=(JSON, HTML))


@contextlib.contextmanager
def pypiserver(binaries: Path, folder: Path, data: Path) -> Iterator[Registry]:
    """A folder served by pypiserver, with its cache and waitress in front."""
    (folder / "packages").mkdir()
    port = brokering.free_port()
    how = ["-i", HOST, "-p", str(port), "-a", ".", "-P", ".", "--disable-fallback"]
    with running([str(binaries / "pypi-server"), "run", *how, "packages"], port, folder) as address:
        for one in archives(data, ".whl"):
            headers, body = form(*one)
            ask(address, "POST", "/", body, headers)
        yield Registry("pypiserver", address, "/simple/", "/", speaks=(HTML,))


def install(folder: Path) -> dict[str, Path]:
    """Where the programs of those lie that could be installed; the others are named on the output."""
    npm, venv = folder / "npm", folder / "venv"
    npm.mkdir(parents=True, exist_ok=True)
    (npm / "package.json").write_text(json.dumps(NPM))
    quiet = ["--no-audit", "--no-fund", "--loglevel", "error"]
    pip = [[sys.executable, "-m", "venv", str(venv)], [str(venv / "bin" / "pip"), "install", "-q"]]
    wanted: dict[str, tuple[Path, list[list[str]]]] = {
        "verdaccio": (npm / "node_modules" / ".bin", [["npm", "install", "--prefix", str(npm), *quiet]]),
        "devpi-server": (venv / "bin", [pip[0], [*pip[1], "devpi-server"]]),
        "pypiserver": (venv / "bin", [pip[0], [*pip[1], "pypiserver[cache]", "waitress"]]),
    }
    return {name: where for name, (where, commands) in wanted.items() if is_installed(name, where, commands)}


def is_installed(name: str, where: Path, commands: list[list[str]]) -> bool:
    """Install it unless it is there; what is missing is said."""
    program = where / {"pypiserver": "pypi-server"}.get(name, name)
    try:
        for command in [] if program.exists() else commands:
            subprocess.run(command, check=True, capture_output=True, text=True)
        version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"MISSING: {name} could not be installed: {str(getattr(error, 'stderr', '') or error)[-300:]}")
        return False
    print(f"{name}: {version.strip()}")
    return True
