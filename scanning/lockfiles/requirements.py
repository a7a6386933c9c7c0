"""requirements.txt, as pip reads it (pip.pypa.io, Requirements File Format): pins by PEP 508."""

import re
from collections.abc import Iterator

from packaging.requirements import InvalidRequirement, Requirement

from scanning.lockfiles.base import Lockfile, Pin, bounded, fault, shown

LONGEST_REQUIREMENT = 2_000
COMMENT = re.compile(r"(?:^|\s)#.*$")
OPTIONS = re.compile(r"\s--?[a-z].*$", re.DOTALL)
OTHER_FILE = re.compile(r"(?:-r|--requirement)[\s=]*(?P<what>.*)", re.DOTALL)
EDITABLE = re.compile(r"(?:-e|--editable)[\s=]*(?P<what>.*)", re.DOTALL)
OPTION = re.compile(r"-[a-zA-Z]|--[a-z][a-z0-9-]*")
PATH = re.compile(r"[./~\\]|[a-z]:[\\/]|[a-z][a-z0-9+.-]*://|[^@;\s]*[\\/]|[^@;\s]+\.(?:whl|zip|tar\.gz|tgz)\b", re.I)
NOT_READ = "Another file; send it, too."
NO_NAME = "A folder or an address without a package's name."
FROM_ADDRESS = "It comes from an address, and advisories speak of what the index publishes."
NO_PIN = "No exact version is named (==)."


def read(text: str) -> Lockfile:
    """One pin for each requirement that names an exact version; the others, and what has no name, are told of.

    Markers are not evaluated: what some machine may install is judged. Raises InvalidInput naming the line.
    """
    found = Lockfile()
    for number, line in _logical(bounded(text)):
        _read_line(line, number, found)
    return found


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """Lines joined where they end in a backslash, without comments, with the number of the first."""
    parts: list[str] = []
    first = 0
    for number, raw in enumerate(text.splitlines(), start=1):
        first = first if parts else number
        is_comment = raw.lstrip().startswith("#")
        line = COMMENT.sub("", raw)
        goes_on = line.endswith("\\") and not is_comment
        parts.append(line.removesuffix("\\") if goes_on else line)
        if goes_on:
            continue
        if whole := "".join(parts).strip():
            yield first, whole
        parts = []
    if whole := "".join(parts).strip():
        yield first, whole


def _read_line(line: str, number: int, found: Lockfile) -> None:
    where = f"line {number}"
    if other := OTHER_FILE.fullmatch(line):
        found.leave(other["what"].strip() or line, NOT_READ, number)
    elif editable := EDITABLE.fullmatch(line):
        found.leave(editable["what"].strip() or line, NO_NAME, number)
    elif line.startswith("-"):
        if not OPTION.match(line):
            raise fault(f"“{shown(line)}” is no option of pip.", where)
    elif PATH.match(line):
        found.leave(line, NO_NAME, number)
    else:
        found.add(_pin(OPTIONS.sub("", line), where), where)


def _pin(text: str, where: str) -> Pin:
    if len(text) > LONGEST_REQUIREMENT:
        raise fault(f"A requirement is longer than {LONGEST_REQUIREMENT:,} characters.", where)
    try:
        wanted = Requirement(text)
    except (InvalidRequirement, RecursionError, ValueError) as error:
        raise fault(f"“{shown(text)}” is no requirement.", where) from error
    if wanted.url:
        return Pin("pypi", wanted.name, "", FROM_ADDRESS)
    exact = {one.version for one in wanted.specifier if one.operator in ("==", "===") and "*" not in one.version}
    return Pin("pypi", wanted.name, exact.pop()) if len(exact) == 1 else Pin("pypi", wanted.name, "", NO_PIN)
