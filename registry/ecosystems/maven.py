"""Maven: `group:artifact` names, ComparableVersion order, bracketed ranges."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.ecosystems import maven_order, natural
from registry.ecosystems.base import Package
from registry.ecosystems.indexes import Index, IndexDocument
from registry.ecosystems.naming import invalid_name, invalid_range, invalid_version, purl, refuse_reserved
from registry.ecosystems.sort_texts import numbers_of, without_zeros
from registry.errors import Refused

MAX_NAME = 300

_PART = r"[A-Za-z0-9_-](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?"
_NAME = re.compile(rf"({_PART}):({_PART})", re.ASCII)
_ORDERED = re.compile(r"[^\s/\\:\[\](),]{1,256}")  # what Maven would put in order
_VERSION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,255}", re.ASCII)  # what may be published
_PRE = re.compile(
    r"(?:^|[.\-_0-9])(?:alpha|beta|milestone|rc|cr|snapshot|[abm](?=[.-]?[0-9]))(?![a-z])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Interval:
    """Versions between two bounds; a bound of None is open."""

    low: str | None
    low_inclusive: bool
    high: str | None
    high_inclusive: bool

    def contains(self, version: str) -> bool:
        """Whether the version lies between the bounds."""
        here = maven_order.key(version)
        if self.low is not None:
            low = maven_order.key(self.low)
            if here < low or (here == low and not self.low_inclusive):
                return False
        if self.high is not None:
            high = maven_order.key(self.high)
            if here > high or (here == high and not self.high_inclusive):
                return False
        return True


class MavenRange:
    """Sets in brackets; or a soft requirement such as `1.0`, which recommends one version and forbids none."""

    def __init__(self, text: str) -> None:
        if len(text) > maven_order.MAX_LENGTH:
            raise invalid_range(text, f"it is longer than {maven_order.MAX_LENGTH} characters")
        self.text = text.strip()
        self.recommended = ""
        self.intervals: list[Interval] = []
        if self.text.startswith(("[", "(")):
            self._parse_sets()
        elif _VERSION.fullmatch(self.text):
            self.recommended = self.text
        else:
            raise invalid_range(text, "Maven ranges look like “[1.0,2.0)” or “1.0”")

    def _parse_sets(self) -> None:
        rest = self.text
        while rest:
            end = re.search(r"[\])]", rest)
            if not rest.startswith(("[", "(")) or end is None:
                raise invalid_range(self.text, "every set needs an opening and a closing bracket")
            self.intervals.append(self._interval(rest[: end.end()]))
            rest = rest[end.end() :].strip()
            rest = rest.removeprefix(",").strip() if rest.startswith(",") and rest != "," else rest
        for before, after in zip(self.intervals, self.intervals[1:], strict=False):
            if before.high is None or after.low is None or maven_order.key(after.low) < maven_order.key(before.high):
                raise invalid_range(self.text, "its sets overlap or are out of order")

    def _interval(self, text: str) -> Interval:
        low_inclusive, high_inclusive = text[0] == "[", text[-1] == "]"
        bounds = [part.strip() for part in text[1:-1].split(",")]
        if len(bounds) > 2 or not all(part == "" or _ORDERED.fullmatch(part.removesuffix(".*")) for part in bounds):
            raise invalid_range(self.text, f"“{text}” has no two versions as bounds")
        if len(bounds) == 1:
            return self._single(bounds[0], low_inclusive and high_inclusive)
        low, high = (part or None for part in bounds)
        if low is not None and high is not None:
            self._check_order(low, high, low_inclusive and high_inclusive)
        return Interval(low, low_inclusive, high, high_inclusive)

    def _single(self, version: str, inclusive: bool) -> Interval:
        if not version or not inclusive:
            raise invalid_range(self.text, "a single version stands in square brackets")
        if match := re.fullmatch(r"((?:[0-9]+\.)*)([0-9]+)\.\*", version):
            prefix, last = match[1], match[2]
            return Interval(f"{prefix}{last}-alpha-snapshot", True, f"{prefix}{int(last) + 1}-alpha-snapshot", False)
        return Interval(version, True, version, True)

    def _check_order(self, low: str, high: str, inclusive: bool) -> None:
        lower, upper = maven_order.key(low), maven_order.key(high)
        if lower > upper or (lower == upper and not inclusive):
            raise invalid_range(self.text, f"nothing lies between {low} and {high}")

    def contains(self, version: str, *, prerelease: bool = False) -> bool:
        """Whether a set holds the version; Maven has no rule of its own for pre-releases."""
        if not _ORDERED.fullmatch(version):
            return False
        return bool(self.recommended) or any(interval.contains(version) for interval in self.intervals)


class Maven:
    """The rules of Maven artifacts."""

    slug = "maven"
    label = "Maven"
    osv_name = "Maven"

    def normalize_name(self, name: str) -> str:
        """As it stands: group and artifact are case-sensitive."""
        return name.strip()

    def check_name(self, name: str) -> None:
        """Raise InvalidInput unless the name is `group:artifact`."""
        if len(name) > MAX_NAME:
            raise invalid_name("Maven", name, f"it is longer than {MAX_NAME} characters")
        if not _NAME.fullmatch(name) or ".." in name:
            raise invalid_name("Maven", name, "write group:artifact, as in org.acme:core")
        refuse_reserved(name)

    def scope_of(self, name: str) -> str:
        """The group."""
        return name.partition(":")[0] if ":" in name else ""

    def canonical_version(self, version: str) -> str:
        """The shortest spelling of the same place in the order: `1.0.0` and `1-ga` are both `1`."""
        if numbers := numbers_of(version):
            return ".".join(without_zeros(numbers))
        if not _VERSION.fullmatch(version):
            raise invalid_version("Maven", version, "use up to 256 letters, digits, “.”, “-”, “_” and “+”")
        canonical = str(maven_order.key(version))
        return canonical if maven_order.key(canonical) == maven_order.key(version) else version.lower()

    def sort_key(self, version: str) -> Any:
        """ComparableVersion order."""
        return (1, maven_order.key(version)) if _ORDERED.fullmatch(version) else (0, natural.key(version))

    def sort_text(self, canonical: str) -> str | None:
        """ComparableVersion order, for versions of numbers and qualifiers that begin with a number."""
        if numbers := numbers_of(canonical):
            return maven_order.text_of_numbers([] if canonical == "0" else numbers)
        return maven_order.key(canonical).sort_text if _ORDERED.fullmatch(canonical) else None

    def is_prerelease(self, version: str) -> bool:
        """Alpha, beta, milestone, rc and snapshot."""
        return _ORDERED.fullmatch(version) is not None and _PRE.search(version) is not None

    def parse_range(self, text: str) -> MavenRange:
        """Bracketed sets or a soft requirement."""
        return MavenRange(text)

    def best(self, versions: Iterable[str], text: str, *, prerelease: bool = False) -> str | None:
        """The recommended version itself, else the highest in the sets."""
        wanted = self.parse_range(text)
        fitting = [version for version in versions if wanted.contains(version)]
        if wanted.recommended:
            place = self.sort_key(wanted.recommended)
            fitting = [version for version in fitting if self.sort_key(version) == place]
        return max(fitting, key=self.sort_key, default=None)

    def purl(self, name: str, version: str = "") -> str:
        """pkg:maven/org.acme/core@1.2.0."""
        group, _, artifact = name.partition(":")
        return purl("maven", group, artifact, version)

    def index_documents(self, index: Index) -> Iterable[IndexDocument]:
        """None yet: no client of it is served here."""
        return ()

    def signed_line(self, name: str, version: str, integrity: str) -> str:
        """None: no client of it checks one."""
        return ""

    def install_commands(self, name: str, source: str, sha256: str = "") -> list[tuple[str, str]]:
        """Neither Maven nor Gradle takes an artifact from the address of one file."""
        return []

    def recognizes(self, head: bytes, path: Path) -> bool:
        """Jars are not read yet."""
        return False

    def read(self, path: Path, *, filename: str = "") -> Package:
        """Always Refused: jars come in through pulls from a repository, with their POM beside them."""
        message = "Maven artifacts cannot be uploaded as one file yet. Pull them from a Maven repository instead."
        raise Refused(message, details={"entry": ["the archive"], "rule": [message]}, code="unsupported_format")
