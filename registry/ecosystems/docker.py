"""Container images: repository names and tags by the OCI distribution specification."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from registry.ecosystems import natural
from registry.ecosystems.base import Package
from registry.ecosystems.exact import ExactRange, best_of
from registry.ecosystems.indexes import Index, IndexDocument
from registry.ecosystems.naming import invalid_name, invalid_version, purl, refuse_reserved
from registry.errors import Refused

MAX_NAME = 255

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"(?:{_PART}/)?{_PART}", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)


class Docker:
    """The rules of container images; a bare name stands in the scope `library`, as Docker reads it."""

    slug = "docker"
    label = "Docker"
    osv_name = ""

    def normalize_name(self, name: str) -> str:
        """Lower case, with the scope `library` where none is given."""
        name = name.strip().lower()
        return name if "/" in name or not name else f"library/{name}"

    def check_name(self, name: str) -> None:
        """Raise InvalidInput unless the name is `name` or `scope/name` in lower case."""
        if len(name) > MAX_NAME:
            raise invalid_name("Docker", name, f"it is longer than {MAX_NAME} characters")
        if not _NAME.fullmatch(name):
            raise invalid_name("Docker", name, "use lower-case letters, digits, “.”, “_” and “-”, as in library/nginx")
        refuse_reserved(name)

    def scope_of(self, name: str) -> str:
        """`library` of `library/nginx`."""
        return name.rpartition("/")[0]

    def canonical_version(self, version: str) -> str:
        """The tag as it stands: tags are equal only to themselves."""
        if not _TAG.fullmatch(version):
            raise invalid_version("Docker", version, "a tag has up to 128 letters, digits, “.”, “_” and “-”")
        return version

    def sort_key(self, version: str) -> Any:
        """Natural order, as tags have none of their own."""
        return (1 if _TAG.fullmatch(version) else 0, natural.key(version))

    def sort_text(self, canonical: str) -> str | None:
        """None: no advisories speak of these versions, so nobody stores their order."""
        return None

    def is_prerelease(self, version: str) -> bool:
        """Whether a pre-release word stands in the tag."""
        return natural.is_prerelease(version)

    def parse_range(self, text: str) -> ExactRange:
        """One tag, or `*` for any."""
        return ExactRange(text, self.canonical_version)

    def best(self, versions: Iterable[str], text: str, *, prerelease: bool = False) -> str | None:
        """The tag itself; for `*` the highest."""
        return best_of(self, versions, text, prerelease)

    def purl(self, name: str, version: str = "") -> str:
        """pkg:docker/library/nginx@1.25."""
        scope, _, rest = name.rpartition("/")
        return purl("docker", scope, rest, version)

    def index_documents(self, index: Index) -> Iterable[IndexDocument]:
        """None yet: no client of it is served here."""
        return ()

    def signed_line(self, name: str, version: str, integrity: str) -> str:
        """None: no client of it checks one."""
        return ""

    def install_commands(self, name: str, source: str, sha256: str = "") -> list[tuple[str, str]]:
        """No client takes an image from the address of one file."""
        return []

    def recognizes(self, head: bytes, path: Path) -> bool:
        """Images arrive in parts through their own protocol, never as one file."""
        return False

    def read(self, path: Path, *, filename: str = "") -> Package:
        """Always Refused: an image is not one file."""
        message = "A container image cannot be uploaded as one file. Push it with a container client instead."
        raise Refused(message, details={"entry": ["the archive"], "rule": [message]}, code="unsupported_format")
