"""Semantic versions, read by `semver`, and npm's range language on top, after the node-semver 7 grammar.

The ranges are own code because the Python ports backtrack on hostile input and misjudge pre-releases under
`includePrerelease`; this takes time linear in the text.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import semver

from registry.ecosystems.naming import invalid_range, shorten
from registry.ecosystems.sort_texts import of_digits, of_number, of_word

MAX_LENGTH = 256
MAX_NUMBER = 2**53 - 1

_LOOSE = re.compile(r"[v= ]*(\d+)\.(\d+)\.(\d+)(?:-?([0-9A-Za-z-][0-9A-Za-z.-]*))?(?:\+[0-9A-Za-z.-]+)?", re.ASCII)
_PARTIAL = re.compile(
    r"(~>?|\^|[<>]?=?)[v=]*(\d+|[xX*])(?:\.(\d+|[xX*])(?:\.(\d+|[xX*])(?:-?([0-9A-Za-z-][0-9A-Za-z.-]*))?)?)?"
    r"(?:\+[0-9A-Za-z.-]+)?",
    re.ASCII,
)
_AFTER_OPERATOR = re.compile(r"([<>=~^]) ")

Identifier = tuple[int, int, str]
Key = tuple[int, int, int, int, tuple[Identifier, ...]]


@dataclass(frozen=True, slots=True)
class Version:
    """A parsed version; build metadata is dropped, because it never takes part in order or identity."""

    major: int
    minor: int
    patch: int
    pre: str = ""
    key: Key = field(init=False, compare=False)  # the precedence of SemVer 2.0.0 section 11

    def __post_init__(self) -> None:
        key = (self.major, self.minor, self.patch, 0 if self.pre else 1, _identifiers(self.pre))
        object.__setattr__(self, "key", key)

    @property
    def sort_text(self) -> str:
        """The key as text: see `sort_texts`."""
        release = text_of_release(map(str, self.key[:3]))
        if not self.pre:
            return release
        identifiers = (f"1{of_word(word)}" if kind else f"0{of_number(number)}" for kind, number, word in self.key[4])
        return release[:-1] + "".join(identifiers)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}" + (f"-{self.pre}" if self.pre else "")


def text_of_release(numbers: Iterable[str]) -> str:
    """The text of a version without pre-release: it comes after all that have one."""
    return "".join([of_digits(one) for one in numbers]) + "~"


def _identifiers(pre: str) -> tuple[Identifier, ...]:
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre.split(".")) if pre else ()


def parse(text: str, *, loose: bool = False) -> Version | None:
    """The version that `text` spells, or None; `loose` also takes `=1.2.3`, `01.2.3` and `1.2.3beta`."""
    return _parse(text, loose) if len(text) <= MAX_LENGTH else None


@lru_cache(maxsize=16384)
def _parse(text: str, loose: bool) -> Version | None:
    found = _read_loose(text.strip()) if loose else _read_strict(text.strip())
    return found if found and max(found.major, found.minor, found.patch) <= MAX_NUMBER else None


def _read_strict(text: str) -> Version | None:
    plain = text.removeprefix("v")
    if not plain.isascii() or not semver.Version.is_valid(plain):
        return None
    found = semver.Version.parse(plain)
    return Version(found.major, found.minor, found.patch, found.prerelease or "")


def _read_loose(text: str) -> Version | None:
    match = _LOOSE.fullmatch(text)
    if match is None or "" in (match[4] or "0").split("."):
        return None
    return Version(int(match[1]), int(match[2]), int(match[3]), match[4] or "")


@dataclass(frozen=True, slots=True)
class Comparator:
    """One bound: an operator (`""` is equality) and a version; `version` None stands for anything."""

    operator: str
    version: Version | None

    def allows(self, key: Key) -> bool:
        """Whether a version of this key is on the right side of the bound."""
        if self.version is None:
            return True
        bound = self.version.key
        match self.operator:
            case ">":
                return key > bound
            case ">=":
                return key >= bound
            case "<":
                return key < bound
            case "<=":
                return key <= bound
        return key == bound

    @property
    def is_impossible(self) -> bool:
        """Nothing is below the lowest of all versions: npm's spelling of the empty set."""
        return self.operator == "<" and str(self.version) == "0.0.0-0"

    def __str__(self) -> str:
        return "" if self.version is None else f"{self.operator}{self.version}"


ANY = Comparator("", None)
NOTHING = Comparator("<", Version(0, 0, 0, "0"))


class Range:
    """A range as npm reads it: alternatives of bounds, with its rule for pre-releases."""

    def __init__(self, text: str) -> None:
        self.text = collapse(text)
        self._plain = _alternatives(self.text, all_pre=False)

    @cached_property
    def _with_pre(self) -> tuple[tuple[Comparator, ...], ...]:
        return _alternatives(self.text, all_pre=True)

    def contains(self, version: str, *, prerelease: bool = False) -> bool:
        """Whether the version satisfies the range; without the flag a pre-release needs a bound of its own triple."""
        parsed = parse(version, loose=True)
        if parsed is None:
            return False
        sets = self._with_pre if prerelease else self._plain
        return any(_satisfies(parsed, bounds, prerelease) for bounds in sets)

    def canonical(self, *, prerelease: bool = False) -> str:
        """The range spelled with plain bounds, as node-semver prints it (`*` for anything)."""
        sets = self._with_pre if prerelease else self._plain
        return "||".join(" ".join(map(str, bounds)).strip() for bounds in sets) or "*"


def _satisfies(version: Version, bounds: tuple[Comparator, ...], prerelease: bool) -> bool:
    key = version.key
    if not all(bound.allows(key) for bound in bounds):
        return False
    if prerelease or not version.pre:
        return True
    return any(
        bound.version is not None and bound.version.pre and bound.version.key[:3] == key[:3] for bound in bounds
    )


def collapse(text: str) -> str:
    """The text with single blanks; raises InvalidInput beyond the cap that keeps every range cheap."""
    if len(text) > MAX_LENGTH:
        raise invalid_range(text, f"it is longer than {MAX_LENGTH} characters")
    return " ".join(text.split())


def _alternatives(text: str, *, all_pre: bool) -> tuple[tuple[Comparator, ...], ...]:
    sets = [_conjunction(part.strip(), text, all_pre) for part in text.split("||")]
    possible = [bounds for bounds in sets if not bounds[0].is_impossible] or sets[:1]
    unbounded = next((bounds for bounds in possible if bounds == (ANY,)), None)
    return (unbounded,) if unbounded else tuple(possible)


def _conjunction(part: str, text: str, all_pre: bool) -> tuple[Comparator, ...]:
    low, dash, high = part.partition(" - ")
    if dash:
        bounds = [*_from(_partial(low, text), all_pre), *_to(_partial(high, text), all_pre)]
    else:
        tokens = _AFTER_OPERATOR.sub(r"\1", _AFTER_OPERATOR.sub(r"\1", part)).split(" ")
        bounds = [bound for token in tokens for bound in _token(token, text, all_pre)]
    floor = Comparator(">=", Version(0, 0, 0, "0" if all_pre else ""))
    bounds = [ANY if bound == floor else bound for bound in bounds]
    if any(bound.is_impossible for bound in bounds):
        return (NOTHING,)
    return tuple(dict.fromkeys(bound for bound in bounds if bound != ANY)) or (ANY,)


@dataclass(frozen=True, slots=True)
class _Partial:
    """A version with holes: `1.x` has major 1 and minor None."""

    operator: str
    major: int | None
    minor: int | None
    patch: int | None
    pre: str


def _partial(token: str, text: str) -> _Partial:
    match = _PARTIAL.fullmatch(token.strip())
    if match is None or "" in (match[5] or "0").split("."):
        raise invalid_range(text, f"“{shorten(token)}” cannot be read")
    major, minor, patch = (None if part in (None, "x", "X", "*") else int(part) for part in match.group(2, 3, 4))
    if (major is None and (minor, patch) != (None, None)) or (minor is None and patch is not None):
        raise invalid_range(text, f"“{shorten(token)}” has a number after a hole")
    # npm computes the next number for an upper bound, so the highest of all leaves no room for one
    if max(major or 0, minor or 0, patch or 0) >= MAX_NUMBER + (match[1] in ("", "=", "<", ">=", ">", "<=")):
        raise invalid_range(text, "a number in it is too big")
    return _Partial(match[1], major, minor, patch, match[5] or "")


def _at(part: _Partial, pre: str) -> Version:
    return Version(part.major or 0, part.minor or 0, part.patch or 0, pre)


def _after(part: _Partial, level: str) -> Version:
    """The first version (its lowest pre-release included) that no longer shares `level` with the part."""
    major, minor, patch = part.major or 0, part.minor or 0, part.patch or 0
    if level == "major":
        return Version(major + 1, 0, 0, "0")
    return Version(major, minor + 1, 0, "0") if level == "minor" else Version(major, minor, patch + 1, "0")


def _from(part: _Partial, all_pre: bool) -> list[Comparator]:
    if part.major is None:
        return [ANY]
    return [Comparator(">=", _at(part, part.pre if part.patch is not None and part.pre else "0" if all_pre else ""))]


def _to(part: _Partial, all_pre: bool) -> list[Comparator]:
    if part.major is None:
        return [ANY]
    if part.patch is None:
        return [Comparator("<", _after(part, "major" if part.minor is None else "minor"))]
    if all_pre and not part.pre:
        return [Comparator("<", _after(part, "patch"))]
    return [Comparator("<=", _at(part, part.pre))]


def _token(token: str, text: str, all_pre: bool) -> list[Comparator]:
    if token in ("", "~", "~>", "^", "=", ">=", "<="):
        return [ANY]
    part = _partial(token, text)
    if part.operator in ("~", "~>"):
        return _bracket(part, "major" if part.minor is None else "minor", all_pre)
    if part.operator == "^":
        return _bracket(part, _caret_level(part), all_pre)
    if part.major is None:
        return [NOTHING] if part.operator in ("<", ">") else [ANY]
    if part.patch is None:
        return _open_ended(part, all_pre)
    return [Comparator("" if part.operator == "=" else part.operator, _at(part, part.pre))]


def _bracket(part: _Partial, level: str, all_pre: bool) -> list[Comparator]:
    if part.major is None:
        return [ANY]
    pre = part.pre if part.patch is not None else "0" if all_pre else ""
    return [Comparator(">=", _at(part, pre)), Comparator("<", _after(part, level))]


def _caret_level(part: _Partial) -> str:
    if part.major or part.minor is None:
        return "major"
    return "patch" if part.minor == 0 and part.patch is not None else "minor"


def _open_ended(part: _Partial, all_pre: bool) -> list[Comparator]:
    level = "major" if part.minor is None else "minor"
    pre = "0" if all_pre else ""
    beyond = _after(part, level)
    match part.operator:
        case ">":
            return [Comparator(">=", Version(beyond.major, beyond.minor, beyond.patch, pre))]
        case "<=":
            return [Comparator("<", Version(beyond.major, beyond.minor, beyond.patch, "0"))]
        case "<":
            return [Comparator("<", _at(part, "0"))]
        case ">=":
            return [Comparator(">=", _at(part, pre))]
    return [Comparator(">=", _at(part, pre)), Comparator("<", beyond)]
