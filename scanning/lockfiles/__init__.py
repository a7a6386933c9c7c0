"""Lockfiles, read into pins: one module for each format. Pure: no framework, no database, no network, no disk."""

from collections.abc import Callable

from registry.errors import InvalidInput
from scanning.lockfiles import cyclonedx, npm, poetry, requirements, uv
from scanning.lockfiles.base import MOST_PACKAGES, Lockfile, Pin, Unnamed, bounded
from scanning.lockfiles.structures import json_object, toml_table

__all__ = ["FORMATS", "MOST_PACKAGES", "NAMES", "Lockfile", "Pin", "Unnamed", "format_of", "read"]

FORMATS: dict[str, Callable[[str], Lockfile]] = {
    "package-lock.json": npm.read,
    "requirements.txt": requirements.read,
    "poetry.lock": poetry.read,
    "uv.lock": uv.read,
    "cyclonedx": cyclonedx.read,
}
# Other names of the same formats.
NAMES = {
    **{name: name for name in FORMATS},
    "npm-shrinkwrap.json": "package-lock.json",
    "bom.json": "cyclonedx",
    "sbom.json": "cyclonedx",
    "cyclonedx.json": "cyclonedx",
}


def read(text: str, format: str = "") -> Lockfile:
    """What the lockfile pins. Raises InvalidInput naming the line or entry that cannot be read.

    `format` is one of NAMES; where it is left out the text tells, or is refused. At most 8 MiB (of TOML 4 MiB) and
    5,000 packages.
    """
    return FORMATS[NAMES[format] if format else format_of(text)](text)


def format_of(text: str) -> str:
    """The one format of FORMATS that the text is in; raises InvalidInput where it could be none, or any."""
    found = _of_json(text) if bounded(text).lstrip()[:1] == "{" else _of_toml(text) or _of_lines(text)
    if not found:
        known = ", ".join(FORMATS)
        raise InvalidInput(
            f"It cannot be told which lockfile this is. Name its format: {known}.",
            details={"format": [f"One of {known}."]},
        )
    return found


def _of_json(text: str) -> str:
    document = json_object(text)
    alike = [cyclonedx.looks_alike(document), npm.looks_alike(document)]
    return "" if alike.count(True) != 1 else ("cyclonedx", "package-lock.json")[alike.index(True)]


def _of_toml(text: str) -> str:
    try:
        table = toml_table(text)
    except InvalidInput:
        return ""
    if poetry.looks_alike(table):
        return "poetry.lock"
    return "uv.lock" if uv.looks_alike(table) else ""


def _of_lines(text: str) -> str:
    """Requirements, if every line is one and at least one names a package."""
    try:
        return "requirements.txt" if requirements.read(text).pins else ""
    except InvalidInput:
        return ""
