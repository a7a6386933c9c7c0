"""Python: names by PEP 503, versions and specifiers by PEP 440, sdists and wheels."""

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_version
from packaging.version import Version

from registry.ecosystems import pypi_index, pypi_legacy, pypi_sdists, wheels
from registry.ecosystems.base import Package
from registry.ecosystems.gzip_reading import MAGIC
from registry.ecosystems.indexes import Index, IndexDocument
from registry.ecosystems.naming import invalid_name, invalid_range, invalid_version, purl, refuse_reserved, shell_word
from registry.ecosystems.sort_texts import numbers_of, of_digits, of_number, of_word, without_zeros
from registry.ecosystems.tar_reading import peek_tar_gz

MAX_NAME = 200
MAX_VERSION = 256
MAX_RANGE = 256

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?", re.ASCII | re.IGNORECASE)
_SEPARATORS = re.compile(r"[-_.]+")
_STAGES = {"a": "1", "b": "2", "rc": "3"}  # 0 is a development release of a final version
_FINAL = "401"


def _parse(version: str) -> Version | None:
    return _parsed(version) if len(version) <= MAX_VERSION else None


@lru_cache(maxsize=16384)
def _parsed(version: str) -> Version | None:
    try:
        return Version(version)
    except ValueError:  # InvalidVersion, and int() on thousands of digits
        return None


def _sort_text(version: Version) -> str:
    """Epoch; release without trailing zeros; stage; post; dev; local. Each ends lower than it goes on, or higher."""
    release = version.release
    while release and not release[-1]:
        release = release[:-1]
    text = of_number(version.epoch) + _release_text(map(str, release))
    if not (version.is_prerelease or version.is_postrelease or version.local):
        return text + _FINAL
    if version.pre:
        text += _STAGES[version.pre[0]] + of_number(version.pre[1])
    else:
        text += _FINAL[0] if version.dev is None or version.post is not None else "0"
    text += "0" if version.post is None else f"1{of_number(version.post)}"
    text += "1" if version.dev is None else f"0{of_number(version.dev)}"
    parts = version.local.split(".") if version.local else ()
    return text + "".join(f"1{of_number(int(one))}" if one.isdigit() else f"0{of_word(one)}" for one in parts)


def _release_text(numbers: Iterable[str]) -> str:
    return "".join([f"1{of_digits(one)}" for one in numbers]) + "0"


class SpecifierRange:
    """A PEP 440 specifier set; pre-releases count where a specifier names one, or the caller lets them."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_RANGE:
            raise invalid_range(text, f"it is longer than {MAX_RANGE} characters")
        try:
            self.specifiers = SpecifierSet(text.strip())
        except (InvalidSpecifier, ValueError) as error:
            raise invalid_range(text, "Python ranges look like “>=1.2,<2” or “~=1.4” (PEP 440)") from error

    def contains(self, version: str, *, prerelease: bool = False) -> bool:
        """Whether the version satisfies every specifier."""
        parsed = _parse(version)
        allowed = prerelease or bool(self.specifiers.prereleases)
        return parsed is not None and self.specifiers.contains(parsed, prereleases=allowed)

    def filter(self, versions: Iterable[str], *, prerelease: bool = False) -> list[str]:
        """Those that satisfy, as pip chooses: pre-releases only if nothing else does."""
        known = [version for version in versions if _parse(version) is not None]
        return list(self.specifiers.filter(known, prereleases=prerelease or None))


class PyPi:
    """The rules of Python distributions."""

    slug = "pypi"
    label = "Python"
    osv_name = "PyPI"

    def normalize_name(self, name: str) -> str:
        """PEP 503: lower case, runs of `-`, `_` and `.` become one `-`."""
        return _SEPARATORS.sub("-", name.strip()).lower()

    def check_name(self, name: str) -> None:
        """Raise InvalidInput unless the name follows the core metadata specification."""
        if len(name) > MAX_NAME:
            raise invalid_name("Python", name, f"it is longer than {MAX_NAME} characters")
        if not _NAME.fullmatch(name):
            raise invalid_name(
                "Python", name, "use letters, digits, “-”, “_” and “.”, with a letter or digit at both ends"
            )
        refuse_reserved(self.normalize_name(name))

    def scope_of(self, name: str) -> str:
        """Python names have no scope."""
        return ""

    def canonical_version(self, version: str) -> str:
        """The shortest spelling: `1.0` and `1.0.0` are both `1`."""
        if numbers := numbers_of(version):
            return ".".join(without_zeros(numbers))
        parsed = _parse(version)
        if parsed is None:
            raise invalid_version("Python", version, "Python versions follow PEP 440, such as 1.4.2 or 2.0rc1")
        return canonicalize_version(parsed)

    def sort_key(self, version: str) -> Any:
        """PEP 440 order; what it does not know sorts before all, in the order setuptools once gave it."""
        parsed = _parse(version)
        return (0, pypi_legacy.key(version)) if parsed is None else (1, parsed)

    def sort_text(self, canonical: str) -> str | None:
        """PEP 440 order, segment by segment."""
        if numbers := numbers_of(canonical):
            return f"{of_number(0)}{_release_text([] if canonical == '0' else numbers)}{_FINAL}"
        parsed = _parse(canonical)
        return None if parsed is None else _sort_text(parsed)

    def is_prerelease(self, version: str) -> bool:
        """Pre-releases and development releases alike."""
        parsed = _parse(version)
        return parsed is not None and parsed.is_prerelease

    def parse_range(self, text: str) -> SpecifierRange:
        """A PEP 440 specifier set; empty means any version."""
        return SpecifierRange(text)

    def best(self, versions: Iterable[str], text: str, *, prerelease: bool = False) -> str | None:
        """The version pip would choose: the highest final one, else the highest pre-release."""
        return max(self.parse_range(text).filter(versions, prerelease=prerelease), key=self.sort_key, default=None)

    def purl(self, name: str, version: str = "") -> str:
        """pkg:pypi/acme-utils@1.2.0."""
        return purl("pypi", "", self.normalize_name(name), version)

    def index_documents(self, index: Index) -> Iterable[IndexDocument]:
        """The project's page of the simple index, as JSON and HTML."""
        return pypi_index.documents(index)

    def signed_line(self, name: str, version: str, integrity: str) -> str:
        """None: no client of it checks one."""
        return ""

    def install_commands(self, name: str, source: str, sha256: str = "") -> list[tuple[str, str]]:
        """For pip, uv and Poetry; all of them check the hash that stands behind an address."""
        spec = shell_word(f"{source}#sha256={sha256}" if sha256 else source)
        return [("pip", f"pip install {spec}"), ("uv", f"uv add {spec}"), ("Poetry", f"poetry add {spec}")]

    def recognizes(self, head: bytes, path: Path) -> bool:
        """A wheel by its .dist-info folder, an sdist by PKG-INFO in its top folder."""
        if head.startswith(MAGIC):
            return any(entry.partition("/")[2] == "PKG-INFO" for entry in peek_tar_gz(path))
        return wheels.looks_like_wheel(head, path)

    def read(self, path: Path, *, filename: str = "") -> Package:
        """Open the sdist or wheel strictly and read its core metadata."""
        with path.open("rb") as file:
            is_sdist = file.read(2) == MAGIC
        package = pypi_sdists.read(path) if is_sdist else wheels.read(path, filename)
        with wheels.refusing():
            self.check_name(package.manifest.name)
        return package
