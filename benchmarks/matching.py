"""`python -m benchmarks.matching [PATH …]`: how many (package, version) pairs are matched per second.

Imports the OSV advisories of the paths (made-up ones where none is given) into a database of its own, matches, adds
nine renamed copies of every advisory, and matches the same pairs again: the ratio of the two, from one run, says
whether matching stays flat. Processor time stands beside the clock's, since the machine may be busy with other things.
DATABASE_URL may name an empty PostgreSQL database; SQLite in a temporary folder is the default.
"""

import argparse
import gc
import os
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import _lru_cache_wrapper
from pathlib import Path
from typing import Any

PAIRS = 20_000
AUDITED = 5_000
ROUNDS = 5
MADE_UP = 12_000
Wanted = tuple[str, str, str]


@dataclass(frozen=True)
class Figure:
    """The best of some rounds: seconds by the clock and by the processor, and the queries of one."""

    seconds: float
    processor: float
    queries: int
    found: int


def made_up(number: int) -> Iterator[dict[str, Any]]:
    """Advisories in the shape of real ones: three quarters as large as the Python database's, on 4,000 packages."""
    dice = random.Random(7)
    names = {"npm": "SEMVER", "PyPI": "ECOSYSTEM", "Maven": "ECOSYSTEM"}
    for position in range(number):
        ecosystem = dice.choice(list(names))
        package = f"package-{dice.randrange(number // 3)}"
        name = f"org.example:{package}" if ecosystem == "Maven" else package
        fixed = dice.randrange(1, 60)
        events = [{"introduced": "0"}, {"fixed": f"{fixed // 10}.{fixed % 10}.0"}]
        listed = [f"{one // 10}.{one % 10}.0" for one in range(fixed)] if ecosystem == "PyPI" else []
        yield {
            "id": f"GHSA-made-{position:06}",
            "modified": "2026-01-01T00:00:00Z",
            "aliases": [f"CVE-2026-{position:06}"],
            "affected": [
                {
                    "package": {"ecosystem": ecosystem, "name": name},
                    "ranges": [{"type": names[ecosystem], "events": events}],
                    "versions": listed,
                }
            ],
        }


def renamed(document: Any, copy: int) -> Any:
    """The document about other packages, under another id."""
    if not copy or not isinstance(document, dict):
        return document
    affected = [
        {**one, "package": {**one["package"], "name": f"{one['package']['name']}-x{copy}"}}
        for one in document.get("affected") or ()
        if "package" in one
    ]
    aliases = [f"{alias}-x{copy}" for alias in document.get("aliases") or ()]
    return {**document, "id": f"{document.get('id')}-x{copy}", "aliases": aliases, "affected": affected}


def documents(paths: list[Path], copies: Iterable[int]) -> Iterator[Any]:
    """Every document, and its copies."""
    from scanning import osv_files
    from scanning.osv_files import Found

    for copy in copies:
        if paths:
            for path in paths:
                yield from (Found(one.name, renamed(one.data, copy), one.problem) for one in osv_files.read(path))
        else:
            yield from (Found(one["id"], renamed(one, copy)) for one in made_up(MADE_UP))


def known_pairs() -> list[Wanted]:
    """Pairs of every package that an advisory is about: listed versions, and versions at the bounds."""
    from scanning.evaluating import flat
    from scanning.models import AffectedPackage

    found: dict[Wanted, None] = {}
    for slug, name, ranges, versions in AffectedPackage.objects.order_by("pk").values_list(
        "ecosystem", "name", "ranges", "versions"
    ):
        bounds = [bound for one in ranges for _, bound in flat(one) if bound[:1].isdigit()]
        found.update(dict.fromkeys((slug, name, version) for version in (*versions[-6:], *bounds)))
    return list(found)


def chosen(pairs: list[Wanted], number: int) -> list[Wanted]:
    """So many of the pairs, in an order that is always the same."""
    return random.Random(1).sample(pairs, min(number, len(pairs)))


def audit_of(pairs: list[Wanted]) -> list[Wanted]:
    """What a large lockfile asks: 5,000 packages of one version each, nine in ten of which nothing is known about."""
    known = list({one[:2]: one for one in chosen(pairs, len(pairs))}.values())[: AUDITED // 10]
    unknown = [("npm", f"nothing-known-{number}", f"1.{number}.0") for number in range(AUDITED - len(known))]
    return [*known, *unknown]


def measure(pairs: list[Wanted], before: Callable[[], object] = lambda: None) -> Figure:
    """Match the pairs a few times; `before` runs outside of the measured time."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from scanning import matching

    best = (float("inf"), float("inf"))
    for _ in range(ROUNDS):
        before()
        clock, processor = time.perf_counter(), time.process_time()
        found = matching.match_many(pairs)
        best = min(best, (time.perf_counter() - clock, time.process_time() - processor))
    with CaptureQueriesContext(connection) as queries:
        matching.match_many(pairs)
    return Figure(*best, len(queries), sum(map(len, found.values())))


def forget() -> None:
    """Forget what was read and parsed before, in whatever cache, as a process that was just started."""
    from scanning import matching

    matching.forget()
    for one in gc.get_objects():
        if isinstance(one, _lru_cache_wrapper):
            one.cache_clear()
    gc.collect()


def figures(pairs: list[Wanted]) -> dict[str, tuple[int, Figure]]:
    """What is measured over one set of advisories."""
    many, audit = chosen(pairs, PAIRS), audit_of(pairs)
    return {
        "known packages, first time": (len(many), measure(many, forget)),
        "known packages, again": (len(many), measure(many)),
        "a lockfile, first time": (len(audit), measure(audit, forget)),
        "a lockfile, again": (len(audit), measure(audit)),
    }


def report(title: str, rows: dict[str, tuple[int, Figure]]) -> None:
    """A table."""
    print(f"\n{title}")
    print(
        f"{'':28} {'pairs':>7} {'found':>7} {'queries':>8} {'ms':>8} {'cpu ms':>8} {'pairs/s':>9} {'pairs/cpu s':>12}"
    )
    for name, (number, one) in rows.items():
        print(
            f"{name:28} {number:7} {one.found:7} {one.queries:8} {one.seconds * 1e3:8.1f} {one.processor * 1e3:8.1f} "
            f"{number / one.seconds:9,.0f} {number / one.processor:12,.0f}"
        )


def bring(paths: list[Path], copies: range) -> None:
    """Import, and say what that cost."""
    from scanning import advisories
    from scanning.models import Advisory, AffectedPackage

    begun = time.perf_counter()
    tally = advisories.import_found(documents(paths, copies))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"imported {tally.seen:,} documents in {time.perf_counter() - begun:.1f} s (peak {peak} MiB): "
        f"{Advisory.objects.count():,} advisories, {AffectedPackage.objects.count():,} affected packages",
        flush=True,
    )


def run(paths: list[Path], factor: int) -> None:
    """Measure, grow, measure again."""
    bring(paths, range(1))
    pairs = known_pairs()
    whole = figures(pairs)
    report("The set as it is", whole)
    if factor < 2:
        return
    bring(paths, range(1, factor))
    grown = figures(pairs)
    report(f"{factor} times as many advisories", grown)
    print("\nprocessor time, grown to as it is:")
    for name, (_, one) in whole.items():
        print(f"{name:28} {grown[name][1].processor / one.processor:5.2f}")


def main() -> None:
    """Set a database up and measure in it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", type=Path, help="OSV: JSON files, folders or zips")
    parser.add_argument(
        "--factor", type=int, default=10, help="how many times as many advisories (10; 1: do not grow)"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATA_DIR": folder,
            "SECRET_KEY": "only for the benchmark, which serves nobody",
        }
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0, skip_checks=True)
        run(asked.paths, asked.factor)


if __name__ == "__main__":
    main()
