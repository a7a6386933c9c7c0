"""`python -m benchmarks.pulling`: what a pull costs, from an Artifactory of 10,000 packages of which 1,000 are wanted.

Prints time, requests and resident memory of the listing, of the pull (four quarters of it: it has to stay flat), of a
second run of the unchanged upstream, and of a full listing again. The upstream is another process on loopback
(tests/upstreams/artifactory_server.py); checks and scans, which follow by jobs of their own, are not part of it.
`--database postgres` uses the PostgreSQL of tests/servers.py. Data lie under var/benchmarks/pulling and go at the end.
"""

import argparse
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.__main__ import ROOT

if TYPE_CHECKING:
    from registry.upstreams.models import Pull

FOLDER = ROOT / "var" / "benchmarks" / "pulling"
PAGE = os.sysconf("SC_PAGE_SIZE")


def serve(listed: int, pulled: int) -> None:
    """The upstream, until its input ends; prints its address."""
    import django

    django.setup()
    from tests import builders
    from tests.upstreams.artifactory_server import Artifactory

    with Artifactory("npm-local").running() as far:
        step = listed // pulled
        for number in range(listed):
            name = f"{'wanted' if number % step == 0 else 'other'}-{number:05}"
            body = builders.npm_tarball(name, "1.0.0", {"data.txt": os.urandom(8000).hex()})
            far.put(name, "1.0.0", f"{name}-1.0.0.tgz", body)
        print(far.url, flush=True)
        sys.stdin.read()


@contextmanager
def upstream_process(listed: int, pulled: int) -> Iterator[str]:
    """The address of the upstream while it runs."""
    command = [sys.executable, "-m", "benchmarks.pulling", "--serve", "--listed", str(listed), "--pulled", str(pulled)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        yield server.stdout.readline().strip()
        server.stdin.close()


def resident() -> float:
    """MB that this process holds in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6


class Memory:
    """The highest resident memory since it was last asked."""

    def __init__(self) -> None:
        self.peak = 0.0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            self.peak = max(self.peak, resident())
            threading.Event().wait(0.02)

    def take(self) -> float:
        """The peak, and begin anew."""
        peak, self.peak = max(self.peak, resident()), 0.0
        return peak


def prepare(url: str) -> None:
    """A migrated database with the upstream in it."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from accounts.models import Project
    from registry.upstreams.models import Upstream

    Upstream.objects.create(
        name="far", kind="artifactory", base_url=url, repository="npm-local", ecosystem="npm", allows_private=True,
        project=Project.objects.create(slug="acme", name="Acme"), include=["wanted-*"], requests_per_second=1000,
    )  # fmt: skip


def steps(is_full: bool = False) -> "Iterator[Pull]":
    """Run a pull, and yield it after each of its steps."""
    from accounts.actors import SYSTEM
    from registry import tasks
    from registry.models import Job
    from registry.upstreams import syncing
    from registry.upstreams.models import Pull

    pull = Pull.objects.get(run=syncing.start(SYSTEM, "far", is_full=is_full))
    while pull.finished_at is None:
        (job_id,) = Job.objects.filter(kind="sync", ref=pull.pk).values_list("pk", flat=True)
        if job := tasks.claim(job_id):
            tasks.execute(job)
        pull.refresh_from_db()
        yield pull


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listed", type=int, default=10_000)
    parser.add_argument("--pulled", type=int, default=1_000)
    parser.add_argument("--parallel", type=int, default=4)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:  # with the environment of whoever started it
        serve(given.listed, given.pulled)
        return
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": str(FOLDER), "LOG_LEVEL": "WARNING",
        "SECRET_KEY": "a secret for figures alone, which guards nothing", "SYNC_STEP_SECONDS": "2",
        "SYNC_PARALLEL": str(given.parallel),
    }  # fmt: skip
    with upstream_process(given.listed, given.pulled) as url:
        if given.database == "postgres":
            from tests.servers import postgres

            with postgres() as database:
                os.environ["DATABASE_URL"] = database
                measure(url)
        else:
            measure(url)
    shutil.rmtree(FOLDER, ignore_errors=True)


def measure(url: str) -> None:
    """The three runs."""
    prepare(url)
    memory = Memory()
    print(f"before: {resident():.0f} MB resident")
    report("first run", memory, is_full=False)
    report("second run, nothing new", memory, is_full=False)
    report("full listing again", memory, is_full=True)


def report(title: str, memory: Memory, *, is_full: bool) -> None:
    """One run: its figures, and the memory of each quarter of what was pulled."""
    memory.take()
    begun = time.monotonic()
    listed_after, quarters, pull = 0.0, list[str](), None
    for pull in steps(is_full):
        if pull.is_listed and not listed_after:
            listed_after = time.monotonic() - begun
        if pull.total and pull.done * 4 // pull.total > len(quarters):
            quarters.append(f"{memory.take():.0f}")
    assert pull is not None
    seconds = time.monotonic() - begun
    figures = {name: getattr(pull, name) for name in ("total", "added", "skipped", "failed", "requests", "pages")}
    print(f"{title}: {pull.state}, {seconds:.1f} s, listed after {listed_after:.1f} s at most, {figures}")
    print(f"  peak memory by quarter: {', '.join(quarters) or f'{memory.take():.0f}'} MB")
    if pull.added:
        print(f"  {1000 * (seconds - listed_after) / pull.added:.0f} ms a package")


if __name__ == "__main__":
    main()
