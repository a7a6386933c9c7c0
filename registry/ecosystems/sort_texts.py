"""Places in a version order as text that may be stored: it sorts by code point as the keys do.

Nothing that may follow a complete text is as low as `LAST`, so a text with it sorts after its version and before the
next one. Whoever changes what any `sort_text` returns raises `SCHEME`, so that stored texts are not believed any more.
"""

import re

SCHEME = 1
LAST = "!"

_PLAIN = re.compile(r"(?:0|[1-9][0-9]{0,14})(?:\.(?:0|[1-9][0-9]{0,14})){0,7}")


def of_number(number: int) -> str:
    """A number: how many digits, then the digits."""
    return of_digits(str(number))


def of_digits(digits: str) -> str:
    """A number whose digits are given, without zeros before them."""
    return chr(47 + len(digits)) + digits


def numbers_of(version: str) -> list[str] | None:
    """The digits of a version of up to eight plain numbers, as most are; None for others, which take parsing."""
    return version.split(".") if _PLAIN.fullmatch(version) else None


def without_zeros(numbers: list[str]) -> list[str]:
    """The numbers, at least one, without zeros at the end."""
    last = next((place for place in range(len(numbers), 1, -1) if numbers[place - 1] != "0"), 1)
    return numbers[:last]


def of_word(word: str) -> str:
    """A word of characters above `LAST`; the end of it comes before any further letter."""
    return word + LAST


def is_plain(word: str) -> bool:
    """Whether all characters are above `LAST`, and none is one that databases do not keep."""
    return min(word, default="~") > LAST and word.isprintable()
