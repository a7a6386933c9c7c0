"""The way out: HTTP to addresses that people typed in, without being led where they must not lead.

Feeds, upstreams and webhooks go through `fetching.opened`. Nothing else here opens connections to foreign servers.
"""

from registry.outgoing.addresses import Allowance, NotAllowed, Resolver, check, system_resolver
from registry.outgoing.answers import Answer, TooMuch
from registry.outgoing.connecting import Unreachable
from registry.outgoing.fetching import Limits, Request, opened

__all__ = [
    "Allowance",
    "Answer",
    "Limits",
    "NotAllowed",
    "Request",
    "Resolver",
    "TooMuch",
    "Unreachable",
    "check",
    "opened",
    "system_resolver",
]
