"""`python -m benchmarks`: what the portal answers per second, and how that grows with the registry.

The server (gunicorn, one worker of four threads) has core 0 for itself, the load generator core 1. Every scenario
stands beside a constant answer of the same server, measured before and after it, so that ratios survive a slow
machine. Data are made once under var/benchmarks and used again.
"""

import argparse
import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.load import Measured, measure
from config import brokering
from tests.servers import takes_connections, valkey

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
API = "/api/v1"
STORES = ("nowhere", "redis", "file")
ROUNDS = 8


@dataclass(frozen=True)
class Row:
    """A scenario's figures: alone (latency of one client) and under load (four clients)."""

    name: str
    loaded: Measured
    alone: Measured
    ratio: float
    cpu: float  # milliseconds of the server's processor per answer: what a busy machine does not distort


def environment(folder: Path, redis: str, port: int) -> dict[str, str]:
    """The environment of a portal whose data lie in the folder, with limits out of the way."""
    given = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    limits = dict.fromkeys(("RATE_LIMIT_ANONYMOUS", "RATE_LIMIT_FREE", "RATE_LIMIT_ENTERPRISE"), "100000000/m")
    return {
        **given,
        **limits,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATA_DIR": str(folder),
        "SECRET_KEY": "only for the benchmark, which serves nobody",
        "REDIS_URL": redis,
        "HOST": HOST,
        "PORT": str(port),
        "WEB_WORKERS": "1",
        "LOG_LEVEL": "ERROR",
        "EMAIL_URL": "memorymail://",
    }


def prepare(folder: Path, count: int) -> None:
    """Make the data unless they are there; bring those that are to the schema of today."""
    if (folder / "benchmark.json").exists():
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=environment(folder, "", 0), check=True)
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    print(f"Making a registry of {count:,} packages …", flush=True)
    code = f"import django; django.setup(); from benchmarks import world; world.main({count})"
    command = [sys.executable, "-c", code]
    subprocess.run(command, cwd=ROOT, env=environment(folder, "", 0), check=True)
    print(f"… in {time.monotonic() - began:.0f} s", flush=True)


@dataclass(frozen=True)
class Server:
    """A server that runs, and what `world` wrote down of its data."""

    address: tuple[str, int]
    process: int
    known: dict

    def load(self, requests: list[bytes], seconds: float, connections: int = 4, *, once: bool = False) -> Measured:
        """Send the requests; see `load.measure`."""
        return measure(self.address, requests, seconds, connections, once=once)

    def cpu_seconds(self) -> float:
        """The processor time that the server has used so far, its workers included."""
        children = Path(f"/proc/{self.process}/task/{self.process}/children").read_text().split()
        fields = [Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in children]
        return sum(int(used[11]) + int(used[12]) for used in fields) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """The server on its core."""
    port = brokering.free_port()
    with valkey() as redis:
        command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "benchmarks.wsgi:application"]
        pin = (lambda: os.sched_setaffinity(0, {0})) if (os.cpu_count() or 1) > 1 else None
        server = subprocess.Popen(command, cwd=ROOT, env=environment(folder, redis, port), preexec_fn=pin)
        try:
            while not takes_connections(port):
                if server.poll() is not None:
                    raise SystemExit("The server did not start.")
                time.sleep(0.05)
            yield Server((HOST, port), server.pid, json.loads((folder / "benchmark.json").read_text()))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


def get(path: str, **headers: str) -> bytes:
    """A GET as bytes."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}", *(f"{key}: {value}" for key, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def uploads(folder: Path, token: str) -> list[bytes]:
    """Signed publishes that have not been sent yet; sent ones are forgotten."""
    made = []
    for path in sorted((folder / "uploads").glob("*.tgz"))[:100]:
        body, signature = path.read_bytes(), path.with_suffix(".sig").read_bytes()
        head = (
            f"POST {API}/packages/publish HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n"
            f"X-Signature: {base64.b64encode(signature).decode()}\r\nContent-Type: application/octet-stream\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
        path.unlink()
    return made


def scenarios(words: list[str]) -> dict[str, list[bytes]]:
    """What is asked, by name."""
    listing = f"{API}/packages?limit=20"
    texts = [*words[:20], *words[500:540], *(f"{words[n]}+{words[n + 7]}" for n in range(40)), *words[2000:2040]]
    starts = ("ba", "co", "du", "fi", "ga", "he", "jo", "ki")
    return {
        "detail, 5 versions": [get(f"{API}/packages/bench-5")],
        "detail, 50 versions": [get(f"{API}/packages/bench-50")],
        "detail, 200 versions": [get(f"{API}/packages/bench-200")],
        "list, first page": [get(listing)],
        "list, pages 2 to 40": [get(f"{listing}&page={page}") for page in range(2, 41)],
        "list, filtered": [
            get(f"{listing}&ecosystem={ecosystem}&category={category}&status=approved&ordering={order}")
            for ecosystem in ("npm", "pypi")
            for category in ("WEB", "DATA", "CLI")
            for order in ("name", "-updated", "-downloads")
        ],
        "list, by license": [get(f"{listing}&license={name}&ordering=-downloads") for name in ("MIT", "ISC")],
        "search, 140 texts": [get(f"{listing}&search={text}") for text in texts],
        "search, filtered": [get(f"{listing}&search={text}&ecosystem=npm&status=approved") for text in texts],
        "search, two letters": [get(f"{listing}&search={start}") for start in starts],
        "categories": [get(f"{API}/packages/stats/categories")],
        "download, 24 kB": [get(f"{API}/packages/bench-download/versions/1.0.0/download")],
    }


def run(folder: Path, seconds: float, only: str) -> list[Row]:
    """Every scenario against one registry."""
    constant = [get(f"{API}/constant")]
    with serving(folder) as server:
        server.load(constant, 1)
        rows = [figures(server, "constant answer", constant, seconds)]
        for name, requests in scenarios(server.known["words"]).items():
            if only in name:
                server.load(requests, min(1, seconds))
                before = server.load(constant, seconds / 3).rate
                row = figures(server, name, requests, seconds)
                after = server.load(constant, seconds / 3).rate
                rows.append(replace(row, ratio=row.loaded.rate / ((before + after) / 2)))
        if only in "limits":
            rows += limiting(server, rows[0].loaded.rate, seconds)
        if only in "publish":
            rows.append(publishing(server, folder, rows[0].loaded.rate))
    return rows


def figures(server: Server, name: str, requests: list[bytes], seconds: float) -> Row:
    """One scenario, by four clients and by one."""
    used = server.cpu_seconds()
    loaded = server.load(requests, seconds)
    used = server.cpu_seconds() - used
    complain(name, loaded)
    return Row(name, loaded, server.load(requests, seconds / 2, 1), 1.0, used * 1000 / len(loaded.latencies))


def limiting(server: Server, reference: float, seconds: float) -> list[Row]:
    """Package detail with requests counted nowhere, in Redis and in the file, by turns: one weather for all."""
    detail = [get(f"{API}/packages/bench-5")]
    sums = {store: Row(f"detail, limits {store}", Measured(), Measured(), 0.0, 0.0) for store in STORES}
    for _ in range(ROUNDS):
        for store in STORES:
            server.load([get(f"{API}/limits/{store}")], 0, 1)
            server.load(detail, 0.1)
            sums[store] = added(sums[store], figures(server, store, detail, seconds / ROUNDS))
    server.load([get(f"{API}/limits/redis")], 0, 1)
    return [replace(row, ratio=row.loaded.rate / reference, cpu=row.cpu / ROUNDS) for row in sums.values()]


def added(one: Row, other: Row) -> Row:
    """Both together; the processor times are summed, to be divided by the number of rounds."""
    return replace(
        one, loaded=one.loaded + other.loaded, alone=one.alone + other.alone, cpu=one.cpu + other.cpu
    )  # fmt: skip


def publishing(server: Server, folder: Path, reference: float) -> Row:
    """Signed publishes, one after the other, each of another package."""
    used = server.cpu_seconds()
    sent = server.load(uploads(folder, server.known["token"]), 60, 1, once=True)
    used = server.cpu_seconds() - used
    complain("publish", sent)
    return Row("publish, signed", sent, sent, sent.rate / reference, used * 1000 / max(1, len(sent.latencies)))


def complain(name: str, measured: Measured) -> None:
    """A scenario whose answers are errors measures nothing."""
    if measured.failures:
        print(f"{name}: {len(measured.failures)} answers were errors, such as {measured.failures[0]!r}")


def table(results: dict[int, list[Row]]) -> str:
    """All figures, with the growth from the smallest registry to the largest."""
    head = f"{'scenario':24}{'packages':>10}{'req/s':>9}{'ratio':>7}{'cpu ms':>8}{'p50 ms':>8}{'p99 ms':>8}"
    lines = [head + f"{'p50 x4':>8}{'p99 x4':>8}{'growth':>8}"]
    smallest = {row.name: row for row in results[min(results)]}
    for count, rows in results.items():
        for row in rows:
            growth = row.cpu / smallest[row.name].cpu
            alone, loaded = row.alone, row.loaded
            lines.append(
                f"{row.name:24}{count:>10,}{loaded.rate:>9.0f}{row.ratio:>7.2f}{row.cpu:>8.2f}"
                f"{alone.percentile(0.5):>8.1f}{alone.percentile(0.99):>8.1f}"
                f"{loaded.percentile(0.5):>8.1f}{loaded.percentile(0.99):>8.1f}{growth:>8.2f}"
            )
    return "\n".join(lines)


def cost_of_limits(results: dict[int, list[Row]]) -> str:
    """What counting requests adds to a package read, in processor time and in answers per second."""
    lines = []
    for count, rows in results.items():
        known = {row.name: row for row in rows}
        if (free := known.get("detail, limits nowhere")) is None:
            continue
        for store in STORES[1:]:
            row = known[f"detail, limits {store}"]
            more, slower = row.cpu / free.cpu - 1, free.loaded.rate / row.loaded.rate - 1
            lines.append(f"limits in {store}, {count:,} packages: {more:+.1%} processor, {slower:+.1%} time of a read")
    return "\n".join(lines)


def main() -> None:
    """Parse, prepare, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 100_000], help="packages in the registry")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each scenario is loaded")
    parser.add_argument("--only", default="", help="scenarios whose name contains this")
    parser.add_argument("--data", type=Path, default=ROOT / "var" / "benchmarks", help="where the registries lie")
    given = parser.parse_args()
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    results = {}
    for count in given.sizes:
        prepare(given.data / str(count), count)
        results[count] = run(given.data / str(count), given.seconds, given.only)
    print(table(results))
    print(cost_of_limits(results))


if __name__ == "__main__":
    main()
