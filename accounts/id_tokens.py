"""ID tokens (OpenID Connect) by which machines of others say who they are: verified strictly, and good for one use.

Where keys come from is the caller's business; nothing here asks the network.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.errors import Unauthenticated
from accounts.models import UsedIdToken

# What each may be signed with. No secret is shared with an issuer, so nothing symmetric can ever be right.
KINDS = {"RS256": "RSA", "ES256": "EC"}
LEEWAY = timedelta(seconds=30)
LONGEST_LIFE = timedelta(hours=24)
KEPT_LONGER = timedelta(hours=1)
LONGEST = 16 * 1024
SMALLEST_RSA = 2048
REQUIRED = ["iss", "sub", "aud", "exp", "iat"]


class IdTokenRefused(Unauthenticated):
    """The ID token is not to be believed; the message says why, for the log of the pipeline."""

    code = "unauthenticated"

    def __init__(self, why: str) -> None:
        super().__init__(f"The ID token is refused: {why}.", code="id_token_refused")


def head_of(raw: str) -> tuple[str, str, str]:
    """Algorithm, key id and issuer as the token itself says them: for finding the key, and for nothing else."""
    if len(raw) > LONGEST or raw.count(".") != 2:
        raise IdTokenRefused("it is no signed JWT")
    try:
        header = jwt.get_unverified_header(raw)
        issuer = jwt.decode(raw, options={"verify_signature": False}).get("iss")
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise IdTokenRefused("it cannot be read") from None
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in KINDS:
        raise IdTokenRefused(f"only {' and '.join(KINDS)} are accepted")
    if not isinstance(kid, str) or not isinstance(issuer, str):
        raise IdTokenRefused("it names no key or no issuer")
    return algorithm, kid, issuer


def verify(raw: str, jwk: Mapping[str, Any], issuer: str, audience: str, *, needs_id: bool = True) -> dict[str, Any]:
    """The claims of a token that this key of the issuer's has signed for this audience, and that is valid now.

    `needs_id` is off for issuers whose tokens have no id of their own (`jti`): then all that one says is its id.
    Raises IdTokenRefused. Clocks may differ by 30 seconds.
    """
    algorithm, _, _ = head_of(raw)
    key = _public_key(jwk, algorithm)
    try:
        claims: dict[str, Any] = jwt.decode(
            raw,
            key,
            algorithms=[algorithm],
            audience=audience,
            issuer=issuer,
            leeway=LEEWAY,
            options={"require": [*REQUIRED, *(["jti"] if needs_id else [])], "verify_iat": True, "verify_nbf": True},
        )
    except jwt.PyJWTError as problem:
        raise IdTokenRefused(str(problem).rstrip(".").lower()[:200]) from None
    except (ValueError, TypeError, OverflowError):
        raise IdTokenRefused("its claims are not what they should be") from None
    _check(claims)
    return claims


def use_up(claims: Mapping[str, Any]) -> None:
    """Note that the token was used, in the caller's transaction; raises IdTokenRefused where it was before.

    The database decides: of any number at once, one gets through.
    """
    own = claims["jti"] if "jti" in claims else json.dumps(claims, sort_keys=True)
    text = f"{claims['iss']}\n{own}"
    ends = datetime.fromtimestamp(claims["exp"], UTC) + LEEWAY + KEPT_LONGER
    try:
        with transaction.atomic():
            UsedIdToken.objects.create(digest=hashlib.sha256(text.encode()).hexdigest(), forget_at=ends)
    except IntegrityError:
        raise IdTokenRefused("it was used before") from None


def forget_used() -> int:
    """Remove the notes about tokens that nobody would believe any more; returns how many."""
    return UsedIdToken.objects.filter(forget_at__lt=timezone.now()).delete()[0]


def _public_key(jwk: Mapping[str, Any], algorithm: str) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    """The key, if it is a public one, of the right kind and strong enough for the algorithm."""
    if jwk.get("kty") != KINDS[algorithm] or jwk.get("use", "sig") != "sig" or jwk.get("alg", algorithm) != algorithm:
        raise IdTokenRefused("its key is not for that algorithm")
    try:
        key = jwt.PyJWK(dict(jwk), algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError):
        raise IdTokenRefused("its key cannot be read") from None
    is_strong = (isinstance(key, rsa.RSAPublicKey) and key.key_size >= SMALLEST_RSA) or (
        isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    )
    if not is_strong:
        raise IdTokenRefused("its key is no public key, or too weak")
    return key


def _check(claims: Mapping[str, Any]) -> None:
    if isinstance(claims["aud"], list) and len(claims["aud"]) != 1:
        raise IdTokenRefused("it is meant for several audiences")
    texts = (claims.get("jti", "none"), claims["sub"])
    if not all(isinstance(one, str) and 0 < len(one) <= 1024 for one in texts):
        raise IdTokenRefused("it names no subject or no id of its own")
    if not all(type(claims[one]) in (int, float) for one in ("exp", "iat")):
        raise IdTokenRefused("its times are no numbers")
    if claims["exp"] - claims["iat"] > LONGEST_LIFE.total_seconds():
        raise IdTokenRefused("it lives longer than a day")
