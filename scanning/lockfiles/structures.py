"""JSON and TOML as lockfiles hold them: read within bounds, whoever wrote them."""

import json
import re
import tomllib
from typing import Any

from scanning.lockfiles.base import bounded, fault

# The reader of TOML is slow: with the number of statements, and with the square of the parts of a key.
MOST_TOML = 4 * 1024 * 1024  # characters
MOST_TOML_PARTS = 200_000
MOST_KEY_PARTS = 4
PART = r"""(?:[\w-]++|"(?:[^"\\\n]++|\\.)*+(?:"|(?=\n)|\Z)|'[^'\n]*+(?:'|(?=\n)|\Z))"""
TOKEN = re.compile(
    r'''"""(?:[^"\\]++|\\.|"(?!""))*+(?:"""|\Z)|'''
    r"""'''(?:[^']++|'(?!''))*+(?:'''|\Z)|"""
    rf"(?P<long>{PART}(?:[ \t]*+\.[ \t]*+{PART}){{{MOST_KEY_PARTS}}})|{PART}|#[^\n]*+",
    re.DOTALL,
)


def json_object(text: str) -> dict[str, Any]:
    """The object of a JSON document; raises InvalidInput naming the line."""
    try:
        value = json.loads(bounded(text))
    except json.JSONDecodeError as error:
        raise fault(f"It is not JSON: {error.msg}.", f"line {error.lineno}") from error
    except (RecursionError, ValueError) as error:  # ValueError: a number of thousands of digits
        raise fault("It is nested too deeply, or holds a number that is too long.") from error
    if not isinstance(value, dict):
        raise fault("It is no JSON object.", "line 1")
    return value


def toml_table(text: str) -> dict[str, Any]:
    """The table of a TOML document; raises InvalidInput naming the line."""
    within = bounded(text, MOST_TOML, MOST_TOML_PARTS)
    if long_key := next((token for token in TOKEN.finditer(within) if token["long"]), None):
        line = within.count("\n", 0, long_key.start()) + 1
        raise fault("A key has more parts than those of any lockfile.", f"line {line}")
    try:
        return tomllib.loads(within)
    except tomllib.TOMLDecodeError as error:
        message, _, place = str(error).rpartition(" (at ")
        said = f"It is not TOML: {message or error}."
        raise fault(said, place.partition(",")[0] if place.startswith("line ") else "") from error
    except (RecursionError, ValueError) as error:  # ValueError: a number or a date that is none
        raise fault("It is nested too deeply, or holds a number that is too long.") from error


def packages_of(table: dict[str, Any]) -> list[dict[str, Any]]:
    """The `[[package]]` tables; raises InvalidInput where something else goes by that name."""
    found = table.get("package", [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise fault("“package” is no list of tables.")
    return found
