"""`python -m benchmarks.large_files`: how fast large files come in and go out, and how much memory that takes.

Downloads stand beside the same file from the same server without the portal: gunicorn against a bare WSGI function in
the same process, nginx with X-Accel-Redirect against nginx alone. Both are asked by turns, and the ratio printed is
the median of the rounds, so that it survives a busy machine. `--gigabytes 5` sends one file of that size through
`POST /product/upload` and watches the resident memory of the server and its children. Data lie under
var/benchmarks/large and are deleted at the end.
"""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.util import FileWrapper

from benchmarks.__main__ import HOST, ROOT, environment
from config import brokering
from tests import tools
from tests.servers import process, takes_connections, valkey, wait_for

SIZES = {"24 kB": 24_000, "1 MB": 10**6, "100 MB": 10**8, "1 GB": 10**9}
BLOCK = os.urandom(2**20)
BOUNDARY = "benchmark"
FILES = "BENCHMARK_FILES"
NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; {user}
events {{ worker_connections 64; }}
http {{
    access_log off; keepalive_requests 1000000; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen {host}:{port};
        location /bare/ {{ alias {files}/; sendfile on; tcp_nopush on; }}
        include {folder}/shipped.conf;
    }}
}}
"""


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """What gunicorn serves here: the portal, and below /bare/ the same files without it."""
    if not environ["PATH_INFO"].startswith("/bare/"):
        return portal()(environ, start_response)
    path = Path(os.environ[FILES]) / Path(environ["PATH_INFO"]).name
    headers = [("Content-Type", "application/octet-stream"), ("Content-Length", str(path.stat().st_size))]
    start_response("200 OK", headers)
    wrapped: Iterable[bytes] = environ.get("wsgi.file_wrapper", FileWrapper)(path.open("rb"), 2**18)
    return wrapped


def portal() -> Callable[..., Iterable[bytes]]:
    """The portal's own application, imported when it is first needed."""
    from config.wsgi import application as own

    return own


# --- the servers ---------------------------------------------------------------------------------------------------
def prepare(folder: Path) -> str:
    """Migrate, make an admin; returns a token."""
    code = (
        "import django; django.setup()\n"
        "from django.core.management import call_command; call_command('migrate', verbosity=0)\n"
        "from tests import builders; alice = builders.user('alice', 'admin'); builders.project('bench', owner=alice)\n"
        "from accounts import users; print(builders.token(alice, *sorted(users.scopes_of(alice))))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(folder, "", 0),
        check=True,
        capture_output=True,
        text=True,
    )
    return told.stdout.split()[-1]


@contextlib.contextmanager
def serving(folder: Path, redis: str, **settings: str) -> Iterator[tuple[int, int]]:
    """The port and process of a gunicorn as `make run` starts it."""
    port = brokering.free_port()
    told = {**environment(folder, redis, port), FILES: str(folder / "files"), "WEB_WORKERS": "2", **settings}
    command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "benchmarks.large_files:application"]
    with process(command, folder / "gunicorn.log", cwd=ROOT, env=told) as child:
        wait_for(child, lambda: takes_connections(port), folder / "gunicorn.log")
        answered(port, "GET /health HTTP/1.1\r\n", "")
        yield port, child.pid


@contextlib.contextmanager
def nginx(folder: Path, portal_port: int) -> Iterator[int]:
    """The port of an nginx with the file that docs/ ships."""
    program = tools.find("nginx")
    if program is None:
        raise SystemExit("nginx is not installed; leave it out with --without-nginx.")
    shipped = (ROOT / "docs" / "nginx-downloads.conf").read_text()
    shipped = shipped.replace("127.0.0.1:8000", f"{HOST}:{portal_port}")
    shipped = shipped.replace("/var/lib/registry/blobs/", f"{folder}/blobs/")
    with tempfile.TemporaryDirectory() as name:
        port, room = brokering.free_port(), Path(name)
        (room / "shipped.conf").write_text(shipped)
        user = "user root;" if os.geteuid() == 0 else ""
        (room / "nginx.conf").write_text(
            NGINX.format(folder=room, files=folder / "files", host=HOST, port=port, user=user)
        )
        with process([program, "-c", f"{room}/nginx.conf", "-p", name, "-e", f"{room}/log"], room / "log") as child:
            wait_for(child, lambda: takes_connections(port), room / "log")
            yield port


class Memory:
    """Watches the resident memory of a process and its children."""

    def __init__(self, pid: int) -> None:
        self.pid, self.peak, self.stopping = pid, 0.0, threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Memory":
        self.thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self.stopping.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.stopping.wait(0.1):
            self.peak = max(self.peak, *self.now().values())

    def now(self) -> dict[int, float]:
        """Megabytes by process, 0 for one that has ended."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return {int(one): resident(int(one)) for one in (self.pid, *children)}


def resident(pid: int) -> float:
    """Megabytes of memory that the process holds."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024
    return 0.0


# --- what is sent and taken ----------------------------------------------------------------------------------------
def answered(port: int, line: str, token: str, body: bytes = b"", **headers: str) -> bytes:
    """One request; the answer's body. An answer that is an error ends the benchmark."""
    with socket.create_connection((HOST, port), timeout=600) as connection:
        connection.sendall(head(line, token, len(body), **headers) + body)
        return whole(connection)


def head(line: str, token: str, length: int, **headers: str) -> bytes:
    """The lines before a body."""
    given = {"Host": HOST, "Content-Length": str(length), "Connection": "close", "X-Api-Token": token, **headers}
    return (line + "".join(f"{name}: {value}\r\n" for name, value in given.items() if value) + "\r\n").encode()


def whole(connection: socket.socket) -> bytes:
    """All that comes."""
    parts = list(iter(lambda: connection.recv(2**16), b""))
    start, _, body = b"".join(parts).partition(b"\r\n\r\n")
    if start.split()[1][:1] not in b"25":
        raise SystemExit(f"The server answered {start.decode()}\n{body[:500].decode()}")
    return body


def upload(port: int, token: str, version: str, size: int, number: int) -> float:
    """Send so many bytes that nobody has sent before; returns megabytes per second, to the answer."""
    fields = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("product", "large"), ("version", version))
    )
    before = f'{fields}--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{version}.bin"\r\n\r\n'
    after = f"\r\n--{BOUNDARY}--\r\n".encode()
    first = number.to_bytes(8, "big") + time.time_ns().to_bytes(8, "big")
    start = before.encode() + first
    content = f"multipart/form-data; boundary={BOUNDARY}"
    began = time.perf_counter()
    with socket.create_connection((HOST, port), timeout=600) as connection:
        length = len(start) + size - len(first) + len(after)
        line = "POST /product/upload HTTP/1.1\r\n"
        connection.sendall(head(line, token, length, **{"Content-Type": content}) + start)
        left = size - len(first)
        while left:
            sent = min(left, len(BLOCK))
            connection.sendall(BLOCK if sent == len(BLOCK) else BLOCK[:sent])
            left -= sent
        connection.sendall(after)
        whole(connection)
    return size / 1e6 / (time.perf_counter() - began)


def download(port: int, path: str, token: str, size: int, seconds: float) -> float:
    """Take the file again and again over one connection; returns megabytes per second."""
    buffer = bytearray(2**20)
    request = head(f"GET {path} HTTP/1.1\r\n", token, 0, Connection="keep-alive")
    taken, began = 0, time.perf_counter()
    with socket.create_connection((HOST, port), timeout=600) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while not taken or time.perf_counter() - began < seconds:
            connection.sendall(request)
            take_one(connection, buffer, size)
            taken += size
    return taken / 1e6 / (time.perf_counter() - began)


def take_one(connection: socket.socket, buffer: bytearray, size: int) -> None:
    """One answer with a body of so many bytes."""
    start = b""
    while b"\r\n\r\n" not in start:
        got = connection.recv(2**16)
        if not got:
            raise SystemExit("The server hung up before it answered.")
        start += got
    lines, _, rest = start.partition(b"\r\n\r\n")
    if b" 200 " not in lines.split(b"\r\n")[0]:
        raise SystemExit(f"The server answered {lines.decode()}")
    left = size - len(rest)
    while left:
        got = connection.recv_into(buffer, min(left, len(buffer)))
        if not got:
            raise SystemExit("The server hung up in the middle of a file.")
        left -= got


# --- the figures ---------------------------------------------------------------------------------------------------
def compared(port: int, token: str, chosen: dict[str, int], rounds: int, seconds: float) -> None:
    """Each size from the portal and without it, by turns."""
    print(f"{'':24}{'portal MB/s':>12}{'bare MB/s':>12}{'ratio':>8}")
    for name, size in chosen.items():
        ours, bare = f"/product/download/large/v{size}", f"/bare/v{size}"
        pairs = [
            (download(port, ours, token, size, seconds), download(port, bare, "", size, seconds))
            for _ in range(rounds + 1)
        ][1:]  # the first is for the page cache
        ratio = statistics.median(one / other for one, other in pairs)
        both = [statistics.median(column) for column in zip(*pairs, strict=True)]
        print(f"{name:24}{both[0]:>12.0f}{both[1]:>12.0f}{ratio:>8.2f}", flush=True)


def made(folder: Path, port: int, token: str, chosen: dict[str, int]) -> None:
    """Each size as a version of one product, and as a bare file of the same bytes; what sending them took."""
    answered(
        port, "PUT /product/create HTTP/1.1\r\n", token, b'{"name": "large"}', **{"Content-Type": "application/json"}
    )
    (folder / "files").mkdir()
    for number, (name, size) in enumerate(chosen.items()):
        rate = upload(port, token, f"v{size}", size, number)
        blob = max((folder / "blobs").rglob("*.0"), key=lambda path: path.stat().st_mtime_ns)
        shutil.copyfile(blob, folder / "files" / f"v{size}")
        first = download(port, f"/product/download/large/v{size}", token, size, 0)
        print(f"{name:24} came in at {rate:.0f} MB/s; the first download, hashed on its way, at {first:.0f} MB/s")


def giant(folder: Path, port: int, pid: int, token: str, gigabytes: float) -> None:
    """One upload and one download of so many gigabytes, and the memory they took."""
    size = int(gigabytes * 10**9)
    with Memory(pid) as memory:
        before = max(memory.now().values())
        rate = upload(port, token, "giant", size, 99)
        most = f"largest process before {before:.0f} MB, at most {memory.peak:.0f} MB"
        print(f"{gigabytes:g} GB in at {rate:.0f} MB/s; {most}", flush=True)
        for what in ("hashed on its way", "then by the kernel"):
            rate = download(port, "/product/download/large/giant", token, size, 0)
            print(f"{gigabytes:g} GB out at {rate:.0f} MB/s, {what}; at most {memory.peak:.0f} MB")
    left = [path.name for path in (folder / "staging").iterdir()]
    print(f"left in staging: {left or 'nothing'}")


def main() -> None:
    """Parse, prepare, measure, print, delete."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--sizes", nargs="*", default=list(SIZES), choices=list(SIZES), help="which files")
    parser.add_argument("--rounds", type=int, default=5, help="how often both are asked in turn")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each is asked in a round")
    parser.add_argument("--gigabytes", type=float, default=0, help="also send and take one file of this size")
    parser.add_argument("--without-nginx", action="store_true")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    chosen = {name: SIZES[name] for name in given.sizes}
    folder = ROOT / "var" / "benchmarks" / "large"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        token = prepare(folder)
        with valkey() as redis:
            with serving(folder, redis) as (port, pid):
                made(folder, port, token, chosen)
                print("\ngunicorn, the portal against a bare WSGI function")
                compared(port, token, chosen, given.rounds, given.seconds)
                if given.gigabytes:
                    giant(folder, port, pid, token, given.gigabytes)
            if not given.without_nginx:
                with serving(folder, redis, DOWNLOAD_VIA="accel") as (port, _), nginx(folder, port) as before:
                    print("\nnginx, X-Accel-Redirect against nginx alone")
                    compared(before, token, chosen, given.rounds, given.seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
