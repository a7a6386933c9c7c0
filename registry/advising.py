"""Advising: what other apps have to say of packages that somebody uses, here or elsewhere; nothing is stored.

`settings.REGISTRY_ADVICE` names who says it, so that those who ask and those who answer need not know each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.module_loading import import_string

from accounts.actors import Actor


@dataclass(frozen=True, slots=True)
class Part:
    """A version in use: named as its ecosystem spells it, and by the purl that it is told by."""

    ecosystem: str
    name: str
    version: str
    purl: str


@dataclass(frozen=True, slots=True)
class Clash:
    """A part whose license does not fit (`no`), or fits or not depending on how it is used (`check`)."""

    purl: str
    license: str
    answer: str
    explanation: str


@dataclass(frozen=True, slots=True)
class LicenseAdvice:
    """What the licenses of parts mean for a work under `license`: the gravest clashes first, the rest counted."""

    license: str
    source: str  # who says so
    is_readable: bool  # whether `license` names one that anything is known of
    fine: int = 0
    unknown: int = 0
    clashes: tuple[Clash, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many clashes of each answer."""
        return {word: sum(one.answer == word for one in self.clashes) for word in ("no", "check")}


def on_licenses(license: str, parts: Sequence[Part], actor: Actor) -> LicenseAdvice:
    """May a work under `license` take in these parts, as far as the actor may know them? Two queries for 400 parts."""
    advise = import_string(settings.REGISTRY_ADVICE["licenses"])
    found: LicenseAdvice = advise(license, parts, actor)
    return found
