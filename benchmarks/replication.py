"""`python -m benchmarks.replication`: from the 201 of a signed publish to its bytes and metadata in Frankfurt.

Starts the portal as `make run` does, with its own worker and four regions, publishes 200 signed packages at 5 a
second over HTTP, and looks at Frankfurt's directory every few milliseconds. `--servers` does the same over PostgreSQL
and Redis. Prints p50, p95, p99 and a histogram; `--svg FILE` draws it, too. Takes a minute; needs nothing but this
checkout.
"""

import argparse
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from config.brokering import free_port
from tests.servers import postgres, takes_connections, valkey

ROOT = Path(__file__).resolve().parent.parent
REGIONS = {"paris": "FR", "stockholm": "SE", "warsaw": "PL"}
DEADLINE = 15.0
NAMES = 40
WARM = 6


@dataclass
class Parcel:
    """One signed package on its way."""

    name: str
    version: str
    body: bytes
    signature: str
    accepted: float = 0.0
    arrived: float = 0.0

    @property
    def took(self) -> float:
        """Seconds from the answer to standing in Frankfurt."""
        return max(self.arrived - self.accepted, 0.0)


# --- the portal ----------------------------------------------------------------------------------------------------
def environment(folder: Path, port: int, servers: dict[str, str]) -> dict[str, str]:
    """That of `make run` without demo content, with limits out of the way."""
    ours = ("DATABASE_URL", "REDIS_URL", "STORAGE_URL", "STAGING_DIR", "MAKELEVEL")
    limits = dict.fromkeys(("RATE_LIMIT_ANONYMOUS", "RATE_LIMIT_FREE", "RATE_LIMIT_ENTERPRISE"), "100000000/m")
    return {
        **{name: value for name, value in os.environ.items() if name not in ours},
        **limits,
        **servers,
        "DATA_DIR": str(folder),
        "SECRET_KEY": "only for the benchmark, which serves nobody",
        "PORT": str(port),
        "DEMO": "0",
        "ADMIN_PASSWORD": "only for the benchmark",
        "SCANNERS": "osv",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


@contextlib.contextmanager
def portal(folder: Path, servers: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """A portal that runs, by its address, and the environment of its processes."""
    port = free_port()
    told = environment(folder, port, servers)
    with (folder / "portal.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.supervising"], cwd=ROOT, env=told, stdout=log, stderr=log
        )
        try:
            until = time.monotonic() + 120
            while not takes_connections(port):
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit((folder / "portal.log").read_text())
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}", told
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def populate() -> None:
    """In the portal's environment: who publishes, with which key and token, and the regions beside Frankfurt."""
    import django

    django.setup()
    from accounts import signing_keys, tokens
    from registry.mirrors.models import Mirror
    from tests import builders
    from tests.registry.sshsig import Signer

    alice = builders.user("alice", "developer")
    project = builders.project("bench", owner=alice)
    signer = Signer()
    signing_keys.register(alice, "benchmark", signer.public, builders.actor(alice))
    token = tokens.issue(alice, "benchmark", ["read", "publish"], project=project, actor=builders.actor(alice))[1]
    for region, country in REGIONS.items():
        Mirror.objects.create(region=region, city=region.title(), country=country)
    count = int(sys.argv[2])
    parcels = []
    for number in range(count):
        name, version = f"parcel-{number % NAMES}", f"1.{number // NAMES}.0"
        body = builders.npm_tarball(name, version, {"index.js": os.urandom(6_000).hex()})
        path = Path(sys.argv[3]) / f"{number}.tgz"
        path.write_bytes(body)
        parcels.append([name, version, str(path), signer.sign(body)])
    print(json.dumps({"token": token, "parcels": parcels}))  # read by the parent


# --- the run -------------------------------------------------------------------------------------------------------
def publish(address: str, token: str, parcel: Parcel) -> None:
    """Send it, and note when the 201 was there."""
    import base64

    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/octet-stream",
        "X-Signature": base64.b64encode(parcel.signature.encode()).decode(),
    }
    asked = urllib.request.Request(f"{address}/api/v1/packages/publish", parcel.body, headers, method="POST")
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert answer.status == 201, answer.status
        answer.read()
    parcel.accepted = time.monotonic()


def stands(region: Path, parcel: Parcel) -> bool:
    """Whether bytes and metadata are there: the file whole, the document naming it, its name leading to it."""
    digest = hashlib.sha256(parcel.body).hexdigest()
    home = region / "packages" / "npm" / "-" / parcel.name
    link = home / "versions" / parcel.version / "download"
    try:
        if (
            hashlib.sha256((region / "files/sha256" / digest[:2] / digest[2:4] / digest).read_bytes()).hexdigest()
            != digest
        ):
            return False
        versions = json.loads((home / "package.json").read_bytes())["versions"]
        return link.exists() and parcel.version in {one["version"] for one in versions}
    except FileNotFoundError:
        return False


def watch(region: Path, parcels: list[Parcel], over: threading.Event) -> None:
    """Note for each parcel when it was first seen to stand there."""
    waiting = list(parcels)
    while waiting and not over.is_set():
        for parcel in [one for one in waiting if one.accepted]:
            if stands(region, parcel):
                parcel.arrived = time.monotonic()
                waiting.remove(parcel)
        time.sleep(0.005)


def measure(address: str, told: dict[str, str], folder: Path, count: int, rate: float) -> list[Parcel]:
    """Publish so many at so many a second, and wait until they stand or four deadlines are over."""
    (folder / "parcels").mkdir()
    command = [sys.executable, "-m", "benchmarks.replication", "populate", str(count + WARM), str(folder / "parcels")]
    made = json.loads(subprocess.run(command, cwd=ROOT, env=told, check=True, stdout=subprocess.PIPE).stdout)
    parcels = [Parcel(name, version, Path(path).read_bytes(), sign) for name, version, path, sign in made["parcels"]]
    over = threading.Event()
    watching = threading.Thread(target=watch, args=(folder / "mirrors" / "frankfurt", parcels, over))
    watching.start()
    for parcel in parcels[:WARM]:  # a portal that has just started has yet to load what it checks with
        publish(address, made["token"], parcel)
    while watching.is_alive() and not all(parcel.arrived for parcel in parcels[:WARM]):
        time.sleep(0.05)
    parcels = parcels[WARM:]
    began = time.monotonic()
    with ThreadPoolExecutor(16) as senders:
        sent = []
        for number, parcel in enumerate(parcels):
            time.sleep(max(began + number / rate - time.monotonic(), 0))
            sent.append(senders.submit(publish, address, made["token"], parcel))
        for one in sent:
            one.result()
    print(f"published {count} in {time.monotonic() - began:.1f} s", flush=True)
    watching.join(4 * DEADLINE)
    over.set()
    return parcels


# --- the report ----------------------------------------------------------------------------------------------------
def quantile(sorted_values: list[float], part: float) -> float:
    """The smallest value that so large a part of them does not exceed."""
    return sorted_values[max(ceil(part * len(sorted_values)) - 1, 0)]


def report(parcels: list[Parcel], title: str, svg: str) -> bool:
    """Print the figures and the histogram; whether p99 meets the deadline and all have arrived."""
    took = sorted(one.took for one in parcels if one.arrived)
    print(f"\n{title}: {len(took)} of {len(parcels)} stand in Frankfurt")
    if not took:
        return False
    figures = {name: quantile(took, part) for name, part in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}
    print("  " + "  ".join(f"{name} {value:.2f} s" for name, value in figures.items()) + f"  max {took[-1]:.2f} s")
    step = next(one for one in (0.1, 0.25, 0.5, 1.0, 2.0, 5.0) if took[-1] / one <= 24 or one == 5.0)
    bars = Counter(int(value / step) for value in took)
    for bar in range(max(bars) + 1):
        print(f"  {bar * step:5.2f}–{(bar + 1) * step:5.2f} s {bars[bar]:4d} {'█' * bars[bar]}"[:110])
    if svg:
        Path(svg).write_text(drawn(bars, step, title, figures))
    return len(took) == len(parcels) and figures["p99"] <= DEADLINE


def drawn(bars: Counter[int], step: float, title: str, figures: dict[str, float]) -> str:
    """The histogram as an SVG that is legible on light and on dark ground."""
    width, floor, count, top = 640, 220, max(bars) + 1, max(bars.values())
    wide = (width - 40) / count
    said = ", ".join(f"{name} {value:.2f} s" for name, value in figures.items())
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 262" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="262" fill="#fff"/>',
        f'<text x="20" y="22" font-size="14">{title}: 201 to Frankfurt ({said})</text>',
    ]
    for bar in range(count):
        high, left = bars[bar] / top * 170, 20 + bar * wide
        parts.append(
            f'<rect x="{left:.1f}" y="{floor - high:.1f}" width="{wide - 1:.1f}" height="{high:.1f}" fill="#2563eb"/>'
        )
        if bars[bar]:
            parts.append(f'<text x="{left + 1:.1f}" y="{floor - high - 3:.1f}" font-size="9">{bars[bar]}</text>')
        if bar % max(count // 10, 1) == 0:
            parts.append(f'<text x="{left:.1f}" y="{floor + 16}" fill="#444">{bar * step:g}</text>')
    parts.append(
        f'<text x="20" y="254" fill="#444">seconds; {sum(bars.values())} signed publishes at 5 a second</text>'
    )
    return "\n".join([*parts, "</svg>\n"])


def main() -> int:
    """Run it; the exit status says whether the 15 seconds were kept."""
    reading = argparse.ArgumentParser(prog="python -m benchmarks.replication", description=__doc__.partition("\n")[0])
    reading.add_argument("--count", type=int, default=200)
    reading.add_argument("--rate", type=float, default=5.0, help="publishes a second")
    reading.add_argument("--servers", action="store_true", help="over PostgreSQL and Redis instead of SQLite")
    reading.add_argument("--svg", default="", help="draw the histogram into this file")
    reading.add_argument("--folder", type=Path, help="keep the portal's data and logs here")
    how = reading.parse_args()
    with contextlib.ExitStack() as stack:
        folder = how.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="replication-")))
        folder.mkdir(parents=True, exist_ok=True)
        servers = {}
        if how.servers:
            servers = {"DATABASE_URL": stack.enter_context(postgres()), "REDIS_URL": stack.enter_context(valkey())}
        address, told = stack.enter_context(portal(folder, servers))
        parcels = measure(address, told, folder, how.count, how.rate)
        kept = report(parcels, "PostgreSQL and Redis" if how.servers else "SQLite", how.svg)
    return 0 if kept else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["populate"]:
        populate()
    else:
        sys.exit(main())
