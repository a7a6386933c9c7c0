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


@dataclass(frozen=True, slots=True)
class Span:
    """Versions from `since` on ("" for the first), up to `before` without it, or `last` with it, else without end."""

    since: str = ""
    before: str = ""
    last: str = ""


@dataclass(frozen=True, slots=True)
class Weakness:
    """A flaw of one package that no waiver of who asks covers in all the versions that they use.

    `touched` are those of the versions in use; `spans` and `singles` all that are known to have it, where none of
    those in use is waived.
    """

    identifier: str
    package: str
    title: str
    url: str
    severity: str  # critical, high, medium, low or unknown
    touched: tuple[str, ...]
    fixed_in: str = ""
    spans: tuple[Span, ...] = ()
    singles: tuple[str, ...] = ()
    names: tuple[str, ...] = ()  # the others that it goes by
    cvss: float | None = None
    vector: str = ""
    cwe: tuple[str, ...] = ()


def on_flaws(parts: Sequence[Part], actor: Actor) -> list[Weakness]:
    """What advisories say against these parts, the gravest first; nothing of what stands here about them is told."""
    advise = import_string(settings.REGISTRY_ADVICE["flaws"])
    found: list[Weakness] = advise(parts, actor)
    return found


def on_licenses(license: str, parts: Sequence[Part], actor: Actor) -> LicenseAdvice:
    """May a work under `license` take in these parts, as far as the actor may know them? Two queries for 400 parts."""
    advise = import_string(settings.REGISTRY_ADVICE["licenses"])
    found: LicenseAdvice = advise(license, parts, actor)
    return found
