"""What every lockfile is made of: pins, and what is named without one; gathered within bounds."""

from dataclasses import dataclass, field

from registry import ecosystems
from registry.ecosystems.naming import shorten
from registry.errors import InvalidInput

LONGEST = 8 * 1024 * 1024  # characters
MOST_PARTS = 1_000_000
MOST_PACKAGES = 5_000
LONGEST_NAME = 255
LONGEST_LICENSE = 256
KNOWN = frozenset(rules.slug for rules in ecosystems.ALL)
FIELD = "lockfile"


@dataclass(frozen=True, slots=True)
class Pin:
    """One package in use. `doubt` says why “nothing is known against it” would not mean that it is clean."""

    ecosystem: str  # one of ours, or the type of a purl that we have no advisories for
    name: str
    version: str = ""
    doubt: str = ""
    given: str = ""  # the purl as it came

    @property
    def purl(self) -> str:
        """As it came, else as the ecosystem spells it."""
        return self.given or ecosystems.get(self.ecosystem).purl(self.name, self.version)


@dataclass(frozen=True, slots=True)
class Unnamed:
    """Something in use of which no package's name is known, or that never came from a registry."""

    text: str
    reason: str
    line: int | None = None


@dataclass(slots=True)
class Lockfile:
    """What a lockfile pins, each (package, version) once, and what in it cannot be judged."""

    pins: list[Pin] = field(default_factory=list)
    unnamed: list[Unnamed] = field(default_factory=list)
    license: str = ""  # of the work that uses them, where the lockfile names it
    _seen: set[tuple[str, str, str]] = field(default_factory=set)

    def add(self, pin: Pin, where: str) -> None:
        """Add a pin once; raises InvalidInput for names that are none, and for more packages than anybody asks of."""
        check(pin, where)
        key = (pin.ecosystem, pin.name, pin.version)
        if key in self._seen:
            return
        self._seen.add(key)
        self._count()
        self.pins.append(pin)

    def leave(self, text: str, reason: str, line: int | None = None) -> None:
        """Note what cannot be judged, so that it is not taken for clean."""
        self._count()
        self.unnamed.append(Unnamed(shorten(text, 200), reason, line))

    def _count(self) -> None:
        if len(self.pins) + len(self.unnamed) >= MOST_PACKAGES:
            raise fault(f"It names more than {MOST_PACKAGES:,} packages. Send it in parts.")


def check(pin: Pin, where: str, field: str = FIELD) -> None:
    """Raise InvalidInput unless name and version are short, visible text."""
    for what, text in (("name", pin.name), ("version", pin.version)):
        if len(text) > LONGEST_NAME or not text.isprintable():
            raise fault(
                f"The {what} “{shorten(text, 60)}” is too long, or holds invisible characters.", where, field=field
            )
    if not pin.name.strip():
        raise fault("A package has no name.", where, field=field)


def fault(message: str, where: str = "", *, field: str = FIELD) -> InvalidInput:
    """The refusal of a whole lockfile: what is wrong, and at which line or entry."""
    said = f"{where}: {message}" if where else message
    message = f"The lockfile cannot be read. {said}" if field == FIELD else said
    return InvalidInput(message, details={field: [said]})


def bounded(text: str, longest: int = LONGEST, most_parts: int = MOST_PARTS) -> str:
    """The text, without a byte order mark; raises InvalidInput for one that is longer than any lockfile."""
    if len(text) > longest:
        raise fault(f"It is longer than {longest // 1024 // 1024} MiB.")
    if sum(text.count(sign) for sign in "[{,\n") > most_parts:
        raise fault("It has more parts than any lockfile.")
    return text.removeprefix("\ufeff")


def shown(value: object) -> str:
    """A value of a lockfile as a refusal may name it."""
    return shorten(str(value)[:200], 60)


def license_text(value: object) -> str:
    """The license that a lockfile names for the whole work; "" for what is no short, visible text."""
    text = value.strip() if isinstance(value, str) else ""
    return text if len(text) <= LONGEST_LICENSE and text.isprintable() else ""


def text_of(entry: dict[str, object], key: str, where: str) -> str:
    """The text under the key, "" where there is none; raises InvalidInput where something else stands there."""
    value = entry.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise fault(f"“{key}” is no text.", where)
    return value.strip()
