"""The value of a licence key: made by chance or given by its seller, kept so that no dump of the database is a key."""

import re
import secrets

from accounts import sealing
from accounts.tokens import PREFIX as TOKEN_PREFIX
from registry.errors import InvalidInput

PURPOSE = "licensing.keys"
# No I, L, O, U, 0 or 1: what is read aloud is written down right.
ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
GROUPS, LETTERS = 6, 5
SHORTEST, LONGEST = 8, 128
FORM = re.compile(rf"[A-Za-z0-9-]{{{SHORTEST},{LONGEST}}}", re.ASCII)


def random_key() -> str:
    """A new key: six groups of five out of 30 letters, 147 bits of chance, 122 without the group that is shown."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(LETTERS)) for _ in range(GROUPS))
    return "-".join(groups)


def looks_like_key(raw: str) -> bool:
    """Whether it has the form of a key; anything else is refused without a query."""
    return FORM.fullmatch(raw) is not None


def check(raw: str) -> str:
    """The key that somebody gave, or InvalidInput: it must fit into a header, and be told from a token."""
    if not looks_like_key(raw) or raw.startswith(TOKEN_PREFIX):
        why = f"A key has {SHORTEST} to {LONGEST} characters: letters, digits and hyphens."
        raise InvalidInput(why, details={"key": [why]})
    return raw


def digests(raw: str) -> list[str]:
    """What the key may be found under: today's digest first, then those of older secret keys."""
    return sealing.digests(raw, PURPOSE)


def seal(raw: str) -> dict[str, str]:
    """The columns that keep the key: digest, encrypted value, and its end, at most a quarter of it."""
    return {
        "digest": digests(raw)[0],
        "sealed": sealing.seal(raw, PURPOSE),
        "ending": raw[-min(LETTERS, len(raw) // 4) :],
    }


def unseal(sealed: str) -> str:
    """The key; "" where another SECRET_KEY sealed it."""
    return sealing.unseal(sealed, PURPOSE)
