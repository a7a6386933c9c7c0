"""What every scanner is given, and what it answers."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from registry import ecosystems

VULNERABILITY, MALWARE, SECRET, LICENSE = "vulnerability", "malware", "secret", "license"


class Material(Protocol):
    """What a tool can be shown of a release: made when first asked for, and gone after the scan."""

    def files(self) -> Path:
        """The folder with the unpacked files, readable by everybody; raises NothingToConsult or Unavailable."""

    def bill(self) -> Path:
        """A CycloneDX file that names the release and nothing else."""


@dataclass(frozen=True, slots=True)
class Target:
    """The release to look at."""

    ecosystem: str
    name: str
    normalized: str
    version: str
    material: Material | None = None


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong, as one or more tools report it."""

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
    kind: str = VULNERABILITY

    @property
    def names(self) -> frozenset[str]:
        """Every id that it goes by."""
        return frozenset((self.identifier, *self.aliases))

    def about(self, target: Target) -> "Flaw":
        """The same flaw under the target's own spelling, where it is about the target or about no package."""
        if not self.package:
            return replace(self, ecosystem=target.ecosystem, package=target.name, version=target.version)
        if self.ecosystem != target.ecosystem:
            return self
        rules = ecosystems.get(target.ecosystem)
        if (rules.normalize_name(self.package), rules.sort_key(self.version)) != (
            target.normalized,
            rules.sort_key(target.version),
        ):
            return self
        return replace(self, package=target.name, version=target.version)


class NothingToConsult(Exception):
    """The tool works, but holds no data that could say anything about the target. Not a failure, and not a pass."""


class Unavailable(Exception):
    """The tool could not be asked, or answered what cannot be believed. Its text is a sentence for people."""


class Scanner(Protocol):
    """A tool that knows flaws. Any exception but NothingToConsult means that it is unavailable right now."""

    @property
    def name(self) -> str:
        """The tool's name in findings."""

    def scan(self, target: Target) -> list[Flaw]:
        """The known flaws of the target; raises NothingToConsult and Unavailable."""


def looks_for(scanner: Scanner) -> frozenset[str]:
    """The kinds of findings that the scanner can make; known flaws, where it does not say."""
    return getattr(scanner, "looks_for", frozenset({VULNERABILITY}))
