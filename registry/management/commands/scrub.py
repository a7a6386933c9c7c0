"""`manage.py scrub`: read stored files back and hash them, now."""

from argparse import ArgumentParser
from pathlib import Path
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Sum
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from registry import scrubbing
from registry.models import Blob

COLUMNS = (TextColumn("scrub"), BarColumn(30), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())


class Command(BaseCommand):
    """Reads and hashes; what is damaged is held back and queued for mending. Ctrl-C loses nothing but the time."""

    help = (
        "Read back stored files and compare their digests, those that were not read for SCRUB_DAYS. What is damaged "
        "is held back at once; the worker mends it from a mirror. Status 1 if anything is held back."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="read every file, however lately it was read")
        parser.add_argument(
            "--whole", metavar="FILE", type=Path, help="mend with this file (from a backup) what is held back of it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["whole"]:
            self._mend_with(options["whole"])
        else:
            self._read(everything=options["all"])
        if held := scrubbing.damaged().count():
            self.stdout.write(self.style.ERROR(f"{held} held back, waiting to be mended:"))
            for blob in scrubbing.damaged()[:20]:
                self.stdout.write(f"  {blob.damage:<11}{blob.sha256}")
            raise SystemExit(1)

    def _read(self, *, everything: bool) -> None:
        total = Blob.objects.filter(state=Blob.State.READY).aggregate(bytes=Sum("size"))["bytes"] or 0
        found, begun = scrubbing.Findings(), monotonic()
        with Progress(*COLUMNS, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("", total=total)
            for found in scrubbing.scrub(everything=everything):
                progress.update(task, completed=found.bytes)
        speed = found.bytes / 1e6 / max(monotonic() - begun, 1e-6)
        self.stdout.write(f"{found.text}, {speed:.0f} MB/s.")

    def _mend_with(self, path: Path) -> None:
        try:
            blob = scrubbing.mend_with(path)
        except OSError as problem:
            raise CommandError(f"{path} cannot be read: {problem.strerror}") from problem
        if blob is None:
            raise CommandError(f"Nothing that is held back has the digest of {path}.")
        self.stdout.write(f"{blob.sha256} is mended and served again.")
