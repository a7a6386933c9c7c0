"""`python -m benchmarks.rivals`: what the portal's npm and Python doors answer beside the registries people run now.

Installs Verdaccio with npm, devpi-server and pypiserver with pip, from wherever those two are configured to look, into
a folder that goes at the end (`--keep` names one that stays and is used again). Every server gets the same archives
over its own protocol, and has core 0 with all that belongs to it; the load generator has core 1. Portal and rival are
loaded by turns, by the same four clients: packuments and simple pages of 5, 50 and 200 versions; then publishes of
unsigned npm packages, one after another and by four at once, counted until the 201. The portal is one gunicorn worker
with its threads, over SQLite, counting requests in its Valkey; its jobs (the checks of what was published) do not run
meanwhile. Takes some five minutes. A rival that cannot be installed is named as missing.
"""

import argparse
import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.__main__ import ROOT, complain, environment, get, serving
from benchmarks.load import Measured, measure
from benchmarks.rival_servers import (
    ABBREVIATED,
    FULL,
    HTML,
    JSON,
    Registry,
    ask,
    devpi,
    install,
    on_core,
    put,
    pypiserver,
    verdaccio,
    wheel_name,
)

SIZES = (5, 50, 200)
ROUNDS = 4
CLIENTS = (1, 4)
UPLOADS = 100
SIDE = f"{'req/s':>9}{'p50 ms':>8}{'p99 ms':>8}"
HEAD = f"{'portal, then rival':42}{'ratio':>5}{SIDE}{SIDE}{'bytes':>10}{'bytes':>10}"
NPM_READS = {"packument, abbreviated": ABBREVIATED, "packument, full": FULL}
PYPI_READS = {"simple index, JSON": JSON, "simple index, HTML": HTML}


@dataclass(frozen=True)
class Row:
    """The same requests to the portal and to a rival."""

    scenario: str
    rival: str
    ours: Measured
    theirs: Measured
    sizes: tuple[int, int] = (0, 0)

    @property
    def ratio(self) -> float:
        """How many answers of the portal come for one of theirs."""
        return self.ours.rate / self.theirs.rate if self.theirs.rate else float("nan")


# --- what everybody serves -----------------------------------------------------------------------------------------
def build(folder: Path, sizes: list[int]) -> None:
    """The portal's database with the archives published, and the archives as files for the others."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from registry import publishing, tasks
    from tests import builders

    alice = builders.user("alice", "admin")
    project = builders.project("bench", owner=alice, signature_policy="optional")
    needs = {f"dependency-{n}": f"^{n}.0.0" for n in range(8)}
    for many in sizes:
        for number in range(many):
            name, version = f"bench-{many}", f"1.{number}.0"
            tarball = builders.npm_tarball(name, version, dependencies=needs)
            wheel = builders.wheel(name, version, requires_python=">=3.8")
            for filename, body in ((f"{name}-{version}.tgz", tarball), (wheel_name(name, version), wheel)):
                (folder / "archives" / filename).write_bytes(body)
                with publishing.receive(io.BytesIO(body)) as staged:
                    publishing.publish_upload(staged, builders.actor(alice), filename=filename)
        tasks.drain()
    for number in range(len(CLIENTS) * UPLOADS):
        body = builders.npm_tarball(f"upload-number-{number:04}", "1.0.0", dependencies=needs)
        (folder / "uploads" / f"upload-number-{number:04}.tgz").write_bytes(body)
    raw = builders.token(alice, "read", "publish", project=project)
    (folder / "benchmark.json").write_text(json.dumps({"token": raw}))


def prepare(folder: Path, sizes: list[int]) -> None:
    """Build it in a process of its own, which knows the folder as the portal's."""
    for name in ("archives", "uploads"):
        (folder / name).mkdir(parents=True)
    command = [sys.executable, "-m", "benchmarks.rivals", "--build", str(folder), "--sizes", *map(str, sizes)]
    subprocess.run(command, cwd=ROOT, env=environment(folder, "", 0), check=True)


@contextlib.contextmanager
def portal(folder: Path) -> Iterator[tuple[Registry, Registry]]:
    """This portal's doors for npm and for Python's clients."""
    with contextlib.ExitStack() as stack:
        with on_core(0):
            server = stack.enter_context(serving(folder))
        token = server.known["token"]
        npm = Registry("portal", server.address, "/npm/", token=token)
        yield npm, Registry("portal", server.address, "/pypi/simple/", "/", speaks=(JSON, HTML))


# --- measuring -----------------------------------------------------------------------------------------------------
def reading(ours: Registry, theirs: Registry, what: str, accept: str, many: int, seconds: float) -> Row:
    """One page, asked for by turns."""
    sides = ours, theirs
    pages = [get(f"{one.base}bench-{many}{one.slash}", Accept=accept) for one in sides]
    sizes = [size(one, accept, many) for one in sides]
    sums = [Measured(), Measured()]
    for at in (0, 1):
        measure(sides[at].address, [pages[at]], 0.3)
    for _ in range(ROUNDS):
        for at in (0, 1):
            sums[at] += measure(sides[at].address, [pages[at]], seconds / ROUNDS)
    return Row(f"{what}, {many}", theirs.name, sums[0], sums[1], (sizes[0], sizes[1]))


def size(registry: Registry, accept: str, many: int) -> int:
    """The bytes of the page; a page that does not hold every version would measure nothing."""
    said = ask(registry.address, "GET", f"{registry.base}bench-{many}{registry.slash}", headers={"Accept": accept})
    found = len(set(re.findall(rb"-(1\.\d+\.0)", said)))
    if found != many or said.startswith(b"{") != ("json" in accept):
        raise SystemExit(f"{registry.name} serves {found} of {many} versions: {said[:300]!r}")
    return len(said)


def publishing(ours: Registry, theirs: Registry, folder: Path) -> Iterator[Row]:
    """Packages nobody has, until their 201, by turns."""
    paths = sorted((folder / "uploads").glob("*.tgz"))
    for place, clients in enumerate(CLIENTS):
        sums = [Measured(), Measured()]
        mine = paths[place * UPLOADS : (place + 1) * UPLOADS]
        for turn in range(ROUNDS):
            for at, side in enumerate((ours, theirs)):
                sent = [put(path.stem, "1.0.0", path.read_bytes(), side) for path in mine[turn::ROUNDS]]
                sums[at] += measure(side.address, sent, 60, clients, once=True)
        yield Row(f"publishes by {clients}", theirs.name, sums[0], sums[1])


def compared(folder: Path, programs: dict[str, Path], how: argparse.Namespace) -> Iterator[Row]:
    """Every scenario beside every rival that is here."""
    starters = {"verdaccio": verdaccio, "devpi-server": devpi, "pypiserver": pypiserver}
    with portal(folder / "portal") as (npm, pypi):
        for name, where in programs.items():
            (folder / name).mkdir()
            with starters[name](where, folder / name, folder / "portal") as rival:
                asked = NPM_READS if name == "verdaccio" else PYPI_READS
                for what, accept in asked.items():
                    if accept not in rival.speaks:
                        print(f"{name} has no {what}.")
                        continue
                    for many in how.sizes:
                        yield reading(npm if name == "verdaccio" else pypi, rival, what, accept, many, how.seconds)
                if name == "verdaccio":
                    yield from publishing(npm, rival, folder / "portal")


def line(row: Row) -> str:
    """A row of the table; what went wrong is said above it."""
    for name, side in (("portal", row.ours), (row.rival, row.theirs)):
        complain(f"{row.scenario}, {name}", side)
    sides = [
        f"{one.rate:>9.0f}{one.percentile(0.5):>8.1f}{one.percentile(0.99):>8.1f}" for one in (row.ours, row.theirs)
    ]
    return (
        f"{row.scenario:29}{row.rival:13}{row.ratio:>5.1f}{sides[0]}{sides[1]}{row.sizes[0]:>10,}{row.sizes[1]:>10,}"
    )


def main() -> None:
    """Parse, install, prepare, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="versions of the measured packages")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each page is asked for, on either side")
    parser.add_argument("--keep", type=Path, help="a folder in which the rivals stay installed")
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    how = parser.parse_args()
    if how.build:
        build(how.build, how.sizes)
        return
    with tempfile.TemporaryDirectory(prefix="rivals-") as made, on_core(1):
        programs = install(how.keep or Path(made) / "programs")
        prepare(Path(made) / "portal", how.sizes)
        print(f"load average {os.getloadavg()[0]:.1f}\n{HEAD}")
        rows = []
        for row in compared(Path(made), programs, how):
            rows.append(row)
            print(line(row), flush=True)
        print(f"load average {os.getloadavg()[0]:.1f}; {verdict(rows)}")


def verdict(rows: list[Row]) -> str:
    """The goals: ahead everywhere, five times at 200 versions."""
    behind = [f"{one.scenario} beside {one.rival}" for one in rows if one.ratio <= 1]
    near = [f"{one.scenario} beside {one.rival}" for one in rows if one.scenario.endswith(" 200") and one.ratio < 5]
    return f"not ahead: {', '.join(behind) or 'nowhere'}; less than 5 times at 200: {', '.join(near) or 'nowhere'}"


if __name__ == "__main__":
    main()
