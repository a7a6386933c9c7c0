"""Watching a version from its upload to the decision."""

import time
from collections.abc import Callable
from enum import StrEnum

from codesync.answers import Version
from codesync.packages import Packages
from codesync.retrying import Wait, pause

OPEN = frozenset({"pending", "running"})
FIRST, SLOWEST = 0.3, 3.0


class Outcome(StrEnum):
    """Where a version stands."""

    APPROVED = "approved"
    HELD = "held"
    REJECTED = "rejected"
    QUARANTINED = "quarantined"
    CHECKING = "checking"


def outcome_of(version: Version) -> Outcome:
    """Where it stands; what waits with every check done is held."""
    if version["status"] != "pending":
        return Outcome(version["status"])
    if version["held_because"]:
        return Outcome.HELD
    return Outcome.CHECKING


def follow(
    packages: Packages,
    name: str,
    version: str,
    *,
    ecosystem: str = "",
    patience: float = 300.0,
    changed: Callable[[Version], object] = lambda _: None,
    wait: Wait = pause,
) -> tuple[Outcome, Version]:
    """Ask until it is decided or held, at most `patience` seconds; `changed` sees every answer.

    A version whose checks are done but of which nothing is said yet counts as held at the third such answer.
    """
    until, every, quiet = time.monotonic() + patience, FIRST, 0
    while True:
        seen = packages.version(name, version, ecosystem=ecosystem)
        changed(seen)
        outcome = outcome_of(seen)
        are_done = all(check["status"] not in OPEN for check in seen["checks"])
        quiet = quiet + 1 if are_done else 0
        if outcome is Outcome.HELD and not are_done:
            outcome = Outcome.CHECKING
        if outcome is Outcome.CHECKING and quiet >= 3:
            outcome = Outcome.HELD
        if outcome is not Outcome.CHECKING or time.monotonic() + every > until:
            return outcome, seen
        wait(every)
        every = min(every * 1.3, SLOWEST)
