"""The terms of a sold key: what it opens, and why it does not open the rest. Pure rules, without database."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from django.utils import timezone

from accounts.actors import Objection
from registry import ecosystems
from registry.ecosystems import Range
from registry.errors import InvalidInput, Refused

LONGEST_RANGE = 256
SEMVER = "generic"  # the ecosystem that has no order of its own, and so reads ranges as SemVer has them


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed on: `constraint` is none, date (`until`) or version (`range`)."""

    constraint: str
    until: datetime | None = None
    range: str = ""
    has_fallback: bool = False
    is_suspended: bool = False

    def objection_to_all(self) -> Objection | None:
        """Why the key opens nothing at all now: it is suspended, or over without versions that stay."""
        if self.is_suspended:
            return Objection("SUSPENDED", "The licence key is suspended. Ask whoever sold it to you.")
        return self.expired() if self.is_over and not self.has_fallback else None

    def objection(self, ecosystem: str, version: str, published_at: datetime | None) -> Objection | None:
        """Why the key does not open this version; `published_at` is None for a version that is not held here."""
        if (closed := self.objection_to_all()) is not None:
            return closed
        if self.is_over and (published_at is None or self.until is None or published_at >= self.until):
            return self.expired()
        if self.constraint == "version" and not _lies_within(ecosystem, self.range, version):
            reason = f"The licence key covers the versions {self.range}, and {version[:128]} is none of them."
            return Objection("VERSION_NOT_COVERED", reason)
        return None

    @property
    def is_over(self) -> bool:
        """Whether its date has come."""
        return self.until is not None and self.until <= timezone.now()

    def expired(self) -> Objection:
        """The words for a key that is over."""
        ended = f"{self.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if self.until else ""
        kept = " Versions published before that stay available." if self.has_fallback else ""
        return Objection("EXPIRED", f"The licence key ended at {ended}.{kept}")


@lru_cache(maxsize=4096)
def parse(ecosystem: str, text: str) -> Range:
    """The range as the package's ecosystem reads it; raises InvalidInput.

    Where that has no ranges (Docker), or has them in brackets only and the text has none (Maven), as SemVer has them.
    """
    if not text.strip() or len(text) > LONGEST_RANGE:
        raise InvalidInput(f"A range of versions has 1 to {LONGEST_RANGE} characters, as in <2.0.0.")
    is_semver = ecosystem == "docker" or (ecosystem == "maven" and not text.lstrip().startswith(("[", "(")))
    return ecosystems.get(SEMVER if is_semver else ecosystem).parse_range(text)


@lru_cache(maxsize=16384)
def _lies_within(ecosystem: str, text: str, version: str) -> bool:
    try:
        return parse(ecosystem, text).contains(version)
    except (InvalidInput, Refused, ValueError):
        return False
