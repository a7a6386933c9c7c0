"""Which licenses get along: OSADL's matrix, asked in both directions, over single licenses and over expressions.

The matrix judges what goes into one work and is passed on under one license. Where it is silent, so are we.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from licensing import expressions
from licensing.expressions import Expression, License, Or

FILE = Path(__file__).resolve().parent / "data" / "osadl.json"
ANSWERS = {"S": "yes", "Y": "yes", "C": "check", "?": "unknown", "N": "no"}
ORDER = {"yes": 0, "check": 1, "unknown": 2, "no": 3}
_loaded: dict[str, dict[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Compatibility:
    """What the matrix holds on one license, in both directions; `known` is False, and all is empty, for others.

    The first two tell which works may take in code under it, the others what a work under it may take in. “Unknown”
    stands in none of the lists, and an empty list is never a yes.
    """

    compatible_with: tuple[str, ...] = ()
    incompatible_with: tuple[str, ...] = ()
    may_take_in: tuple[str, ...] = ()
    may_not_take_in: tuple[str, ...] = ()
    to_be_checked: tuple[str, ...] = ()
    known: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """May a work under `outbound` take in code under `inbound`: yes, check, unknown or no, and why."""

    word: str
    outbound: str
    inbound: str
    explanation: str = ""


# --- the matrix in force -------------------------------------------------------------------------------------------
def matrix() -> dict[str, Any]:
    """The matrix in force: the one that was loaded last, else the one that ships (see licensing.matrices)."""
    return _loaded.get("matrix") or _shipped()


@cache
def _shipped() -> dict[str, Any]:
    shipped: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return shipped


def use(loaded: dict[str, Any] | None) -> None:
    """Ask this matrix from now on, in this process; None: the one that ships."""
    _loaded.clear()
    if loaded is not None:
        _loaded["matrix"] = loaded
    of.cache_clear()
    _columns.cache_clear()


@cache
def _columns() -> dict[str, int]:
    return {license_id: column for column, license_id in enumerate(matrix()["licenses"])}


def source() -> str:
    """Who made the matrix, when, and under which license: CC-BY asks that this is told."""
    return f"OSADL license compatibility matrix of {matrix()['timestamp'][:10]}, CC-BY-4.0"


# --- asking it -----------------------------------------------------------------------------------------------------
@cache
def of(license_id: str) -> Compatibility:
    """Both directions for one license, itself left out."""
    if license_id not in _columns():
        return Compatibility()
    column, rows = _columns()[license_id], matrix()["rows"]
    into = {outbound: ANSWERS[row[column]] for outbound, row in rows.items() if outbound != license_id}
    taken = dict(zip(matrix()["licenses"], (ANSWERS[letter] for letter in rows[license_id]), strict=True))
    del taken[license_id]
    return Compatibility(
        compatible_with=_saying("yes", into),
        incompatible_with=_saying("no", into),
        may_take_in=_saying("yes", taken),
        may_not_take_in=_saying("no", taken),
        to_be_checked=_saying("check", taken),
        known=True,
    )


def _saying(word: str, answers: dict[str, str]) -> tuple[str, ...]:
    return tuple(sorted((key for key, answer in answers.items() if answer == word), key=str.lower))


Asking = Callable[[License, License], Answer]


def of_leaves(outbound: License, inbound: License) -> Answer:
    """What the matrix says of two licenses, exceptions included."""
    return of_pair(str(outbound), str(inbound))


def between(outbound: Expression, inbound: Expression, ask: Asking = of_leaves) -> Answer:
    """The answer over whole expressions, from what `ask` says of two licenses.

    Who may choose chooses what fits: the best branch of an OR counts, on either side. What binds at once must all
    fit: the worst part of an AND counts, but a work that itself names a license takes in code under it.
    """
    if isinstance(inbound, License):
        return _into(outbound, inbound, ask)
    choose = best if isinstance(inbound, Or) else worst
    return choose(between(outbound, part, ask) for part in inbound.parts)


def _into(outbound: Expression, inbound: License, ask: Asking) -> Answer:
    if isinstance(outbound, License):
        return ask(outbound, inbound)
    if isinstance(outbound, Or):
        return best(_into(part, inbound, ask) for part in outbound.parts)
    if inbound in expressions.leaves(outbound):
        return replace(ask(inbound, inbound), outbound=str(outbound))
    return worst(_into(part, inbound, ask) for part in outbound.parts)


def of_pair(outbound: str, inbound: str) -> Answer:
    """The cell of two licenses as SPDX spells them, exceptions included; unknown where the matrix has none."""
    columns = _columns()
    if outbound == inbound:
        return Answer("yes", outbound, inbound, "Both are under the same license.")
    if missing := [one for one in (outbound, inbound) if one not in columns]:
        return Answer("unknown", outbound, inbound, f"The matrix does not hold {' or '.join(missing)}.")
    column = columns[inbound]
    word = ANSWERS[matrix()["rows"][outbound][column]]
    return Answer(word, outbound, inbound, _explanation(outbound, inbound, column))


def _explanation(outbound: str, inbound: str, column: int) -> str:
    reasons = matrix().get("reasons", {}).get(outbound)
    text: str = matrix()["explanations"][reasons[column]] if reasons else ""
    return text.replace("{o}", outbound).replace("{i}", inbound)


def best(answers: Iterable[Answer]) -> Answer:
    """The answer of whoever may choose."""
    return min(answers, key=lambda answer: ORDER[answer.word])


def worst(answers: Iterable[Answer]) -> Answer:
    """The answer of whoever is bound by all."""
    return max(answers, key=lambda answer: ORDER[answer.word])
