"""What every package ecosystem can tell about its names, versions, ranges and archives.

Pure: no Django, no database, no network. One module per ecosystem implements `Ecosystem`;
the registry asks for it by slug (`ecosystems.get("npm")`) and never branches on the name itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from registry.ecosystems.indexes import Index, IndexDocument


@dataclass(frozen=True, slots=True)
class Dependency:
    """One edge of a manifest. `kind` is runtime, optional, peer, dev or extra; `marker` its condition (PEP 508)."""

    name: str
    range: str
    kind: str = "runtime"
    marker: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A regular file inside an archive, as the strict reader saw it."""

    path: str
    size: int
    sha256: str
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a package says of itself, read from inside its archive and never from the client."""

    ecosystem: str
    name: str
    version: str
    description: str = ""
    homepage: str = ""
    repository: str = ""
    license: str = ""  # as declared: an SPDX expression, a free text, or "" when nothing is declared
    license_classifiers: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    readme: str = ""
    readme_format: str = "text"  # markdown, rst or text
    dependencies: tuple[Dependency, ...] = ()
    install_scripts: Mapping[str, str] = field(default_factory=dict)  # scripts that run at installation
    requires: str = ""  # engine or interpreter range: npm engines.node, Requires-Python
    raw: Mapping[str, Any] = field(default_factory=dict)  # the whole manifest, JSON-serialisable


@dataclass(frozen=True, slots=True)
class Package:
    """An archive that passed the strict reader, with the manifest found inside it."""

    manifest: Manifest
    kind: str  # tarball (npm), sdist, wheel, file (generic)
    filename: str  # the canonical file name: core-1.2.0.tgz
    media_type: str
    entries: tuple[Entry, ...]
    unpacked_size: int
    license_texts: Mapping[str, str] = field(default_factory=dict)  # path -> text of LICENSE-like files, bounded
    metadata: bytes = b""  # the file that installers may fetch instead of the whole one (PEP 658), byte for byte


class Range(Protocol):
    """A parsed version range."""

    def contains(self, version: str, *, prerelease: bool = False) -> bool:
        """Whether the version satisfies the range; pre-releases only where the ecosystem or the flag lets them."""


class Ecosystem(Protocol):
    """The rules of one ecosystem. Every method is pure and bounded in time for any input up to 64 KiB."""

    slug: str  # npm, pypi, maven, docker, generic
    label: str  # npm, Python, Maven, Docker, Generic
    osv_name: str  # the name OSV advisories use: npm, PyPI, Maven, "" for none

    def normalize_name(self, name: str) -> str:
        """The form names are looked up by (PEP 503 for pypi). Never raises."""

    def check_name(self, name: str) -> None:
        """Raise InvalidInput, saying why, unless the name may be registered."""

    def scope_of(self, name: str) -> str:
        """The scope as it stands in the path (`@acme-utils`, `library`, a Maven group), or ""."""

    def canonical_version(self, version: str) -> str:
        """The one spelling that equal versions share; raises InvalidInput for what is no version."""

    def sort_key(self, version: str) -> Any:
        """A key that sorts versions by the ecosystem's own order; never raises: what is no version sorts first."""

    def sort_text(self, canonical: str) -> str | None:
        """The same order among canonical versions as text (see `sort_texts`); None for those that have no text."""

    def is_prerelease(self, version: str) -> bool:
        """Whether the ecosystem calls the version a pre-release."""

    def parse_range(self, text: str) -> Range:
        """The parsed range; raises InvalidInput, naming the fault, for what is no range. Capped at 256 characters."""

    def best(self, versions: Iterable[str], text: str, *, prerelease: bool = False) -> str | None:
        """The version an installer of this ecosystem would choose for the range, or None."""

    def purl(self, name: str, version: str = "") -> str:
        """The package URL (pkg:npm/%40acme-utils/core@1.2.0)."""

    def index_documents(self, index: Index) -> Iterable[IndexDocument]:
        """What this ecosystem's clients read of a package, made of what may be had; nothing where there are none."""

    def signed_line(self, name: str, version: str, integrity: str) -> str:
        """What the registry signs of a file, as this ecosystem's clients check it; "" where none of them does."""

    def install_commands(self, name: str, source: str, sha256: str = "") -> list[tuple[str, str]]:
        """(client, command line) pairs that install one file of the package: [("npm", "npm install https://…"), …].

        `source` is the file's address, or its path from ./ on; with an address may come the file's SHA-256 in
        hexadecimal, for clients that check it. Empty where no client installs such a file.
        """

    def recognizes(self, head: bytes, path: Path) -> bool:
        """Whether the file at `path`, whose first bytes are `head`, looks like a package of this ecosystem.

        Reads no further than it must; raises Refused where a hostile archive stands in the way.
        """

    def read(self, path: Path, *, filename: str = "") -> Package:
        """Open the archive strictly and read its manifest; raises Refused naming the entry and the rule."""
