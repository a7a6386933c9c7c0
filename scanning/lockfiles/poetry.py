"""poetry.lock (python-poetry.org): every package with its version and, where it is no index, its source."""

from typing import Any

from scanning.lockfiles.base import Lockfile, Pin, fault, text_of
from scanning.lockfiles.structures import packages_of, toml_table

# A “legacy” source is another index.
ELSEWHERE = ("git", "directory", "file", "url")
FROM_ELSEWHERE = (
    "It comes from a repository, a folder or an address, and advisories speak of what the index publishes."
)


def looks_alike(table: dict[str, Any]) -> bool:
    """Whether the TOML document is one."""
    metadata = table.get("metadata")
    return isinstance(metadata, dict) and ("content-hash" in metadata or "lock-version" in metadata)


def read(text: str) -> Lockfile:
    """Its packages, whatever group wants them. Raises InvalidInput."""
    table, found = toml_table(text), Lockfile()
    if not looks_alike(table):
        raise fault("It has no “metadata” with a “content-hash”, as a poetry.lock has.")
    for number, package in enumerate(packages_of(table), start=1):
        where = f"package {number}"
        source = package.get("source", {})
        if not isinstance(source, dict):
            raise fault("“source” is no table.", where)
        doubt = FROM_ELSEWHERE if source.get("type") in ELSEWHERE else ""
        pin = Pin("pypi", text_of(package, "name", where), text_of(package, "version", where), doubt)
        found.add(pin, where)
    return found
