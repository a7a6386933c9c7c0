"""`manage.py advisories import|refresh|disagreements`: bring OSV advisories in, and look at what they say."""

from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from registry.errors import RegistryError
from registry.outgoing import Allowance
from scanning import advisories, disagreeing, osv_files, sources
from scanning.advisories import Tally
from scanning.models import AdvisorySource

SHOWN = 20
COLUMNS = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
Importing = Callable[[Callable[[Tally], object]], Tally | None]


class Command(BaseCommand):
    help = "Import OSV advisories from files, folders, zips or the web. Importing the same again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        bring = actions.add_parser("import", help="Import advisories from files, folders, zips or web addresses.")
        bring.add_argument("paths", nargs="+", metavar="PATH_OR_URL", help="A JSON file, a folder, a zip, or its URL")
        bring.add_argument("--strict", action="store_true", help="End with an error if any document is malformed")
        bring.add_argument("--allow-http", action="store_true", help="Visit http addresses, too")
        bring.add_argument("--allow-private", action="store_true", help="Visit addresses in private networks, too")
        again = actions.add_parser("refresh", help="Visit the configured sources now, due or not.")
        again.add_argument("names", nargs="*", metavar="NAME", help="Only these; every enabled one by default")
        differ = actions.add_parser("disagreements", help="Where an advisory's listed versions and ranges differ.")
        differ.add_argument("--all", action="store_true", help="Show every pair, not only the counts")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        self.console = Console(file=self.stdout, highlight=False, soft_wrap=True)  # type: ignore[arg-type]  # it only writes
        self.is_quiet = options["verbosity"] == 0
        actions: dict[str, Callable[..., None]] = {
            "import": self.bring,
            "refresh": self.refresh,
            "disagreements": self.disagreements,
        }
        actions[action](**options)

    def bring(self, *, paths: list[str], strict: bool, **options: Any) -> None:
        """Import each path or address, one after the other."""
        allowance = Allowance(http=options["allow_http"], private=options["allow_private"])
        malformed = 0
        for path in paths:
            try:
                tally = self._with_progress(path, _total(path), _importing(path, allowance)) or Tally()
            except (RegistryError, OSError) as problem:
                raise CommandError(f"{path}: {problem}") from None
            malformed += len(tally.malformed)
            self._report(_short(path), tally)
        if strict and malformed:
            raise CommandError(f"{malformed} documents are malformed and were left out.")

    def refresh(self, *, names: list[str], **options: Any) -> None:
        """Visit sources; a failed visit is told at the end."""
        chosen = AdvisorySource.objects.filter(**({"name__in": names} if names else {"is_enabled": True}))
        if unknown := set(names) - {source.name for source in chosen}:
            raise CommandError(f"There is no source named {', '.join(sorted(unknown))}.")
        failed = []
        for source in chosen:
            tally = self._with_progress(source.name, None, partial(sources.refresh, source))
            if tally is None:
                source.refresh_from_db()
                failed.append(f"{source.name}: {source.last_error}")
            else:
                self._report(source.name, tally)
        if failed:
            raise CommandError("\n".join(failed))

    def disagreements(self, **options: Any) -> None:
        """Count, by reason, the versions on which an advisory's list and ranges differ."""
        found = disagreeing.Counts()
        for one in disagreeing.find():
            found.add(one)
            if options["all"]:
                self.console.print(str(one), markup=False)
        self.console.print(found.told(), markup=False)

    def _with_progress(self, name: str, total: int | None, importing: Importing) -> Tally | None:
        with Progress(*COLUMNS, console=self.console, transient=True, disable=self.is_quiet) as progress:
            task = progress.add_task(_short(name), total=total)
            return importing(lambda tally: progress.update(task, completed=tally.seen))

    def _report(self, name: str, tally: Tally) -> None:
        self.console.print(
            f"{name}: {tally.added} added, {tally.updated} updated, {tally.unchanged} unchanged, {tally.stale} older "
            f"than what is held, {tally.elsewhere} about other ecosystems, {tally.withdrawn} withdrawn, "
            f"{len(tally.malformed)} malformed.",
            markup=False,
        )
        for document, problem in tally.malformed[:SHOWN]:
            self.console.print(f"  left out {document}: {problem}", markup=False)
        if len(tally.malformed) > SHOWN:
            self.console.print(f"  … and {len(tally.malformed) - SHOWN} more.")


def _is_address(path: str) -> bool:
    return path.startswith(("https://", "http://"))


def _short(path: str) -> str:
    return path if _is_address(path) else Path(path).name


def _total(path: str) -> int | None:
    return None if _is_address(path) or not Path(path).exists() else osv_files.count(Path(path))


def _importing(path: str, allowance: Allowance) -> Importing:
    if _is_address(path):
        return lambda hear: sources.import_url(path, hear, allowance)
    return lambda hear: advisories.import_from(Path(path), hear)
