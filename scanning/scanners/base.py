"""What every scanner is given, and what it answers."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Target:
    """The release to look at."""

    ecosystem: str
    name: str
    normalized: str
    version: str


@dataclass(frozen=True, slots=True)
class Flaw:
    """One known flaw as one or more tools report it."""

    identifier: str
    ecosystem: str
    package: str
    version: str
    aliases: tuple[str, ...] = ()
    severity: str = "unknown"
    cvss: float | None = None
    summary: str = ""
    fixed_in: str = ""
    url: str = ""
    tools: tuple[str, ...] = ()
    kind: str = "vulnerability"  # or malware, secret, license

    @property
    def names(self) -> frozenset[str]:
        """Every id that it goes by."""
        return frozenset((self.identifier, *self.aliases))


class NothingToConsult(Exception):
    """The tool works, but holds no data that could say anything about the target. Not a failure, and not a pass."""


class Scanner(Protocol):
    """A tool that knows flaws. Any exception but NothingToConsult means that it is unavailable right now."""

    @property
    def name(self) -> str:
        """The tool's name in findings."""

    def scan(self, target: Target) -> list[Flaw]:
        """The known flaws of the target; raises NothingToConsult."""
