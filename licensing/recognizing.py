"""Known licenses in texts: which of the common ones a LICENSE file holds, however it is wrapped and quoted.

A text is cut into overlapping runs of four words. A license is present when nearly all of its runs are. Where two
licenses share most of their words (BSD with two and three clauses, MIT and MIT-0), the fuller one wins.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

TEXTS = Path(__file__).resolve().parent / "data" / "texts"
LIMIT = 256 * 1024
RUN = 4
PRESENT = 0.85
GAP = "<...>"
WORD = re.compile(r"[a-z0-9]+")
NOTICE = re.compile(
    r"^[ \t#*/;>.-]*(?:copyright\s*(?:\(c\)|©|:|\d|by\b)|\(c\)|©|all rights reserved).*$", re.IGNORECASE | re.MULTILINE
)
COMMONS_CLAUSE = re.compile(r"commons\s+clause\W+license\s+condition", re.IGNORECASE)
# A stem may carry a variant behind “~”: Apache-2.0~notice. These are read together with what they build on.
BUILT_ON = {"AGPL-3.0": "GPL-3.0", "LGPL-3.0": "GPL-3.0"}

Runs = frozenset[tuple[str, ...]]


def recognize(text: str) -> list[str]:
    """The ids of the licenses whose text is inside, the likeliest first; empty when none is known."""
    found = _runs(NOTICE.sub(" ", text[:LIMIT]))
    shares = {key: len(runs & found) / len(runs) for key, runs in _templates().items()}
    present = sorted(
        (key for key, share in shares.items() if share >= PRESENT), key=lambda key: _rank(key, shares[key])
    )
    kept: list[str] = []
    for key in present:
        if not any(_alike(key, other) for other in kept):
            kept.append(key)
    ids = dict.fromkeys(key.partition("~")[0] for key in kept)
    names = [key for key in ids if key not in {BUILT_ON.get(other) for other in ids}]
    return [*names, "LicenseRef-Commons-Clause"] if COMMONS_CLAUSE.search(text[:LIMIT]) else names


def recognize_all(texts: Mapping[str, str]) -> dict[str, list[str]]:
    """What each file holds: path -> ids, files in which nothing was recognised included."""
    return {path: recognize(text) for path, text in sorted(texts.items())}


def _rank(key: str, share: float) -> tuple[float, int]:
    return (-round(share * 20), -len(_templates()[key]))


@cache
def _alike(one: str, other: str) -> bool:
    """Whether two licenses share so many words that one text cannot stand for both."""
    first, second = _templates()[one], _templates()[other]
    return len(first & second) >= 0.5 * min(len(first), len(second))


@cache
def _templates() -> dict[str, Runs]:
    return {
        path.stem: frozenset().union(*(_runs(part) for part in NOTICE.sub(" ", path.read_text("utf-8")).split(GAP)))
        for path in sorted(TEXTS.glob("*.txt"))
    }


def _runs(text: str) -> Runs:
    words = WORD.findall(text.lower())
    return frozenset(zip(*(words[shift:] for shift in range(RUN)), strict=False))
