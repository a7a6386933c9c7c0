"""`python -m benchmarks.pull_through`: an npm install of 300 packages that nobody has asked for yet.

Starts a local upstream (300 packages of five versions that need one another, 20 kB each) and the portal as `make run`
does; then a real npm installs the project with an empty cache of its own: from the upstream directly, from the portal
cold (every version is fetched, checked and judged within its request) and from the portal warm. At the end a thousand
requests at once ask for one version more. Prints wall times, the processor time that web server and worker took, what
the upstream was asked, and how requests ended.
`--servers` does the same over PostgreSQL. Takes some minutes; needs npm and this checkout, no network.
"""

import argparse
import base64
import contextlib
import hashlib
import http.client
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.replication import portal
from tests.servers import postgres, valkey

KNOWN_AFTER = 6.0  # seconds; each server process looks for switched upstreams every five (through.allowing.KNOWN_FOR)
ROOT = Path(__file__).resolve().parent.parent
VERSIONS = 5
HERD = "herd"


# --- the upstream --------------------------------------------------------------------------------------------------
def serve(count: int) -> None:
    """Packuments and tarballs made beforehand, until the input ends; prints the address. `/-/asked` tells what was."""
    asked: Counter[str] = Counter()
    bodies: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/-/asked":
                body = json.dumps(asked).encode()
                asked.clear()
            else:
                body = bodies.get(self.path, b"")
                asked["tarballs" if "/-/" in self.path else "packuments"] += 1
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "application/octet-stream" if "/-/" in self.path else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 256

    server = Server(("127.0.0.1", 0), Handler)
    address = f"http://127.0.0.1:{server.server_address[1]}"
    bodies |= stock(address, count)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(address, flush=True)
    sys.stdin.read()


def stock(address: str, count: int) -> dict[str, bytes]:
    """By path, what the upstream answers: package n needs 2n+1 and 2n+2, and some other as well."""
    import django

    django.setup()
    from tests import builders

    dice, bodies = random.Random(1), dict[str, bytes]()
    names = [f"part-{number:03}" for number in range(count)]
    for number, name in enumerate([*names, HERD]):
        children = [2 * number + 1, 2 * number + 2, dice.randrange(number + 1, count + 1)] if name != HERD else []
        needs = {names[child]: "^1.0.0" for child in children if child < count}
        versions = {}
        for minor in range(VERSIONS):
            version = f"1.{minor}.0"
            text = dice.randbytes(10_000).hex()
            body = builders.npm_tarball(name, version, {"data.txt": text}, dependencies=needs)
            path = f"/{name}/-/{name}-{version}.tgz"
            bodies[path] = body
            dist = {
                "tarball": address + path,
                "shasum": hashlib.sha1(body, usedforsecurity=False).hexdigest(),
                "integrity": "sha512-" + base64.b64encode(hashlib.sha512(body).digest()).decode(),
            }
            manifest = {"name": name, "version": version, "license": "MIT", "dependencies": needs, "dist": dist}
            versions[version] = manifest
        times = dict.fromkeys(versions, "2024-05-06T07:08:09.000Z")
        latest = f"1.{VERSIONS - 1}.0"
        said = {"_id": name, "name": name, "dist-tags": {"latest": latest}, "versions": versions, "time": times}
        bodies[f"/{name}"] = json.dumps(said).encode()
    return bodies


@contextlib.contextmanager
def upstream_process(count: int) -> Iterator[str]:
    """The address of the upstream while it runs."""
    command = [sys.executable, "-m", "benchmarks.pull_through", "serve", str(count)]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SECRET_KEY": "only for the benchmark, which serves nobody",
    }
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        yield server.stdout.readline().strip()
        server.stdin.close()


def asked_of(upstream: str) -> dict[str, int]:
    """What the upstream was asked since the last time."""
    with urllib.request.urlopen(f"{upstream}/-/asked", timeout=30) as answer:
        counts: dict[str, int] = json.load(answer)
    return counts


# --- the portal ----------------------------------------------------------------------------------------------------
def populate(address: str) -> None:
    """In the portal's environment: an upstream that is trusted and pulls through, and somebody with a token."""
    import django

    django.setup()
    from accounts import tokens
    from registry.upstreams.models import Upstream
    from tests import builders

    alice = builders.user("alice")
    project = builders.project("bench", owner=alice)
    Upstream.objects.create(
        name="far", kind="npm", base_url=address, project=project, allows_private=True, pulls_through=True,
        needs_review=False, requests_per_second=1000,
    )  # fmt: skip
    print(tokens.issue(alice, "benchmark", ["read"], project=project, actor=builders.actor(alice))[1])


def install(folder: Path, registry: str, token: str) -> float:
    """Seconds that npm takes in an empty project with an empty cache."""
    shutil.rmtree(folder, ignore_errors=True)
    work = folder / "work"
    work.mkdir(parents=True)
    (work / "package.json").write_text('{"name": "work", "version": "1.0.0", "dependencies": {"part-000": "^1.0.0"}}')
    place = urlsplit(registry)
    lines = [f"registry={registry}", f"cache={folder / 'cache'}", "update-notifier=false", "fund=false", "audit=false"]
    lines += [f"//{place.netloc}{place.path}:_authToken={token}"] if token else []
    (folder / "npmrc").write_text("\n".join([*lines, ""]))
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "npm_config_userconfig": str(folder / "npmrc")}
    begun = time.monotonic()
    done = subprocess.run(["npm", "install"], cwd=work, env=environment, capture_output=True, text=True, check=False)
    took = time.monotonic() - begun
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    installed = len(list((work / "node_modules").iterdir())) - 1  # beside npm's own lock file
    print(f"    {done.stdout.strip().splitlines()[0]}; {installed} folders")
    return took


def stampede(address: str, token: str, count: int) -> tuple[Counter[str], float]:
    """So many requests at once for a version that is not here: how they ended, and seconds until the last one did."""
    place = urlsplit(address)
    gate = threading.Barrier(min(count, 1000))

    def get(number: int) -> str:
        link = http.client.HTTPConnection(place.hostname or "", place.port, timeout=120)
        gate.wait()
        link.request("GET", f"/npm/{HERD}/-/{HERD}-1.4.0.tgz", headers={"Authorization": f"Bearer {token}"})
        answer = link.getresponse()
        answer.read()
        return f"{answer.status}{' with Retry-After' if answer.headers.get('Retry-After') else ''}"

    begun = time.monotonic()
    with ThreadPoolExecutor(gate.parties) as crowd:
        ended = Counter(crowd.map(get, range(gate.parties)))
    return ended, time.monotonic() - begun


def measure(folder: Path, upstream: str, address: str, told: dict[str, str], rounds: int, herd: int) -> None:
    """Direct, cold and warm."""
    command = [sys.executable, "-m", "benchmarks.pull_through", "populate", upstream]
    token = subprocess.run(command, cwd=ROOT, env=told, check=True, capture_output=True, text=True).stdout.strip()
    time.sleep(KNOWN_AFTER)
    direct = [install(folder / "direct", f"{upstream}/", "") for _ in range(rounds)]
    print(f"  directly from the upstream: {shown(direct)}; it was asked {asked_of(upstream)}", flush=True)
    before = processor_time()
    cold = [install(folder / "cold", f"{address}/npm/", token)]
    used = {name: seconds - before[name] for name, seconds in processor_time().items()}
    late = sum(
        text.count('" 503 ') for text in (one.read_text("utf-8", "replace") for one in folder.glob("log/*.log"))
    )
    print(
        f"  through the portal, cold: {shown(cold)}; the upstream was asked {asked_of(upstream)}; {late} × 503; CPU "
        + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in used.items()),
        flush=True,
    )
    warm = [install(folder / "warm", f"{address}/npm/", token) for _ in range(rounds)]
    print(f"  through the portal, warm: {shown(warm)}; the upstream was asked {asked_of(upstream)}", flush=True)
    ended, seconds = stampede(address, token, herd)
    said = ", ".join(f"{count} × {how}" for how, count in ended.items())
    print(f"  {herd} at once for one cold version: {said}, in {seconds:.1f} s; asked {asked_of(upstream)}")


def processor_time() -> dict[str, float]:
    """Seconds that the processes below this one have used, web servers and workers; of Linux alone."""
    used = {"web": 0.0, "worker": 0.0}
    parents, found = dict[int, int](), dict[int, tuple[str, float]]()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (folder / "cmdline").read_bytes()
            facts = (folder / "stat").read_text().rpartition(")")[2].split()
            role = "web" if b"gunicorn" in line else "worker" if b"celery" in line else ""
            parents[int(folder.name)] = int(facts[1])
            found[int(folder.name)] = role, (int(facts[11]) + int(facts[12])) / os.sysconf("SC_CLK_TCK")
    for process, (role, seconds) in found.items():
        if role and _is_ours(process, parents):
            used[role] += seconds
    return used


def _is_ours(process: int, parents: dict[int, int]) -> bool:
    while process and process != os.getpid():
        process = parents.get(process, 0)
    return bool(process)


def shown(seconds: list[float]) -> str:
    """The times of the rounds."""
    return ", ".join(f"{one:.1f} s" for one in seconds)


def main() -> None:
    """Set up, measure, print."""
    reading = argparse.ArgumentParser(prog="python -m benchmarks.pull_through", description=__doc__.partition("\n")[0])
    reading.add_argument("--packages", type=int, default=300)
    reading.add_argument("--rounds", type=int, default=2)
    reading.add_argument("--herd", type=int, default=1000)
    reading.add_argument("--servers", action="store_true", help="over PostgreSQL and Redis instead of SQLite")
    how = reading.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pull-through-")))
        servers = {"PULL_THROUGH_PER_HOUR": "0", "ACCESS_LOG": "1"}
        if how.servers:
            servers |= {"DATABASE_URL": stack.enter_context(postgres()), "REDIS_URL": stack.enter_context(valkey())}
        upstream = stack.enter_context(upstream_process(how.packages))
        address, told = stack.enter_context(portal(folder, servers))
        print(f"{how.packages} packages, {'PostgreSQL' if how.servers else 'SQLite'}, load {os.getloadavg()[0]:.1f}")
        measure(folder, upstream, address, told, how.rounds, how.herd)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(int(sys.argv[2]))
    elif sys.argv[1:2] == ["populate"]:
        populate(sys.argv[2])
    else:
        main()
