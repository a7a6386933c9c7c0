"""A scanner that is a program of somebody else: found, confined, asked, and read with suspicion."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings

from scanning.scanners import subprocesses
from scanning.scanners.base import VULNERABILITY, Flaw, Material, NothingToConsult, Target, Unavailable

NOT_INSTALLED = "is not installed."


@dataclass(frozen=True, slots=True)
class Question:
    """What the tool is called with, beside its own path."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]


Ask = Callable[[Target, Material], Question]
Parse = Callable[[bytes], list[Flaw]]
Check = Callable[[bytes, Target], None]


@dataclass(frozen=True, slots=True)
class Tool:
    """How one program is asked and read.

    `ask` may raise NothingToConsult, where the tool has no data or does not know the ecosystem; `parse` raises
    Unavailable for what is no report, and so does `check` for a report that is not about the target.
    """

    name: str
    binary: str
    ask: Ask
    parse: Parse
    check: Check = lambda raw, target: None
    looks_for: frozenset[str] = frozenset({VULNERABILITY})
    good_statuses: frozenset[int] = frozenset({0})

    @property
    def is_installed(self) -> bool:
        """Whether its program is there."""
        return subprocesses.find(self.binary) is not None

    def scan(self, target: Target) -> list[Flaw]:
        """What it reports, under the target's own spelling; raises NothingToConsult and Unavailable."""
        program = self._program()
        if target.material is None:
            raise NothingToConsult("It needs files to look at, and there are none.")
        question = self.ask(target, target.material)
        answer = subprocesses.run([str(program), *question.arguments], question.environment)
        if answer.status not in self.good_statuses:
            raise Unavailable(f"It ended with status {answer.status} ({subprocesses.last_line(answer.complaint)}).")
        flaws = self.parse(answer.output)
        self.check(answer.output, target)
        return [replace(flaw.about(target), tools=(self.name,)) for flaw in flaws]

    def _program(self) -> Path:
        program = subprocesses.find(self.binary)
        if program is not None:
            return program
        sentence = f"{self.binary} {NOT_INSTALLED}"
        raise Unavailable(sentence) if settings.SCANNERS else NothingToConsult(sentence)


def data_folder(tool: str) -> Path:
    """Where the tool's own database lies: a folder of its name in SCANNER_DATA_DIR."""
    return settings.SCANNER_DATA_DIR / tool


def need_database(tool: str, *patterns: str) -> Path:
    """The tool's folder, if one of the patterns finds its database there or it may fetch one.

    Raises NothingToConsult else: without a database a tool must not look as if it had found nothing.
    """
    folder = data_folder(tool)
    if not settings.SCANNER_NETWORK and not any(any(folder.glob(pattern)) for pattern in patterns):
        raise NothingToConsult(f"{tool} has no vulnerability database here.")
    if settings.SCANNER_NETWORK and not folder.is_dir():
        folder.mkdir(parents=True)
        subprocesses.give(folder)
    return folder


def need_ecosystem(tool: str, target: Target, known: frozenset[str]) -> None:
    """Raise NothingToConsult where the tool knows nothing about such packages."""
    if target.ecosystem not in known:
        raise NothingToConsult(f"{tool} knows no advisories about {target.ecosystem} packages.")
