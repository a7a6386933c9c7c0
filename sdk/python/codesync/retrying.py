"""How long to wait before asking again: exponential, with jitter, and as long as the portal says."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

AGAIN = frozenset({429, 500, 502, 503, 504})
UNTOUCHED = frozenset({429, 503})  # the portal did nothing yet, so that even a write may be sent again
Wait = Callable[[float], object]


def pause(seconds: float) -> None:
    """Wait, and be woken by Ctrl-C."""
    threading.Event().wait(seconds)


@dataclass(frozen=True)
class Patience:
    """How often to ask (`attempts`), and the longest single wait in seconds that is still worth it (`longest`)."""

    attempts: int = 4
    first: float = 0.4
    longest: float = 60.0
    wait: Wait = field(default=pause)

    def before(self, attempt: int, retry_after: float | None) -> float | None:
        """Seconds to wait before the attempt (the second is 1); None: it is not worth it."""
        if attempt >= self.attempts or (retry_after or 0) > self.longest:
            return None
        jitter = random.uniform(0, min(self.first * 2 ** (attempt - 1), 10.0))  # noqa: S311  # spreads load, hides nothing
        return (retry_after or 0) + jitter


def seconds_of(header: str | None, now: datetime | None = None) -> float | None:
    """What Retry-After says (RFC 9110: seconds or a date), as seconds from now; None where it says nothing."""
    if not header:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())
