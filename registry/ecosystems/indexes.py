"""What an ecosystem needs to know to write the index documents that its clients read. Plain facts, no framework.

Addresses in the documents begin with `ORIGIN`: whoever serves them puts the address that the client came by in its
place, so that one stored document is right for every host and mount point.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ORIGIN = "https://origin.invalid"


@dataclass(frozen=True, slots=True)
class File:
    """One file of a version, as it lies in storage."""

    filename: str
    size: int
    sha1: str
    sha256: str
    integrity: str  # SRI, sha512
    uploaded_at: datetime
    unpacked_size: int = 0
    entry_count: int = 0
    requires: str = ""
    metadata_sha256: str = ""  # of the metadata file that may be fetched beside it
    signatures: tuple[Mapping[str, str], ...] = ()  # of the registry: {"keyid", "sig"}
    has_attestations: bool = False


@dataclass(frozen=True, slots=True)
class Version:
    """One version that may be had: approved, its files here. `yanked` says why nobody is to choose it.

    It is unlisted, or withdrawn: then its files are refused with the reason, which clients show.
    """

    version: str
    raw: Mapping[str, Any]  # the manifest as it stands in the archive
    files: tuple[File, ...]
    released_at: datetime
    deprecated: str = ""
    yanked: str = ""
    install_scripts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Index:
    """A package with everything of it that may be had, the highest version first."""

    name: str
    versions: tuple[Version, ...]
    tags: Mapping[str, str]
    created_at: datetime
    updated_at: datetime
    readme: str = ""
    maintainers: tuple[str, ...] = ()
    status: str = "active"  # active, or quarantined where everything that was ever approved is held back
    status_reason: str = ""
    notice: str = ""  # why a newer version is not among these


@dataclass(frozen=True, slots=True)
class IndexDocument:
    """One document, under the kind that it is stored and asked for by."""

    kind: str
    content_type: str
    body: bytes
    notice: str = ""  # one line of ASCII that clients show their users
