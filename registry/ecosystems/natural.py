"""An order for versions that follow no specification: numbers by value, words by letter, pre-release words first."""

import re

PRE_RELEASE_WORDS = {"dev": 0, "snapshot": 1, "nightly": 1, "alpha": 2, "a": 2, "beta": 3, "b": 3, "m": 4}
PRE_RELEASE_WORDS |= {"milestone": 4, "preview": 5, "pre": 5, "rc": 6, "cr": 6}

_CHUNK = re.compile(r"[0-9]+|[a-z]+|[^0-9a-z.+_-]+")

Chunk = tuple[int, int, str]
Key = tuple[tuple[Chunk, ...], str]

_END: Chunk = (1, 0, "")


def key(version: str) -> Key:
    """`1.0-rc1` < `1.0` < `1.0-alpine` < `1.2` < `1.10`; spellings that tie are told apart by their text."""
    return (*map(_chunk, _CHUNK.findall(version.lower())), _END), version


def _chunk(text: str) -> Chunk:
    if text[0] in "0123456789":
        digits = text.lstrip("0")
        return 3, len(digits), digits  # compared as text of equal length: int() is slow on hostile lengths
    if text in PRE_RELEASE_WORDS:
        return 0, PRE_RELEASE_WORDS[text], ""
    return 2, 0, text


def is_prerelease(version: str) -> bool:
    """Whether a pre-release word stands in the version after its first number."""
    chunks = _CHUNK.findall(version.lower())
    return any(chunk in PRE_RELEASE_WORDS for chunk in chunks[1:])
