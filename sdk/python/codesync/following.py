"""Watching a version from its upload to the decision."""

import time
from collections.abc import Callable
from enum import StrEnum

from codesync.answers import Version
from codesync.errors import ApiError
from codesync.packages import Packages
from codesync.retrying import Wait, pause
from codesync.wanted import purl_of

OPEN = frozenset({"pending", "running"})
AT_DOWNLOAD = frozenset({"visibility", "entitlement", "retirement", "decision"})  # asked of the caller, not of it
FIRST, SLOWEST = 0.3, 3.0


class Outcome(StrEnum):
    """Where a version stands."""

    APPROVED = "approved"
    HELD = "held"
    REJECTED = "rejected"
    QUARANTINED = "quarantined"
    CHECKING = "checking"


def outcome_of(packages: Packages, version: Version) -> Outcome:
    """Where it stands. What waits with every check done is held where a gate of its approval says so.

    Where none does, it is about to be decided: the portal writes the decision a moment after the last check.
    """
    if version["status"] != "pending":
        return Outcome(version["status"])
    if any(check["status"] in OPEN for check in version["checks"]):
        return Outcome.CHECKING
    return Outcome.HELD if _is_objected_to(packages, version) else Outcome.CHECKING


def _is_objected_to(packages: Packages, version: Version) -> bool:
    try:
        said = packages.explain(purl_of(version["ecosystem"], version["name"], version["version"]))
    except ApiError:
        return bool(version["held_because"])
    return any(one["answer"] != "allow" for one in said["verdicts"] if one["gate"] not in AT_DOWNLOAD)


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
    """Ask until it is decided or held, at most `patience` seconds; `changed` sees every answer."""
    until, every = time.monotonic() + patience, FIRST
    while True:
        seen = packages.version(name, version, ecosystem=ecosystem)
        changed(seen)
        outcome = outcome_of(packages, seen)
        if outcome is not Outcome.CHECKING or time.monotonic() + every > until:
            return outcome, seen
        wait(every)
        every = min(every * 1.3, SLOWEST)
