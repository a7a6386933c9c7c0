"""Counting requests in fixed windows, in the Redis that all processes share (without one: in this process)."""

import ipaddress
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.core.cache import cache
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

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
    def seconds_left(self) -> int:
        """How long the window goes on, at least a second."""
        return max(1, self.reset - int(time.time()))

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
    key = f"rate:{subject}:{rate.seconds}:{int(time.time() // rate.seconds)}"
    return _asked(lambda: int((_redis(settings.REDIS_URL) if settings.REDIS_URL else cache).get(key) or 0))


def _incremented(key: str, seconds: int) -> int:
    """The counter after adding one, atomically; 0 while the store is down."""
    return _asked(lambda: _in_redis(key, seconds) if settings.REDIS_URL else _in_cache(key, seconds))


def _asked(question: Callable[[], int]) -> int:
    """The answer of the store; 0 while it is down, without waiting for it on every request."""
    global _silent_until  # one switch for the process
    if time.monotonic() < _silent_until:
        return 0
    try:
        return question()
    except (RedisError, OSError):
        _silent_until = time.monotonic() + PAUSE_AFTER_FAILURE
        logger.warning("Redis does not answer: requests are not limited for %s seconds.", PAUSE_AFTER_FAILURE)
        return 0


def _in_redis(key: str, seconds: int) -> int:
    """One round trip, where Django's cache needs two; it counts on every request."""
    client = _redis(settings.REDIS_URL)
    number = int(client.incr(key))
    if number == 1:
        client.expire(key, seconds + 60)
    return number


def _in_cache(key: str, seconds: int) -> int:
    """The same within this process; whoever loses the race to begin increments too."""
    try:
        return int(cache.incr(key))
    except ValueError:
        return 1 if cache.add(key, 1, seconds + 60) else int(cache.incr(key))


@lru_cache(maxsize=4)
def _redis(url: str) -> Redis:
    """The connection pool of this process."""
    patience = Retry(NoBackoff(), 1)
    return Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5, retry=patience)


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
