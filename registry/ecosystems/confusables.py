"""Names that people mistake for each other."""

from collections.abc import Iterator

_LOOKALIKES = str.maketrans(
    {"i": "1", "l": "1", "o": "0", "5": "s", "@": None, "/": None, "-": None, "_": None, ".": None}
)
_ALPHABET = "abcdefghjkmnpqrstuvwxyz0123456789:"
SHORT = 5


def skeleton(name: str) -> str:
    """What confusable names share: lower case, no separators, look-alike characters made one."""
    return name.lower().translate(_LOOKALIKES)


def one_edit_away(text: str) -> Iterator[str]:
    """Every skeleton that one typing slip makes of this one; none for names too short to tell."""
    if len(text) < SHORT:
        return
    for at in range(len(text) + 1):
        head, tail = text[:at], text[at:]
        if tail:
            yield head + tail[1:]
            yield from (head + letter + tail[1:] for letter in _ALPHABET if letter != tail[0])
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        yield from (head + letter + tail for letter in _ALPHABET)
