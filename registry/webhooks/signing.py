"""Signing messages by the Standard Webhooks specification 1.0: HMAC-SHA256 over `id.timestamp.body`."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX, LENGTH = "whsec_", 32


def new_secret() -> str:
    """256 bits of chance, as receivers' libraries take them."""
    return PREFIX + base64.b64encode(secrets.token_bytes(LENGTH)).decode()


def headers(message_id: str, body: bytes, at: int, keys: Iterable[str]) -> dict[str, str]:
    """The three headers of an attempt at that second (since the epoch), with one signature for each of the secrets."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(_signature(message_id, body, at, key) for key in keys),
    }


def _signature(message_id: str, body: bytes, at: int, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    said = f"{message_id}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, said, hashlib.sha256)).decode()
