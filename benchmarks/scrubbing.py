"""`python -m benchmarks.scrubbing`: damage 150 of 10,000 stored files; how many are found, mended, served, how fast.

A registry of its own under a temporary folder (SQLite, directories): 10,000 files of 1 to 100 KB, one region that
holds copies, another one whose copies of what is damaged are corrupt themselves. 100 files are corrupted (a bit
flipped, cut short, made longer), 50 removed. Readers ask for all of the damaged ones and 300 others before the scrub
and for everything after it. `--files`, `--largest` change the size of the run; `--keep` keeps the folder.
"""

import argparse
import hashlib
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

CORRUPT, MISSING = 100, 50
SAMPLE = 300


def main() -> None:
    """Set up, damage, read, scrub, mend, read again; status 1 when a figure is not what it must be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--largest", type=int, default=100_000, help="bytes")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="scrubbing-"))
    try:
        sys.exit(0 if measure(folder, options.files, options.largest) else 1)
    finally:
        if not options.keep:
            shutil.rmtree(folder)


def set_up(folder: Path) -> None:
    """Django with a database of its own."""
    os.environ.pop("DATABASE_URL", None)
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATA_DIR": str(folder),
        "SECRET_KEY": "only for the benchmark, which serves nobody",
        "REDIS_URL": "",
        "LOG_LEVEL": "CRITICAL",
        "EMAIL_URL": "memorymail://",
    }
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def measure(folder: Path, count: int, largest: int) -> bool:
    """The whole run; whether every figure is what it must be."""
    set_up(folder)
    from registry import scrubbing, tasks

    blobs, total = stock(count, largest)
    damaged = damage(blobs)
    print(f"{count:,} files, {total / 1e6:,.0f} MB; {CORRUPT} corrupted and {MISSING} removed")
    before = served(damaged[::2] + blobs[:SAMPLE])
    print(f"asked for before the scrub: {before['right']} right, {before['refused']} refused, {before['wrong']} wrong")
    found, seconds = timed(lambda: list(scrubbing.scrub())[-1])
    speed = f"{found.bytes / 1e6 / seconds:.0f} MB/s, {found.files / seconds:.0f} files/s"
    print(f"scrub: {found.text}; {seconds:.1f} s, {speed}")
    held = dict(Counter(scrubbing.damaged().order_by().values_list("damage", flat=True)))
    meanwhile = served(damaged)
    print(f"held back: {held}; of these, asked for: {meanwhile['refused']} refused, {meanwhile['wrong']} wrong")
    ran, seconds = timed(lambda: tasks.drain(rounds=500))
    print(f"mended: {sum(held.values()) - scrubbing.damaged().count()} in {seconds:.1f} s ({ran} jobs)")
    after = served(blobs)
    print(
        f"asked for after it, every file: {after['right']} right, {after['refused']} refused, {after['wrong']} wrong"
    )
    asked, seconds = idle()
    print(f"a look when nothing is due: {asked} queries, {seconds * 1000:.2f} ms")
    print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at most")
    wrong = before["wrong"] + meanwhile["wrong"] + after["wrong"]
    return held == {"corrupt": CORRUPT, "missing": MISSING} and not wrong and after["right"] == count


def stock(count: int, largest: int) -> tuple[list[Any], int]:
    """Approved versions of one package, each with bytes of its own here and copies in two regions."""
    from accounts.models import User
    from registry import storage
    from registry.mirrors import layout, stores
    from registry.mirrors.models import Mirror
    from registry.models import Artifact, Blob, Release
    from tests import builders

    project = builders.project("acme", owner=User.objects.create(username="alice", email="alice@example.com"))
    package, dice = builders.package(project), random.Random(1)
    Mirror.objects.all().delete()
    regions = [
        stores.root_of(
            Mirror.objects.create(region=name, city=name.title(), country=country, storage_url=f"file:{name}")
        )
        for name, country in (("paris", "FR"), ("warsaw", "PL"))
    ]
    total, blobs, releases = 0, [], []
    for number in range(count):
        body = dice.randbytes(dice.randint(1_000, largest))
        total += len(body)
        blob = Blob(sha256=hashlib.sha256(body).hexdigest(), size=len(body), state="ready")
        for path in (storage.local_path(blob), *(root / layout.file_of(blob.sha256) for root in regions)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        blobs.append(blob)
        said = {"package": package, "project": project, "origin": "published", "status": "approved"}
        version = f"1.0.{number}"
        releases.append(Release(version=version, canonical=version, sha256=blob.sha256, size=blob.size, **said))
    Blob.objects.bulk_create(blobs, batch_size=2_000)
    Release.objects.bulk_create(releases, batch_size=2_000)
    for blob, release in zip(blobs, releases, strict=True):
        blob.release_pk = release.pk  # type: ignore[attr-defined]  # for the readers
    Artifact.objects.bulk_create(
        (
            Artifact(release=release, blob=blob, filename="a.tgz", kind="tgz", size=blob.size, sha256=blob.sha256)
            for release, blob in zip(releases, blobs, strict=True)
        ),
        batch_size=2_000,
    )
    return blobs, total


def damage(blobs: list[Any]) -> list[Any]:
    """Corrupt some and remove some; the first region's copies of half of them are corrupt, too."""
    from registry import storage
    from registry.mirrors import layout, stores
    from registry.mirrors.models import Mirror

    chosen = random.Random(2).sample(blobs, CORRUPT + MISSING)
    paris = stores.root_of(Mirror.objects.get(region="paris"))
    for number, blob in enumerate(chosen):
        path = storage.local_path(blob)
        if number >= CORRUPT:
            path.unlink()
        else:
            path.write_bytes(spoiled(path.read_bytes(), number))
        if number % 2:
            copy = paris / layout.file_of(blob.sha256)
            copy.write_bytes(spoiled(copy.read_bytes(), 0))
    return chosen


def spoiled(body: bytes, way: int) -> bytes:
    """A bit flipped mostly, else cut short or made longer."""
    if way % 10 == 8:
        return body[:-1]
    if way % 10 == 9:
        return body + b"\0"
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


def served(blobs: list[Any]) -> Counter[str]:
    """What anybody gets of them through the one door that bytes leave by."""
    from accounts.actors import ANONYMOUS
    from registry import downloading, storage
    from registry.models import Release

    ended: Counter[str] = Counter()
    for blob in blobs:
        release = Release.objects.select_related("package__project", "project").get(pk=blob.release_pk)
        try:
            with downloading.open_artifact(release, ANONYMOUS).open() as file:
                body = file.read()
        except storage.Damaged:
            ended["refused"] += 1
        else:
            ended["right" if hashlib.sha256(body).hexdigest() == blob.sha256 else "wrong"] += 1
    return ended


def idle() -> tuple[int, float]:
    """What the periodic look costs where nothing is due and nothing damaged."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from registry import scrubbing

    with CaptureQueriesContext(connection) as queries:
        _, seconds = timed(lambda: (scrubbing.queue_round(), scrubbing.queue_mending()))
    return len(queries), seconds


def timed(act: Any) -> tuple[Any, float]:
    """What it returns, and how long it took."""
    begun = time.perf_counter()
    done = act()
    return done, time.perf_counter() - begun


if __name__ == "__main__":
    main()
