"""Query parameters, read strictly: text without NUL and of bounded length, numbers in range, known words."""

import re
from collections.abc import Collection

from django.http import HttpRequest
from rest_framework.request import Request

from accounts.api.answers import in_query
from registry.api.shapes import ECOSYSTEMS
from registry.errors import InvalidInput

FILLED = {"type": "string", "minLength": 1}
NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
ECOSYSTEM = in_query(
    "ecosystem", "Where several ecosystems hold the name; else the earliest registered", enum=ECOSYSTEMS
)


def text_of(request: Request | HttpRequest, *names: str, longest: int = 256, required: bool = False) -> str:
    """The parameter under any of its names, "" when it is missing. Raises InvalidInput."""
    given = {request.GET[name] for name in names if name in request.GET}
    if len(given) > 1:
        raise _invalid(names[0], f"Give {' or '.join(names)}, not both.")
    text = given.pop() if given else ""
    if required and not text:
        raise _invalid(names[0], f"Give the parameter {names[0]}.")
    if len(text) > longest:
        raise _invalid(names[0], f"The parameter {names[0]} is longer than {longest} characters.")
    if "\x00" in text or "\ufffd" in text:
        raise _invalid(names[0], f"The parameter {names[0]} is not valid UTF-8 text without NUL.")
    return text


def word_of(request: Request, *names: str, among: Collection[str]) -> str:
    """One of the known words, "" when it is missing; an empty one is none of them."""
    text = text_of(request, *names)
    if text not in among and any(name in request.GET for name in names):
        raise _invalid(names[0], f"Unknown {names[0]}. Choose one of {', '.join(among)}.")
    return text


def ecosystem_of(request: Request, *aliases: str) -> str:
    """The parameter `ecosystem`, or what it is also called."""
    return word_of(request, "ecosystem", *aliases, among=ECOSYSTEMS)


def number_of(request: Request, name: str, default: int, lowest: int, highest: int) -> int:
    """A whole number within its bounds; an empty one is not a number."""
    if name not in request.GET:
        return default
    text = request.GET[name]
    if not NUMBER.fullmatch(text) or not lowest <= int(text) <= highest:
        raise _invalid(name, f"Give {name} as a whole number from {lowest} to {highest:,}.")
    return int(text)


def boolean(request: Request, name: str) -> bool:
    """`true` or `false`; missing means false."""
    return word_of(request, name, among=("true", "false")) == "true"


def _invalid(name: str, message: str) -> InvalidInput:
    return InvalidInput(message, details={name: [message]})
