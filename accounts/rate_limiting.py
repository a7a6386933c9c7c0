"""Counting requests in fixed windows, in the cache that all processes share."""

import ipaddress
import logging
import re
import time
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from accounts.actors import Actor
from accounts.errors import RegistryError

logger = logging.getLogger(__name__)

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
RATE = re.compile(r"(\d{1,12})/([smhd])")
PAUSE_AFTER_FAILURE = 5.0
_silent_until = 0.0


class RateLimited(RegistryError):
    """More requests than the caller's tier allows in this window."""

    code = "rate_limited"


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds; a limit of 0 means no limit."""

    limit: int
    seconds: int


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
    def is_exceeded(self) -> bool:
        """Whether this request is one too many."""
        return bool(self.limit) and self.used > self.limit


def parse(text: str) -> Rate:
    """A rate as the settings write it: `100/m`, `1200/h`; anything else means no limit."""
    match = RATE.fullmatch(text.strip())
    return Rate(int(match[1]), SECONDS[match[2]]) if match else Rate(0, 60)


def count(actor: Actor) -> Count:
    """Count one request of the actor against their project's tier, or against their address if nobody is known."""
    if actor.project is not None:
        text = actor.project.rate_limit or _of_tier(actor.project.tier)
        return hit(f"project:{actor.project.pk}", parse(text))
    if actor.user is not None:
        return hit(f"user:{actor.user.pk}", parse(settings.RATE_LIMIT_FREE))
    return hit(f"address:{_network(actor.address)}", parse(settings.RATE_LIMIT_ANONYMOUS))


def hit(subject: str, rate: Rate) -> Count:
    """Count one more; while the cache does not answer, nothing is counted and everything allowed."""
    now = time.time()
    window = int(now // rate.seconds)
    reset = (window + 1) * rate.seconds
    used = _incremented(f"rate:{subject}:{rate.seconds}:{window}", rate.seconds) if rate.limit else 0
    return Count(rate.limit, used, reset)


def used(subject: str, rate: Rate) -> int:
    """How many were counted in the window of the moment, without counting one more."""
    return int(cache.get(f"rate:{subject}:{rate.seconds}:{int(time.time() // rate.seconds)}", 0))


def _incremented(key: str, seconds: int) -> int:
    """The counter after adding one, atomically; 0 while the cache is down."""
    global _silent_until  # one switch for the process: do not wait for a dead cache on every request
    if time.monotonic() < _silent_until:
        return 0
    try:
        return _add_one(key, seconds)
    except (RedisError, OSError):
        _silent_until = time.monotonic() + PAUSE_AFTER_FAILURE
        logger.warning("The cache does not answer: requests are not limited for %s seconds.", PAUSE_AFTER_FAILURE)
        return 0


def _add_one(key: str, seconds: int) -> int:
    """Increment what is there, or begin it; whoever loses the race to begin increments too."""
    try:
        return int(cache.incr(key))
    except ValueError:
        return 1 if cache.add(key, 1, seconds + 60) else int(cache.incr(key))


def _of_tier(tier: str) -> str:
    """The rate of a tier, from the settings."""
    return str(settings.RATE_LIMIT_ENTERPRISE if tier == "enterprise" else settings.RATE_LIMIT_FREE)


def _network(address: str) -> str:
    """What counts as one anonymous caller: an IPv4 address, or an IPv6 /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address) and not parsed.ipv4_mapped:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed.ipv4_mapped) if isinstance(parsed, ipaddress.IPv6Address) else str(parsed)
