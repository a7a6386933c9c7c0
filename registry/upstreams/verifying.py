"""Taking one file: it is believed once its bytes are here and are what the upstream said."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from registry import ecosystems, publishing
from registry.ecosystems.base import Package as ReadPackage
from registry.errors import InvalidInput
from registry.upstreams.sources.base import IndexSource, Listing, Lying, Source

if TYPE_CHECKING:
    from registry.storage import Staged

STAGED_DIGESTS = ("sha512", "sha256", "sha1")
LARGEST = 2**40  # the way out cuts at what the admin allows


@contextmanager
def taken(source: Source | IndexSource, listing: Listing) -> Iterator["Staged"]:
    """The file of the listing, staged and compared with every digest that was told; gone when the block ends.

    Raises Lying, and what `sources.base` and `registry.outgoing` raise.
    """
    with ExitStack() as stack:
        with source.open(listing) as stream:
            told = stream.told
            try:
                staged = stack.enter_context(publishing.receive(stream, LARGEST))
            except InvalidInput as empty:
                raise Lying("The upstream sends an empty file.") from empty
        _compare(listing, told, staged)
        yield staged


def _compare(listing: Listing, told: Mapping[str, str], staged: "Staged") -> None:
    if listing.size is not None and listing.size != staged.size:
        raise Lying(f"The upstream said {listing.size} bytes and sends {staged.size}.")
    for said in (listing.digests, told):
        known = [name for name in STAGED_DIGESTS if said.get(name)]
        found = {name: getattr(staged, name) for name in known}
        if not known and said.get("md5"):
            found = {"md5": _md5(staged)}
        for name, digest in found.items():
            if said[name].lower() != digest:
                raise Lying(f"The bytes are not those that the upstream promises: their {name} is another.")


def _md5(staged: "Staged") -> str:
    """Where a server tells nothing better."""
    with staged.path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def read(listing: Listing, staged: "Staged") -> ReadPackage:
    """Read the archive strictly; it must be what was listed. Raises Refused (hostile) and Lying (another package)."""
    rules = ecosystems.get(listing.ecosystem)
    package = rules.read(staged.path, filename=listing.filename)
    found = package.manifest
    if not found.name:  # a plain file says nothing of itself
        return _named(package, listing)
    same_name = rules.normalize_name(found.name) == rules.normalize_name(listing.name)
    if not same_name or rules.canonical_version(found.version) != rules.canonical_version(listing.version):
        raise Lying(f"The file is {found.name} {found.version}, not {listing.name} {listing.version}.")
    return package


def _named(package: ReadPackage, listing: Listing) -> ReadPackage:
    manifest = replace(package.manifest, name=listing.name, version=listing.version)
    return replace(package, manifest=manifest)
