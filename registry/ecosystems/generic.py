"""Plain files without a format of their own: any name, any version, read as they are."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from registry.ecosystems import natural, semver
from registry.ecosystems.base import Entry, Manifest, Package, Range
from registry.ecosystems.exact import ExactRange, best_of
from registry.ecosystems.indexes import Index, IndexDocument
from registry.ecosystems.naming import invalid_name, invalid_version, purl, refuse_reserved

_WORD = re.compile(r"[A-Za-z0-9._+-]{1,128}", re.ASCII)
_STEP = 1024 * 1024


class Generic:
    """The rules of files that belong to no package manager."""

    slug = "generic"
    label = "Generic"
    osv_name = ""

    def normalize_name(self, name: str) -> str:
        """Lower case, so that no two names differ in case only."""
        return name.strip().lower()

    def check_name(self, name: str) -> None:
        """Raise InvalidInput unless the name is one plain path segment."""
        if not _is_word(name):
            raise invalid_name("generic", name, "use 1 to 128 of the characters A–Z a–z 0–9 . _ + -")
        refuse_reserved(name)

    def scope_of(self, name: str) -> str:
        """Generic names have no scope."""
        return ""

    def canonical_version(self, version: str) -> str:
        """The version as it stands: versions are equal only to themselves."""
        if not _is_word(version):
            raise invalid_version("generic", version, "use 1 to 128 of the characters A–Z a–z 0–9 . _ + -")
        return version

    def sort_key(self, version: str) -> Any:
        """Natural order: numbers by value, pre-release words before the release."""
        return (1 if _is_word(version) else 0, natural.key(version))

    def sort_text(self, canonical: str) -> str | None:
        """None: no advisories speak of these versions, so nobody stores their order."""
        return None

    def is_prerelease(self, version: str) -> bool:
        """Whether a pre-release word stands in the version."""
        return natural.is_prerelease(version)

    def parse_range(self, text: str) -> Range:
        """One version; or, with an operator in it, a range like npm's over the versions that are semantic."""
        if any(sign in text for sign in "<>=~^|* ") and text.strip() not in ("", "*"):
            return semver.Range(text)
        return ExactRange(text, self.canonical_version)

    def best(self, versions: Iterable[str], text: str, *, prerelease: bool = False) -> str | None:
        """The highest version in range."""
        return best_of(self, versions, text, prerelease)

    def purl(self, name: str, version: str = "") -> str:
        """pkg:generic/installer@1.2.0."""
        return purl("generic", "", name, version)

    def index_documents(self, index: Index) -> Iterable[IndexDocument]:
        """None yet: no client of it is served here."""
        return ()

    def signed_line(self, name: str, version: str, integrity: str) -> str:
        """None: no client of it checks one."""
        return ""

    def install_commands(self, name: str, source: str, sha256: str = "") -> list[tuple[str, str]]:
        """No client installs plain files."""
        return []

    def recognizes(self, head: bytes, path: Path) -> bool:
        """Never by content: every file would do, so the uploader has to say it."""
        return False

    def read(self, path: Path, *, filename: str = "") -> Package:
        """The file as its own only entry; it has no manifest, so name and version come from whoever publishes it."""
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(_STEP):
                digest.update(chunk)
        name = re.sub(r"[^A-Za-z0-9._+-]+", "-", filename or path.name).strip(".-")[:128] or "file"
        size = path.stat().st_size
        return Package(
            manifest=Manifest(ecosystem="generic", name="", version=""),
            kind="file",
            filename=name,
            media_type="application/octet-stream",
            entries=(Entry(name, size, digest.hexdigest()),),
            unpacked_size=size,
        )


def _is_word(text: str) -> bool:
    return _WORD.fullmatch(text) is not None and text not in (".", "..")
