"""uv.lock (docs.astral.sh/uv): every package with its version and its source."""

from typing import Any

from scanning.lockfiles.base import Lockfile, Pin, fault, text_of
from scanning.lockfiles.structures import packages_of, toml_table

OWN = ("virtual", "editable", "workspace")
ELSEWHERE = ("git", "url", "path", "directory")
OWN_REASON = "A folder of this project; it came from no index."
FROM_ELSEWHERE = (
    "It comes from a repository, a folder or an address, and advisories speak of what the index publishes."
)


def looks_alike(table: dict[str, Any]) -> bool:
    """Whether the TOML document is one."""
    return type(table.get("version")) is int and "metadata" not in table


def read(text: str) -> Lockfile:
    """Its packages, those of this project's own folders apart. Raises InvalidInput."""
    table, found = toml_table(text), Lockfile()
    if not looks_alike(table):
        raise fault("It does not begin with “version = 1”, as a uv.lock does.")
    for number, package in enumerate(packages_of(table), start=1):
        where = f"package {number}"
        name, source = text_of(package, "name", where), package.get("source", {})
        if not isinstance(source, dict):
            raise fault("“source” is no table.", where)
        if any(kind in source for kind in OWN):
            found.leave(name, OWN_REASON)
        else:
            doubt = FROM_ELSEWHERE if any(kind in source for kind in ELSEWHERE) else ""
            found.add(Pin("pypi", name, text_of(package, "version", where), doubt), where)
    return found
