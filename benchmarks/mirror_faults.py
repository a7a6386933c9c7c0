"""`python -m benchmarks.mirror_faults`: 500 random faults against three regions during 500 publishes and removals.

Two regions are directories, one is a bucket behind a server that fails on demand. A worker (`manage.py work`) follows
the feed in a process of its own and is killed with -9 now and then; files are deleted, corrupted, cut, swapped for
folders and invented; the bucket answers 500, hangs up, cuts answers short. Then everything is left in peace, the
regions catch up, one full comparison mends, and two judges look for differences: a second comparison, and a walk over
the regions that shares no code with it. `--count` and `--seed` make it smaller or another one. Takes some minutes.
"""

import argparse
import itertools
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 300.0


def room(folder: Path) -> None:
    """An environment of its own, before Django reads it; the worker inherits it."""
    for name in ("DATABASE_URL", "REDIS_URL", "STORAGE_URL", "STAGING_DIR"):
        os.environ.pop(name, None)
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATA_DIR": str(folder),
        "SECRET_KEY": "only for the benchmark, which serves nobody",
        "DEMO": "0",
        "SWEEP_SECONDS": "1",
        "LOG_LEVEL": "ERROR",
        "AWS_ACCESS_KEY_ID": "faults",
        "AWS_SECRET_ACCESS_KEY": "faults",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


class Worker:
    """The process that follows the feed."""

    def __init__(self, log: Path) -> None:
        self.log, self.process = log, None
        self.start()

    def start(self) -> None:
        """Begin again, after its death."""
        command = [sys.executable, "manage.py", "work", "--pause", "0.05"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    def kill(self) -> None:
        """Without a word of warning."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.start()

    def stop(self) -> None:
        """At the end."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Story:
    """What happens: to packages, and to the regions that hold them."""

    def __init__(self, folder: Path, address: str, straight: str, seed: int) -> None:
        from registry.mirrors.buckets import bucket
        from registry.mirrors.models import Mirror
        from tests import builders
        from tests.mirrors import regions

        self.dice, self.numbers, self.done = random.Random(seed), itertools.count(), Counter()
        self.folder, self.releases = folder, []
        self.owner = builders.project("bench", owner=builders.user("alice"))
        Mirror.objects.all().delete()
        self.directories = [folder / "regions" / name for name in ("frankfurt", "warsaw")]
        for place in self.directories:
            regions.region(place, place.name)
        url = "s3://faults/kept?endpoint_url={}&region_name=eu-central-1"
        regions.region(url.format(address), "paris", country="FR")
        self.bucket = bucket(url.format(straight), "", "")  # past what fails
        where = {"LocationConstraint": "eu-central-1"}
        self.bucket.client.create_bucket(Bucket="faults", CreateBucketConfiguration=where)

    # --- packages -------------------------------------------------------------------------------------------------
    def happen(self) -> None:
        """One publish or, one time in three, a removal of whatever kind."""
        from django.db import transaction

        alive = [one for one in self.releases if one.package_id]
        with transaction.atomic():
            if alive and self.dice.random() < 1 / 3:
                self.remove(self.releases.pop(self.dice.randrange(len(self.releases))))
            else:
                self.publish()

    def publish(self) -> None:
        """A version of one of many packages, now and then with the bytes of another."""
        from tests.mirrors import regions

        number = next(self.numbers)
        body = self.dice.randbytes(self.dice.choice((200, 5_000, 60_000)))
        if number % 17 == 0:
            body = b"the same bytes again"
        self.releases.append(regions.held(self.owner, f"package-{number % 60}", f"1.{number}.0", body))
        self.done["published"] += 1

    def remove(self, release: Any) -> None:
        """Quarantined, rejected, unlisted, purged, or the whole package made private."""
        from django.utils import timezone

        from registry import documents
        from registry.models import Package
        from tests.mirrors import regions

        kind = self.dice.choice(("quarantined", "rejected", "unlisted", "purged", "private"))
        now = timezone.now()
        fields = {"unlisted": {"unlisted_at": now}, "purged": {"unlisted_at": now, "purged_at": now}}
        if kind == "private":
            Package.objects.filter(pk=release.package_id).update(visibility="private")
            documents.rebuild(release.package)
        else:
            regions.change(release, kind, **fields.get(kind, {"status": kind}))
        self.done[kind] += 1

    # --- faults ---------------------------------------------------------------------------------------------------
    def strike(self, worker: Worker) -> None:
        """One fault that does damage, of whatever kind."""
        for _ in range(50):
            if self.try_to_strike(worker):
                return

    def try_to_strike(self, worker: Worker) -> bool:
        """A fault of some kind; whether it did any damage."""
        kinds: list[Callable[[], bool]] = [
            self.delete_file, self.corrupt_file, self.cut_file, self.swap_for_folder, self.invent_file,
            self.leave_partial, self.forbid_folder, self.damage_object, self.fail_server,
        ]  # fmt: skip
        kind = self.dice.choice(kinds)
        if self.dice.random() < 0.04:
            worker.kill()
            self.done["fault: worker killed"] += 1
            return True
        try:
            is_done = kind()
        except OSError:  # the region is away already
            return False
        self.done[f"fault: {kind.__name__.replace('_', ' ')}"] += is_done
        return is_done

    def some_file(self) -> Path | None:
        """Any file or link of a region in a directory."""
        place = self.dice.choice(self.directories)
        found = [Path(at, name) for at, _folders, names in os.walk(place) for name in names if ".part" not in at]
        return self.dice.choice(sorted(found)) if found else None

    def _damage(self, how: Callable[[Path], object]) -> bool:
        path = self.some_file()
        if path is None:
            return False
        try:
            how(path)
        except FileNotFoundError:
            return False
        return True

    def delete_file(self) -> bool:
        """Somebody has cleaned up."""
        return self._damage(Path.unlink)

    def corrupt_file(self) -> bool:
        """Other bytes, of the same length."""
        return self._damage(lambda path: path.write_bytes(self.dice.randbytes(path.stat().st_size)))

    def cut_file(self) -> bool:
        """The disk was full."""
        return self._damage(lambda path: os.truncate(path, path.stat().st_size // 2))

    def swap_for_folder(self) -> bool:
        """What can be overwritten no more."""

        def swap(path: Path) -> None:
            path.unlink()
            path.mkdir()

        return self._damage(swap)

    def invent_file(self) -> bool:
        """What nobody has published."""
        digest = self.dice.randbytes(32).hex()
        path = self.dice.choice(self.directories) / "files/sha256" / digest[:2] / digest[2:4] / digest
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"a worm")
        return True

    def leave_partial(self) -> bool:
        """What a process leaves that dies while it writes."""
        path = self.dice.choice(self.directories) / ".partial" / self.dice.randbytes(8).hex()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half a fi")
        return True

    def forbid_folder(self) -> bool:
        """A file stands where the folder of the region should be, until the next fault of this kind."""
        place = self.dice.choice(self.directories)
        aside = place.with_name(f"{place.name}-away")
        if aside.exists():
            self.give_back(place, aside)
        elif place.is_dir():
            place.rename(aside)
            place.write_text("read-only")
        return True

    def give_back(self, place: Path, aside: Path) -> None:
        """Whatever has been put in the folder's place goes."""
        if place.is_dir():
            shutil.rmtree(place)
        place.unlink(missing_ok=True)
        aside.rename(place)

    def damage_object(self) -> bool:
        """In the bucket, past the server that fails."""
        found = self.bucket.entries("files/", limit=200)
        if found:
            self.bucket.write(self.dice.choice(found).key, b"rotten")
        return bool(found)

    def fail_server(self) -> bool:
        """The next answers of the bucket's server."""
        from tests.registry.faulty import Faulty

        kinds = ("500", "503", "refused", "lost", "cut")
        Faulty.script.extend(self.dice.choices(kinds, k=self.dice.randrange(2, 12)))
        return True

    def make_peace(self) -> None:
        """No fault from now on."""
        from tests.registry.faulty import Faulty

        Faulty.script.clear()
        for place in self.directories:
            aside = place.with_name(f"{place.name}-away")
            if aside.exists():
                self.give_back(place, aside)


# --- judging -------------------------------------------------------------------------------------------------------
def wait_for(what: Callable[[], bool], name: str) -> None:
    """Until it is so; after five minutes it is a failure."""
    until = time.monotonic() + PATIENCE
    while not what():
        if time.monotonic() > until:
            raise SystemExit(f"Not within {PATIENCE:.0f} s: {name}")
        time.sleep(0.2)


def has_caught_up() -> bool:
    """Whether every region stands at the end of the feed and owes nothing."""
    from registry.mirrors.models import Debt, Mirror
    from registry.models import Change

    last = Change.objects.latest("seq").seq
    return not Debt.objects.exists() and not Mirror.objects.exclude(applied_seq=last).exists()


def compare() -> dict[str, dict[str, int]]:
    """A full comparison of every region, by the worker; what each reports."""
    from django.db import transaction

    from registry.mirrors import comparing
    from registry.mirrors.models import Mirror

    for mirror in Mirror.objects.all():
        with transaction.atomic():
            comparing.ask_for(mirror)
    wait_for(lambda: not Mirror.objects.exclude(comparing={}).exists() and has_caught_up(), "the comparison")
    return {one.region: one.drift for one in Mirror.objects.all()}


def differences(story: Story) -> list[str]:
    """By walking over directories and bucket, without the code that compares."""
    import hashlib

    from registry.mirrors.models import Mirror
    from tests.mirrors import regions

    said = [one for slug in ("frankfurt", "warsaw") for one in regions.differences(Mirror.objects.get(region=slug))]
    wanted = {key for key in regions.expected() if key.startswith("files/")}
    there = {one.key for one in story.bucket.entries("files/", limit=1000)}
    said += [f"bucket: {key}" for key in wanted ^ there]
    for key in wanted & there:
        if hashlib.sha256(story.bucket.read(key)).hexdigest() != key.rpartition("/")[2]:
            said.append(f"bucket: corrupt {key}")
    return said


def run(count: int, seed: int, folder: Path) -> int:
    """The whole story; the exit status says whether the regions ended as they should."""
    from moto.server import ThreadedMotoServer

    from tests.registry.faulty import proxy

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    with proxy(*server.get_host_and_port()) as address:
        straight = "http://{}:{}".format(*server.get_host_and_port())
        story, worker = Story(folder, address, straight, seed), Worker(folder / "worker.log")
        began = time.monotonic()
        try:
            for _ in range(count):
                story.happen()
                story.strike(worker)
                time.sleep(0.15)
            story.make_peace()
            faults = sum(number for name, number in story.done.items() if name.startswith("fault"))
            told = ", ".join(f"{number} {name}" for name, number in sorted(story.done.items()))
            print(f"{count} events and {faults} faults: {told}", flush=True)
            wait_for(has_caught_up, "catching up")
            print(f"caught up {time.monotonic() - began:.0f} s after the beginning", flush=True)
            for name in ("mended", "found afterwards"):
                reports = compare()
                print(name, reports, flush=True)
            drift = sum(report[kind] for report in reports.values() for kind in ("missing", "corrupt", "extra"))
            found = differences(story)
            print(
                f"the second comparison finds {drift}, the walk finds {len(found)} differences", *found[:10], sep="\n"
            )
        finally:
            worker.stop()
            server.stop()
    return 1 if drift or found else 0


def main() -> int:
    """Read the arguments, make a room, run."""
    reading = argparse.ArgumentParser(
        prog="python -m benchmarks.mirror_faults", description=__doc__.partition("\n")[0]
    )
    reading.add_argument("--count", type=int, default=500, help="of events, and of faults")
    reading.add_argument("--seed", type=int, default=1)
    how = reading.parse_args()
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        room(Path(name))
        return run(how.count, how.seed, Path(name))


if __name__ == "__main__":
    sys.exit(main())
