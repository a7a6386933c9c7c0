"""Places in a version order as text that may be stored: it sorts by code point as the keys do.

Nothing that may follow a complete text is as low as `LAST`, so a text with it sorts after its version and before the
next one. Whoever changes what any `sort_text` returns raises `SCHEME`, so that stored texts are not believed any more.
"""

SCHEME = 1
LAST = "!"


def of_number(number: int) -> str:
    """A number: how many digits, then the digits."""
    digits = str(number)
    return chr(47 + len(digits)) + digits


def of_word(word: str) -> str:
    """A word of characters above `LAST`; the end of it comes before any further letter."""
    return word + LAST


def is_plain(word: str) -> bool:
    """Whether all characters are above `LAST`, and none is one that databases do not keep."""
    return min(word, default="~") > LAST and word.isprintable()
