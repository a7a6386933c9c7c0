"""How often a caller may ask: requests counted in fixed windows, by counters that all processes share."""

import ipaddress
import logging
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from django.conf import settings

from accounts import counters
from accounts.actors import Actor
from accounts.errors import RegistryError

logger = logging.getLogger(__name__)

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
RATE = re.compile(r"([0-9]{1,12})/([smhd])")
SHIPPED = {"anonymous": "100/m", "free": "1200/h", "enterprise": "12000/h"}


class RateLimited(RegistryError):
    """More requests than the caller's tier allows in this window."""

    code = "rate_limited"


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds; a limit of 0 means no limit."""

    limit: int
    seconds: int


NO_LIMIT = Rate(0, 60)


@dataclass(frozen=True, slots=True)
class Count:
    """Where a caller stands in the window of the moment; `reset` is its end in seconds since the epoch."""

    limit: int
    used: int
    reset: int

    @property
    def remaining(self) -> int:
        """Requests left."""
        return max(0, self.limit - self.used)

    @property
    def seconds_left(self) -> int:
        """How long the window goes on, at least a second."""
        return max(1, self.reset - int(time.time()))

    @property
    def is_exceeded(self) -> bool:
        """Whether this request is one too many."""
        return bool(self.limit) and self.used > self.limit


def parse(text: str) -> Rate | None:
    """A rate as the settings write it: `100/m`, `1200/h`, "" for no limit; None for what is no rate."""
    if not text.strip():
        return NO_LIMIT
    match = RATE.fullmatch(text.strip())
    return Rate(int(match[1]), SECONDS[match[2]]) if match else None


def count(actor: Actor) -> Count:
    """Count one request of the actor against their project's tier, or against their address if nobody is known.

    A project's own rate goes before its tier; one that cannot be read is no rate, and a setting that cannot be read
    means the rate that ships. So a slip of the pen lifts no limit.
    """
    if actor.project is not None:
        own = _read(actor.project.rate_limit, "") if actor.project.rate_limit else None
        # each sold key for itself, so that one customer's machines do not shut out the others, or the project
        subject = f"license:{actor.credential_id}" if actor.kind == "license" else f"project:{actor.project.pk}"
        return hit(subject, own or _of_tier(actor.project.tier))
    if actor.user is not None:
        return hit(f"user:{actor.user.pk}", _of_tier("free"))
    return hit(f"address:{_network(actor.address)}", _read(settings.RATE_LIMIT_ANONYMOUS, SHIPPED["anonymous"]))


def hit(subject: str, rate: Rate) -> Count:
    """Count one more. While neither Redis nor the file of counters answers, nothing is counted and all is allowed."""
    now = time.time()
    window = int(now // rate.seconds)
    used = counters.add(_key(subject, rate, window), rate.seconds) if rate.limit else 0
    return Count(rate.limit, used, (window + 1) * rate.seconds)


def admit(tries: Iterable[tuple[str, Rate]]) -> list[str] | None:
    """Count a try before it is made: what `take_back` wants should it be no failure, or None when it is one too many.

    So of however many at once never one too many is let in. A try that is refused by one counter weighs on no other:
    the narrowest come first, and whoever is refused there cannot use up what is left to others.
    """
    now, counted = time.time(), list[str]()
    for subject, rate in tries:
        key = _key(subject, rate, int(now // rate.seconds))
        if counters.add(key, rate.seconds) > rate.limit:
            take_back(counted)
            return None
        counted.append(key)
    return counted


def take_back(counted: Iterable[str]) -> None:
    """Undo what `admit` has counted."""
    for key in counted:
        counters.take(key)


def _key(subject: str, rate: Rate, window: int) -> str:
    """Where the counter stands; it names no address and no person, since Redis and the file may outlive both."""
    who = blake2b(subject.encode("utf-8", "replace"), key=settings.SECRET_KEY.encode()[:64], digest_size=16)
    return f"rate:{who.hexdigest()}:{rate.seconds}:{window}"


def _of_tier(tier: str) -> Rate:
    """The rate of a tier, from the settings."""
    if tier == "enterprise":
        return _read(settings.RATE_LIMIT_ENTERPRISE, SHIPPED["enterprise"])
    return _read(settings.RATE_LIMIT_FREE, SHIPPED["free"])


@lru_cache(maxsize=1024)
def _read(text: str, otherwise: str) -> Any:
    """The rate that the text says, or the other where it says none; complained of once."""
    if (rate := parse(text)) is not None:
        return rate
    logger.warning("“%s” is no rate such as 100/m; %s counts in its place.", text, otherwise or "the tier's")
    return parse(otherwise) if otherwise else None


@lru_cache(maxsize=4096)
def _network(address: str) -> str:
    """What counts as one anonymous caller: an IPv4 address, or an IPv6 /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address) and not parsed.ipv4_mapped:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed.ipv4_mapped) if isinstance(parsed, ipaddress.IPv6Address) else str(parsed)
