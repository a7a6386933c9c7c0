"""Reading what tools print: an odd detail makes a finding poorer; what could hide one is not believed at all."""

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any

from registry import ecosystems
from scanning import severities
from scanning.scanners.base import Unavailable

WORDS = {**severities.WORDS, "negligible": "low"}
MAX_TEXT = 1000
IDENTIFIER = 128


def nonsense(what: str) -> Unavailable:
    """The refusal of an answer."""
    return Unavailable(f"It printed what is not a report: {what}.")


def load(raw: bytes) -> Any:
    """The JSON document; raises Unavailable for anything else."""
    if not raw.strip():
        raise nonsense("nothing at all")
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as problem:
        raise nonsense("no complete JSON") from problem


def objects(value: Any, what: str) -> list[dict[str, Any]]:
    """A list of objects, empty where it is absent; raises Unavailable for anything else."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise nonsense(f"{what} is no list of objects")
    return value


def an_object(value: Any, what: str) -> dict[str, Any]:
    """An object, empty where it is absent; raises Unavailable for anything else."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise nonsense(f"{what} is no object")
    return value


def needed(value: Any, what: str) -> str:
    """A text that a finding is nothing without; raises Unavailable where it is missing."""
    if not isinstance(value, str) or not value.strip():
        raise nonsense(f"a finding without {what}")
    return clean(value, IDENTIFIER)


def text(value: Any, limit: int = MAX_TEXT) -> str:
    """The text without control characters, cut off at the limit; empty where it is none."""
    return clean(value, limit) if isinstance(value, str) else ""


def texts(value: Any) -> list[str]:
    """The texts of a list; whatever else stands there is left out."""
    return [clean(one, IDENTIFIER) for one in value if isinstance(one, str)] if isinstance(value, list) else []


def clean(value: str, limit: int) -> str:
    """One line that a page and a database can take."""
    return re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]+", " ", value).strip()[:limit]


def shortened(name: str) -> str:
    """The name, its end replaced by a digest where it is too long to be an identifier."""
    if len(name) <= IDENTIFIER:
        return name
    return f"{name[: IDENTIFIER - 13]}~{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def severity(value: Any) -> str:
    """The severity that a tool's word means; unknown for every other."""
    return WORDS.get(value.strip().lower(), "unknown") if isinstance(value, str) else "unknown"


def score(*values: Any) -> float | None:
    """The highest of what are CVSS scores, written as numbers or as texts."""
    read = [number for number in map(_number, values) if number is not None and 0 < number <= 10]
    return max(read, default=None)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def nearest_fix(ecosystem: str, version: str, fixes: Iterable[str]) -> str:
    """The first fixed version after this one; where none is later, or nothing is known of the order, the last."""
    listed = [fix.strip() for fix in fixes if fix.strip()]
    if ecosystem not in {known.slug for known in ecosystems.ALL}:
        return listed[-1] if listed else ""
    key = ecosystems.get(ecosystem).sort_key
    ordered = sorted(listed, key=key)
    later = (fix for fix in ordered if key(fix) > key(version))
    return next(later, ordered[-1] if ordered else "")
