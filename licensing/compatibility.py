"""Which licenses get along: OSADL's matrix, a data file of ours with its notice and date."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent / "data" / "osadl.json"
AGREE = frozenset("SY")
DISAGREE = frozenset("N")


@dataclass(frozen=True, slots=True)
class Compatibility:
    """The licenses a work may stand under that takes in code of one license, and those it may not.

    Both are empty, and `known` is False, for a license that the matrix does not hold: never read that as a yes.
    """

    compatible_with: tuple[str, ...] = ()
    incompatible_with: tuple[str, ...] = ()
    known: bool = False


@cache
def matrix() -> dict[str, Any]:
    """The file as it is: notice, timestamp, licenses, rows[outbound] of one letter per inbound license."""
    return json.loads(FILE.read_text("utf-8"))


@cache
def of(license_id: str) -> Compatibility:
    """What may take in code under this license; “Unknown” and “Check” cells stand in neither list."""
    data = matrix()
    if license_id not in data["licenses"]:
        return Compatibility()
    column = data["licenses"].index(license_id)
    cells = {outbound: row[column] for outbound, row in data["rows"].items() if outbound != license_id}
    return Compatibility(
        compatible_with=tuple(sorted((key for key, cell in cells.items() if cell in AGREE), key=str.lower)),
        incompatible_with=tuple(sorted((key for key, cell in cells.items() if cell in DISAGREE), key=str.lower)),
        known=True,
    )


def source() -> str:
    """Who made the matrix, when, and under which license: CC-BY asks that this is told."""
    data = matrix()
    return f"OSADL license compatibility matrix of {data['timestamp'][:10]}, CC-BY-4.0"
