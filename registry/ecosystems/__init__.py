"""The package ecosystems, asked for by slug: pure rules without Django, database or network."""

from pathlib import Path

from registry.ecosystems.archives import ARCHIVE, refusal
from registry.ecosystems.base import Dependency, Ecosystem, Entry, Manifest, Package, Range
from registry.ecosystems.docker import Docker
from registry.ecosystems.generic import Generic
from registry.ecosystems.maven import Maven
from registry.ecosystems.naming import shorten
from registry.ecosystems.npm import Npm
from registry.ecosystems.pypi import PyPi
from registry.errors import InvalidInput

__all__ = [
    "ALL",
    "Dependency",
    "Ecosystem",
    "Entry",
    "Manifest",
    "Package",
    "Range",
    "get",
    "identify",
    "read_package",
]

ALL: tuple[Ecosystem, ...] = (Npm(), PyPi(), Maven(), Docker(), Generic())

_BY_SLUG = {ecosystem.slug: ecosystem for ecosystem in ALL}


def get(slug: str) -> Ecosystem:
    """The ecosystem of that slug; raises InvalidInput naming the known ones."""
    try:
        return _BY_SLUG[slug]
    except KeyError:
        known = ", ".join(_BY_SLUG)
        raise InvalidInput(
            f"There is no ecosystem “{slug[:40]}”. Known are: {known}.", code="unknown_ecosystem"
        ) from None


def identify(path: Path, filename: str = "") -> Ecosystem:
    """The ecosystem whose package the file is, by its content alone; raises Refused where none recognises it."""
    with path.open("rb") as file:
        head = file.read(512)
    for ecosystem in ALL:
        if ecosystem.recognizes(head, path):
            return ecosystem
    named = f"“{shorten(filename, 120)}”" if filename else "The file"
    message = (
        f"{named} is neither an npm tarball, a Python source distribution nor a wheel. Upload the file that"
        " “npm pack” or “python -m build” makes."
    )
    raise refusal("unknown_format", message, ARCHIVE, message)


def read_package(path: Path, filename: str = "") -> Package:
    """Identify the file and read it strictly; raises Refused naming the entry and the rule it breaks."""
    return identify(path, filename).read(path, filename=filename)
