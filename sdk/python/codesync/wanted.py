"""What people write for a package: `@acme/core`, `@acme/core@1.2.0`, `pypi:rich@13.7.1`, `pkg:npm/react@19.0.0`."""

from dataclasses import dataclass
from urllib.parse import quote, unquote

from codesync.errors import Mistake

ECOSYSTEMS = ("npm", "pypi", "maven", "docker", "generic")


@dataclass(frozen=True)
class Wanted:
    """A package, perhaps one version of it, perhaps in one ecosystem."""

    name: str
    version: str = ""
    ecosystem: str = ""

    def __str__(self) -> str:
        return f"{self.name}@{self.version}" if self.version else self.name

    def needs_version(self) -> "Wanted":
        """Itself. Raises Mistake where it names no version."""
        if not self.version:
            raise Mistake(f"Name the version, too: {self.name}@1.2.3, or {self.name}@latest.")
        return self


def read(text: str, ecosystem: str = "") -> Wanted:
    """What the text names. Raises Mistake for an unknown ecosystem and for no name at all."""
    if text.startswith("pkg:"):
        kind, _, rest = text.removeprefix("pkg:").partition("/")
        name, _, version = rest.partition("?")[0].rpartition("@") if "@" in rest[1:] else (rest, "", "")
        return _checked(unquote(name), unquote(version), kind)
    prefix, colon, rest = text.partition(":")
    if colon and prefix in ECOSYSTEMS:
        ecosystem, text = prefix, rest
    at = text.rfind("@")
    name, version = (text[:at], text[at + 1 :]) if at > 0 else (text, "")
    return _checked(name, version, ecosystem)


def purl_of(ecosystem: str, name: str, version: str) -> str:
    """The package URL of a version."""
    return f"pkg:{ecosystem}/{quote(name, safe='/')}@{quote(version, safe='')}"


def _checked(name: str, version: str, ecosystem: str) -> Wanted:
    if not name:
        raise Mistake("Name a package, such as @acme/core or pypi:rich@13.7.1.")
    if ecosystem and ecosystem not in ECOSYSTEMS:
        raise Mistake(f"There is no ecosystem {ecosystem}. It is one of {', '.join(ECOSYSTEMS)}.")
    return Wanted(name, version, ecosystem)
