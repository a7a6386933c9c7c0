"""Secrets that must be shown again lie encrypted, and those that are looked up lie as keyed digests.

Both under keys made from SECRET_KEY for one purpose each, so that a copy of the database alone gives nothing away.
What SECRET_KEY_FALLBACKS closed still opens and is still found.
"""

import base64
import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.encoding import force_bytes


def seal(text: str, purpose: str) -> str:
    """The text encrypted under the key of today."""
    return _vault(_secrets(), purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, purpose: str) -> str:
    """The text; "" where another SECRET_KEY closed it."""
    try:
        return _vault(_secrets(), purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return ""


def digests(text: str, purpose: str) -> list[str]:
    """What the text is looked up by, in hexadecimal: under the key of today first, then under older ones."""
    plain = text.encode("utf-8", "replace")
    return [hmac.digest(_key(secret, purpose), plain, hashlib.sha256).hex() for secret in _secrets()]


def _secrets() -> tuple[str | bytes, ...]:
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=32)
def _vault(secrets: tuple[str | bytes, ...], purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_key(secret, purpose))) for secret in secrets])


@lru_cache(maxsize=32)
def _key(secret: str | bytes, purpose: str) -> bytes:
    """A key for this purpose alone; SECRET_KEY has entropy enough to need no stretching."""
    return hmac.digest(force_bytes(secret), purpose.encode(), "sha256")
