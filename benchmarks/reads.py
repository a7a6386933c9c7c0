"""`python -m benchmarks.reads`: what one read of an index costs the portal, in µs of its own processor time.

Every kind of caller asks for the same pages: nobody, a token as a bearer, as a basic-auth password (pip, uv, .netrc)
and as X-API-Key, a sold key, a browser's session. The WSGI application is called in this process, so there is no
server and no socket in the figure, and a busy machine disturbs it least; each is the cheapest of `--rounds` rounds.
Requests are counted in a Valkey as in production. `--served` adds what a whole worker of gunicorn spends on one
answer (parsing and sending included), by four clients. `--profile bearer` prints where one caller's time goes.
"""

import argparse
import base64
import cProfile
import io
import json
import os
import pstats
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.__main__ import HOST, ROOT, environment, get, serving
from benchmarks.rival_servers import ABBREVIATED, JSON
from tests.servers import valkey

SIZES = (5, 50, 200)
PAGES = {"packument": ("/npm/bench-{}", ABBREVIATED), "simple page": ("/pypi/simple/bench-{}/", JSON)}
Environ = dict[str, Any]


def callers(raw: str) -> dict[str, dict[str, str]]:
    """The headers of every kind of caller. Django must be set up."""
    from django.test import Client

    from accounts.models import User
    from licensing import keys, minting
    from tests import builders

    alice = User.objects.get(username="alice")
    browser = Client()
    browser.force_login(alice)
    sold = keys.create(keys.Wanted(packages=("bench-5",)), builders.actor(alice))
    return {
        "nobody": {},
        "bearer": {"Authorization": f"Bearer {raw}"},
        "basic": {"Authorization": "Basic " + base64.b64encode(f"__token__:{raw}".encode()).decode()},
        "x-api-key": {"X-API-Key": raw},
        "sold key": {"Authorization": f"Bearer {minting.unseal(sold.sealed)}"},
        "session": {"Cookie": f"sessionid={browser.cookies['sessionid'].value}"},
    }


def environ(path: str, headers: dict[str, str]) -> Environ:
    """What gunicorn hands over for a GET."""
    named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    return {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "RAW_URI": path, "SCRIPT_NAME": "", "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": HOST, "SERVER_PORT": "8000", "REMOTE_ADDR": HOST,
        "HTTP_HOST": f"{HOST}:8000", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), **named,
    }  # fmt: skip


def ask(application: Any, given: Environ) -> int:
    """One request to the application; the length of the body. Whatever is not 200 measures nothing."""
    said: list[str] = []
    answer = application(dict(given), lambda status, headers: said.append(status))
    size = sum(map(len, answer))
    getattr(answer, "close", bool)()
    if not said[0].startswith("200"):
        raise SystemExit(f"{given['PATH_INFO']}: {said[0]}")
    return size


def cost(asked: Callable[[], Any], rounds: int, times: int) -> float:
    """The processor time of one call, in µs: of the cheapest round."""
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time_ns()
        for _ in range(times):
            asked()
        best = min(best, (time.process_time_ns() - began) / times / 1000)
    return best


def inside(folder: Path, how: argparse.Namespace) -> None:
    """Measure in this process, whose environment is that of the portal."""
    from config.wsgi import application

    raw = json.loads((folder / "benchmark.json").read_text())["token"]
    known = callers(raw)
    if how.profile:
        profiled(application, known[how.profile], how.times)
        return
    print(f"{'µs of processor time per answer':34}" + "".join(f"{who:>12}" for who in known))
    for what, (path, accept) in PAGES.items():
        for many in SIZES:
            row = f"{f'{what}, {many} versions':34}"
            for headers in known.values():
                given = environ(path.format(many), {"Accept": accept, **headers})
                size = ask(application, given)
                row += f"{cost(partial(ask, application, given), how.rounds, how.times):>12.0f}"
            print(f"{row}{size:>12,} bytes", flush=True)


def profiled(application: Any, headers: dict[str, str], times: int) -> None:
    """Where the time of one caller goes, for a packument of five versions."""
    path, accept = PAGES["packument"]
    given = environ(path.format(5), {"Accept": accept, **headers})
    ask(application, given)
    profile = cProfile.Profile(time.process_time)
    profile.enable()
    for _ in range(times * 5):
        ask(application, given)
    profile.disable()
    pstats.Stats(profile).sort_stats("tottime").print_stats(45)


def served(folder: Path, seconds: float) -> None:
    """What a worker spends on one answer, its server's part included."""
    with serving(folder) as server:
        raw = server.known["token"]
        for who, more in {"nobody": {}, "bearer": {"Authorization": f"Bearer {raw}"}}.items():
            for what, (path, accept) in PAGES.items():
                for many in SIZES:
                    asked = [get(path.format(many), Accept=accept, **more)]
                    server.load(asked, 0.3)
                    used = server.cpu_seconds()
                    found = server.load(asked, seconds)
                    used = (server.cpu_seconds() - used) * 1e6 / len(found.latencies)
                    print(f"served, {who}, {what}, {many}: {used:.0f} µs, {found.rate:.0f} a second", flush=True)


def main() -> None:
    """Parse, prepare, measure in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--times", type=int, default=200, help="requests in a round")
    parser.add_argument("--profile", default="", help="a kind of caller")
    parser.add_argument("--served", action="store_true", help="also by a worker of gunicorn")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a served page is asked for")
    parser.add_argument("--keep", type=Path, help="a folder in which the portal's data stay, and are used again")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    how = parser.parse_args()
    if how.inside:
        inside(how.inside, how)
        return
    with tempfile.TemporaryDirectory(prefix="reads-") as made, valkey() as redis:
        folder = how.keep or Path(made) / "portal"
        if not (folder / "benchmark.json").exists():
            from benchmarks.rivals import prepare

            prepare(folder, list(SIZES))
        command = [sys.executable, "-m", "benchmarks.reads", "--inside", str(folder), *sys.argv[1:]]
        subprocess.run(command, cwd=ROOT, env=environment(folder, redis, 0), check=True)
        if how.served:
            os.sched_setaffinity(0, {1})
            served(folder, how.seconds)


if __name__ == "__main__":
    main()
