"""The order that setuptools gave to versions before PEP 440, for the few old ones that it refuses."""

import re

_PART = re.compile(r"([0-9]+|[a-z]+|\.|-)")
_SAME = {"pre": "c", "preview": "c", "-": "final-", "rc": "c", "dev": "@"}


def key(version: str) -> tuple[str, ...]:
    """A tuple of words: numbers padded so that they compare by value, `*` before every word."""
    parts: list[str] = []
    for part in _words(version.lower()):
        if part.startswith("*"):
            while parts and part < "*final" and parts[-1] == "*final-":
                parts.pop()
            while parts and parts[-1] == "00000000":
                parts.pop()
        parts.append(part)
    return tuple(parts)


def _words(version: str) -> list[str]:
    words = [_SAME.get(part, part) for part in _PART.split(version) if part and part != "."]
    return [part.zfill(8) if part[:1] in tuple("0123456789") else f"*{part}" for part in words] + ["*final"]
