"""JSON in, strictly: what RFC 8259 leaves open is refused, and so is what a database cannot keep."""

import json
import re
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser

from accounts.errors import InvalidInput

MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 64
MAX_DIGITS = 19
MAX_PARTS = 1_000_000  # commas and brackets: a short text can make many objects
SURROGATE = re.compile("[\ud800-\udfff]")


class BodyTooLarge(APIException):
    """More JSON than any route needs."""

    status_code = 413


class StrictJSONParser(BaseParser):
    """Reads UTF-8 JSON of at most 2 MiB; refuses duplicate keys, NaN, depth over 64, NUL and lone surrogates."""

    media_type = "application/json"
    max_bytes = MAX_BYTES

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The value; raises InvalidInput saying what is wrong with it, or BodyTooLarge."""
        raw = stream.read(self.max_bytes + 1)
        if len(raw) > self.max_bytes:
            raise BodyTooLarge(f"JSON bodies end at {self.max_bytes} bytes here.")
        return loads(raw)


def loads(raw: bytes) -> Any:
    """The value of strict JSON bytes; raises InvalidInput."""
    if sum(raw.count(sign) for sign in (b",", b"[", b"{")) > MAX_PARTS:
        raise InvalidInput("The body has more parts than any route reads.")
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_int=_bounded_int,
            parse_float=_finite_float,
        )
    except UnicodeDecodeError as error:
        raise InvalidInput("The body is not UTF-8.") from error
    except RecursionError as error:
        raise _too_deep() from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidInput(f"The body is not JSON: {error.msg} at {where}.") from error
    _check(value)
    return value


def _too_deep() -> InvalidInput:
    return InvalidInput(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # set.add in a condition
        raise InvalidInput(
            f"The field {_shown(twice)} stands twice in one object.", details={_shown(twice): ["twice"]}
        )
    return found


def _refuse_constant(name: str) -> None:
    raise InvalidInput(f"{name} is not JSON.")


def _bounded_int(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_DIGITS or not -(2**63) <= int(digits) < 2**63:
        raise InvalidInput(f"The number {digits[:24]}… is out of range (64 bits).")
    return int(digits)


def _finite_float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise InvalidInput(f"The number {digits[:24]} is out of range.")
    return number


def _check(root: Any) -> None:
    """Walk the value without recursion: depth, NUL, surrogates."""
    level, depth = [root], 0
    while level:
        for value in level:
            if isinstance(value, str):
                _check_text(value)
        if depth == MAX_DEPTH and any(isinstance(value, dict | list) for value in level):
            raise _too_deep()
        level, depth = [child for value in level for child in _children(value)], depth + 1


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else []


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise InvalidInput(f"The text {_shown(text)} holds a NUL character.")
    if SURROGATE.search(text):
        raise InvalidInput(f"The text {_shown(text)} holds half of a surrogate pair.")


def _shown(text: str) -> str:
    """A text fit for an error message: short, printable, encodable."""
    return text[:64].encode("unicode_escape").decode("ascii")
