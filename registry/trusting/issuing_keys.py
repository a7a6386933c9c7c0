"""The public keys of issuers: fetched from the issuer itself, kept for ten minutes, asked for anew once a minute."""

import json
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache

from accounts.id_tokens import IdTokenRefused
from registry import outgoing
from registry.errors import InvalidInput, Unavailable
from registry.models import TrustedPublisher
from registry.outgoing import Allowance, Limits, Request
from registry.trusting.providers import PROVIDERS, Provider

KEPT_SECONDS = 600
AGAIN_SECONDS = 60
MOST_KEYS = 100
LIMITS = Limits(connect=5, read=5, total=10, size=256 * 1024)
KNOWN = frozenset({"https://token.actions.githubusercontent.com", "https://gitlab.com", "https://oidc.circleci.com"})


def issuers() -> dict[str, Provider]:
    """The issuers that this installation listens to, and what house each belongs to."""
    pairs = (entry.strip().partition("=") for entry in settings.TRUSTED_ISSUERS if entry.strip())
    return {url.strip().rstrip("/"): PROVIDERS[slug.strip()] for slug, _, url in pairs}


def house_of(issuer: str) -> Provider | None:
    """The house that the issuer belongs to; an organization's own issuer is listened to where it is trusted."""
    if issuer in issuers():
        return issuers()[issuer]
    house = issuers().get(_base(issuer))
    is_own = house is not None and bool(house.organization)
    return house if is_own and TrustedPublisher.objects.filter(issuer=issuer).exists() else None


def _base(issuer: str) -> str:
    """Without the organization, where the issuer is that of one."""
    return issuer.rpartition("/org/")[0] or issuer


def default_issuer(provider: Provider) -> str:
    """The first issuer of the house; raises InvalidInput where this installation listens to none of it."""
    found = next((url for url, house in issuers().items() if house is provider), None)
    if found is None:
        raise InvalidInput(f"Pipelines of {provider.label} are not trusted here. Ask the people who run this portal.")
    return found


def key_of(issuer: str, kid: str) -> dict[str, Any]:
    """The issuer's key of that id. Raises IdTokenRefused where it has none, Unavailable where it does not answer.

    Call it outside of transactions. An unknown id makes the issuer be asked again, at most once a minute.
    """
    name = f"issuer-keys:{issuer}"
    keys = cache.get(name)
    if keys is None or (kid not in keys and cache.add(f"{name}:again", 1, AGAIN_SECONDS)):
        keys = _fetch(issuer)
        cache.set(name, keys, KEPT_SECONDS)
    if kid not in keys:
        raise IdTokenRefused("its issuer has no such key")
    found: dict[str, Any] = keys[kid]
    return found


def _fetch(issuer: str) -> dict[str, dict[str, Any]]:
    description = _document(issuer, f"{issuer}/.well-known/openid-configuration")
    address = description.get("jwks_uri")
    if description.get("issuer") != issuer or not isinstance(address, str) or _origin(address) != _origin(issuer):
        raise Unavailable(f"{issuer} describes itself as somebody else.")
    keys = _document(issuer, address).get("keys")
    if not isinstance(keys, list) or len(keys) > MOST_KEYS:
        raise Unavailable(f"{issuer} tells no keys.")
    told = [one for one in keys if isinstance(one, dict) and isinstance(one.get("kid"), str)]
    return {one["kid"]: one for one in told}


def _document(issuer: str, url: str) -> dict[str, Any]:
    """Issuers that the operator has named themselves may stand in the operator's own network."""
    own = _base(issuer) not in KNOWN
    allowance = Allowance(http=own and issuer.startswith("http://"), private=own)
    with outgoing.opened(Request(url, allowance=allowance, limits=LIMITS)) as answer:
        if answer.status != 200:
            raise Unavailable(f"{issuer} answered {answer.status}.")
        try:
            value = json.loads(answer.read())
        except (ValueError, RecursionError):
            raise Unavailable(f"{issuer} answered what is no JSON.") from None
    if not isinstance(value, dict):
        raise Unavailable(f"{issuer} answered what is no JSON object.")
    return value


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
