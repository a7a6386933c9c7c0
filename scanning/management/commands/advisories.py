"""`manage.py advisories import PATH…`: bring OSV advisories in."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from registry.errors import InvalidInput
from scanning import advisories, osv_files
from scanning.advisories import Tally

SHOWN = 20


class Command(BaseCommand):
    help = "Import OSV advisories: JSON files, arrays, folders or zips. Importing the same again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        bring = actions.add_parser("import", help="Import advisories from files, folders or zips.")
        bring.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="A JSON file, a folder or a zip")
        bring.add_argument("--strict", action="store_true", help="End with an error if any document is malformed")

    def handle(self, *args: Any, paths: list[Path], strict: bool, **options: Any) -> None:
        console = Console(file=self.stdout, highlight=False, soft_wrap=True)  # type: ignore[arg-type]  # it only writes
        malformed = 0
        for path in paths:
            try:
                tally = _import(path, console, quiet=options["verbosity"] == 0)
            except InvalidInput as problem:
                raise CommandError(problem.message) from None
            malformed += len(tally.malformed)
            _report(path, tally, console)
        if strict and malformed:
            raise CommandError(f"{malformed} documents are malformed and were left out.")


def _import(path: Path, console: Console, *, quiet: bool) -> Tally:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        total = osv_files.count(path) if path.exists() else None
        task = progress.add_task(path.name, total=total)
        return advisories.import_from(path, lambda tally: progress.update(task, completed=tally.seen))


def _report(path: Path, tally: Tally, console: Console) -> None:
    console.print(
        f"{path.name}: {tally.added} added, {tally.updated} updated, {tally.unchanged} unchanged, {tally.stale} older "
        f"than what is held, {tally.elsewhere} about other ecosystems, {tally.withdrawn} withdrawn, "
        f"{len(tally.malformed)} malformed.",
        markup=False,
    )
    for name, problem in tally.malformed[:SHOWN]:
        console.print(f"  left out {name}: {problem}", markup=False)
    if len(tally.malformed) > SHOWN:
        console.print(f"  … and {len(tally.malformed) - SHOWN} more.")
