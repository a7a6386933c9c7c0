"""What a name that people give to a thing may look like: one line, visible, not too long."""

import unicodedata

from accounts.errors import InvalidInput

LONGEST_NAME = 120
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def short_name(name: str, field: str = "name") -> str:
    """The name without outer spaces, or a refusal: empty, over 120 characters, or with invisible characters."""
    stripped = name.strip()
    if not stripped:
        raise InvalidInput("Give it a name, so that you recognise it later.", details={field: ["required"]})
    if len(stripped) > LONGEST_NAME:
        raise InvalidInput(
            f"A name has at most {LONGEST_NAME} characters.", details={field: [f"at most {LONGEST_NAME} characters"]}
        )
    if any(unicodedata.category(character) in UNSEEN for character in stripped):
        raise InvalidInput(
            "A name is one line of visible characters.", details={field: ["contains invisible characters"]}
        )
    return stripped


def storable(text: str, longest: int) -> str:
    """The text as every database can keep it: no NUL, no lone surrogates, cut to the length."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")[:longest]
