"""npm: scoped names, semantic versions, node-semver ranges, tarballs."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from registry.ecosystems import natural, npm_index, npm_manifest, semver
from registry.ecosystems.base import Package
from registry.ecosystems.gzip_reading import MAGIC
from registry.ecosystems.indexes import Index, IndexDocument
from registry.ecosystems.naming import invalid_name, invalid_version, purl, refuse_reserved, shell_word
from registry.ecosystems.sort_texts import numbers_of
from registry.ecosystems.tar_reading import peek_tar_gz

MAX_NAME = 214

_PART = r"[a-z0-9~-][a-z0-9._~-]*"
_NAME = re.compile(rf"(?:@(?P<scope>{_PART})/)?(?P<name>{_PART})", re.ASCII)
_FORBIDDEN = frozenset({"node_modules", "favicon.ico"})


class Npm:
    """The rules of npm packages, as the npm client (version 10) applies them."""

    slug = "npm"
    label = "npm"
    osv_name = "npm"

    def normalize_name(self, name: str) -> str:
        """Lower case; npm accepts no other names any more."""
        return name.strip().lower()

    def check_name(self, name: str) -> None:
        """Raise InvalidInput unless npm would let the name be registered today."""
        why = _fault_of(name)
        if why:
            raise invalid_name("npm", name, why)
        refuse_reserved(name)

    def scope_of(self, name: str) -> str:
        """`@acme-utils` of `@acme-utils/core`."""
        return name.partition("/")[0] if name.startswith("@") and "/" in name else ""

    def canonical_version(self, version: str) -> str:
        """Without `v` and build metadata, as npm stores it."""
        if len(numbers_of(version) or ()) == 3:
            return version
        parsed = semver.parse(version)
        if parsed is None:
            raise invalid_version("npm", version, "npm versions are MAJOR.MINOR.PATCH, with an optional -pre-release")
        return str(parsed)

    def sort_key(self, version: str) -> Any:
        """SemVer 2.0.0 precedence; build metadata does not count."""
        parsed = semver.parse(version, loose=True)
        return (0, natural.key(version)) if parsed is None else (1, parsed.key)

    def sort_text(self, canonical: str) -> str | None:
        """The precedence, number by number and identifier by identifier."""
        numbers = numbers_of(canonical)
        if numbers and len(numbers) == 3:
            return semver.text_of_release(numbers)
        parsed = semver.parse(canonical)
        return parsed.sort_text if parsed else None

    def is_prerelease(self, version: str) -> bool:
        """Whether the version has a part after a hyphen."""
        parsed = semver.parse(version, loose=True)
        return parsed is not None and bool(parsed.pre)

    def parse_range(self, text: str) -> semver.Range:
        """A node-semver range; dist-tags, aliases, addresses and paths are no ranges and raise InvalidInput."""
        return semver.Range(text)

    def best(self, versions: Iterable[str], text: str, *, prerelease: bool = False) -> str | None:
        """The highest version that satisfies the range."""
        wanted = self.parse_range(text)
        fitting = [version for version in versions if wanted.contains(version, prerelease=prerelease)]
        return max(fitting, key=self.sort_key, default=None)

    def purl(self, name: str, version: str = "") -> str:
        """pkg:npm/%40acme-utils/core@1.2.0."""
        scope, _, rest = name.rpartition("/")
        return purl("npm", scope, rest, version)

    def index_documents(self, index: Index) -> Iterable[IndexDocument]:
        """The packument, in full and abbreviated."""
        return npm_index.documents(index)

    def signed_line(self, name: str, version: str, integrity: str) -> str:
        """As `npm audit signatures` puts it together."""
        return f"{name}@{version}:{integrity}"

    def install_commands(self, name: str, source: str, sha256: str = "") -> list[tuple[str, str]]:
        """For npm, pnpm and Yarn, whose newer versions want the name before an address; none of them takes a hash."""
        word = shell_word(source)
        named = shell_word(f"{name}@file:{source}" if source.startswith(".") else f"{name}@{source}")
        return [("npm", f"npm install {word}"), ("pnpm", f"pnpm add {word}"), ("Yarn", f"yarn add {named}")]

    def recognizes(self, head: bytes, path: Path) -> bool:
        """A tar.gz with package.json in its top folder; one with PKG-INFO there is a Python sdist instead."""
        if not head.startswith(MAGIC):
            return False
        found = False
        for entry in peek_tar_gz(path):
            root, _, rest = entry.partition("/")
            if rest == "PKG-INFO":
                return False
            found = found or rest == "package.json"
            if found and root == "package":
                return True
        return found

    def read(self, path: Path, *, filename: str = "") -> Package:
        """Open the tarball strictly and read its package.json."""
        opened, root = npm_manifest.open_tarball(path)
        manifest = npm_manifest.manifest_of(opened, root)
        self._check(manifest.name, manifest.version)
        version = self.canonical_version(manifest.version)
        return npm_manifest.package_of(opened, root, manifest, version)

    def _check(self, name: str, version: str) -> None:
        with npm_manifest.refusing():
            self.check_name(name)
            self.canonical_version(version)


def _fault_of(name: str) -> str:
    if not name:
        return "it is empty"
    if len(name) > MAX_NAME:
        return f"it is longer than {MAX_NAME} characters"
    if name != name.lower():
        return "it has capital letters"
    match = _NAME.fullmatch(name)
    if match is None:
        return "use lower-case letters, digits, “-”, “_”, “.” and “~”, not beginning with “.” or “_”, and @scope/name"
    return "it is a word with a meaning of its own" if match["name"] in _FORBIDDEN else ""
