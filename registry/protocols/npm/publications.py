"""What `npm publish` sends, read and held against itself: names, one version, one tag, lengths and digests."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.http import HttpRequest

from registry import ecosystems, publishing
from registry.api.bodies import Body
from registry.ecosystems.base import Manifest
from registry.errors import InvalidInput, Refused, TooLarge
from registry.protocols.npm.attachments import MAX_DOCUMENT, Document

if TYPE_CHECKING:
    from registry.storage import Staged

ACCESS = {None: "", "": "", "public": "public", "restricted": "private"}
NO_PROVENANCE = (
    "This registry keeps no provenance bundles from `npm publish --provenance`. Publish without that option; to prove "
    "who made the archive, sign it (docs/npm.md)."
)


@dataclass(frozen=True, slots=True)
class Said:
    """A body as it came: the document, and the file in it, if there is one."""

    document: dict[str, Any]
    filename: str = ""
    staged: "Staged | None" = None


@dataclass(frozen=True, slots=True)
class Publication:
    """A version that is to be published, as its sender describes it; what counts is read from the file."""

    name: str
    version: str
    tag: str
    access: str
    staged: "Staged"

    def agrees_with(self, manifest: Manifest) -> None:
        """Raise Refused unless the package.json within the file is of this very name and version."""
        inside = (manifest.ecosystem, manifest.name, manifest.version)
        version = ecosystems.get("npm").canonical_version(self.version)
        if inside != ("npm", self.name, version):
            raise Refused(
                f"The tarball holds {manifest.name} {manifest.version} ({manifest.ecosystem}), "
                f"but {self.name} {self.version} is to be published. Pack it again.",
                code="other_package",
            )


@contextmanager
def received(request: HttpRequest) -> Iterator[Said]:
    """Read the body of a PUT, its tarball straight into a staged file, which is gone when the block ends.

    Takes 8 MiB beside the tarball, and MAX_UPLOAD_MB of it. Raises TooLarge (before reading, where the length is
    announced) and InvalidInput.
    """
    body = Body(request)
    limit = publishing.upload_limit()
    if (body.announced or 0) > limit // 3 * 4 + MAX_DOCUMENT:
        raise TooLarge(f"The tarball is larger than this portal accepts ({limit // 1024**2} MB).")
    with ExitStack() as stack:
        reading, filename, staged = Document(body), "", None
        for name in reading.files():
            if staged is not None:
                raise InvalidInput("A publish holds one tarball.", details={"_attachments": ["one tarball"]})
            filename, staged = name, stack.enter_context(publishing.receive(reading, limit))
        body.finish()
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()  # the database may have hung up on us meanwhile
        yield Said(_object(reading.value(), "body"), filename, staged)


def read(said: Said, name: str) -> Publication:
    """The publication that the body describes; raises InvalidInput or Refused where it contradicts itself."""
    document, staged = said.document, said.staged
    if staged is None:
        raise InvalidInput("There is no tarball in the body: it belongs under _attachments, as NAME-VERSION.tgz.")
    versions = _object(document.get("versions"), "versions")
    if len(versions) != 1:
        raise InvalidInput("Publish one version at a time.", details={"versions": ["exactly one"]})
    version, raw = next(iter(versions.items()))
    manifest = _object(raw, "versions")
    named = [document.get("name"), document.get("_id"), manifest.get("name")]
    if named != [name] * 3 or manifest.get("version") != version:
        raise InvalidInput(
            f"The address, `name`, `_id` and the version's own name must all be {name}.", details={"name": ["differs"]}
        )
    _check_file(_object(document.get("_attachments"), "_attachments"), said, f"{name}-{version}.tgz")
    _check_digests(_object(manifest.get("dist"), "dist"), staged)
    return Publication(name, version, _tag(document, version), _access(document), staged)


def _check_file(attachments: Mapping[str, Any], said: Said, wanted: str) -> None:
    others = attachments.keys() - {said.filename}
    if any(one.endswith(".sigstore") for one in others):
        raise Refused(NO_PROVENANCE, code="provenance_not_kept")
    if others:
        raise InvalidInput("Only the tarball may be attached.", details={"_attachments": ["one tarball"]})
    if said.filename not in (wanted, wanted.rpartition("/")[2]):
        raise InvalidInput(f"The attachment must be called {wanted}.", details={"_attachments": ["other name"]})
    told = _object(attachments[said.filename], "_attachments").get("length")
    if said.staged is not None and told != said.staged.size:
        raise Refused(
            f"The tarball has {said.staged.size} bytes, not the {str(told)[:20]} that were announced. Publish again.",
            code="length_differs",
        )


def _check_digests(dist: Mapping[str, Any], staged: "Staged") -> None:
    """Both digests that npm sends, and at least one of them, must be those of the bytes that came."""
    shasum, integrity = dist.get("shasum"), dist.get("integrity")
    if not shasum and not integrity:
        raise InvalidInput("Say the tarball's digest: dist.integrity or dist.shasum.", details={"dist": ["required"]})
    sha512 = "sha512-" + base64.b64encode(bytes.fromhex(staged.sha512)).decode()
    wrong = [
        field
        for field, is_right in (
            ("shasum", not shasum or shasum == staged.sha1),
            ("integrity", not integrity or (isinstance(integrity, str) and sha512 in integrity.split())),
        )
        if not is_right
    ]
    if wrong:
        raise Refused(
            f"dist.{wrong[0]} is not that of the tarball that came. Publish again.",
            code="digest_differs",
            details={f"dist.{field}": ["differs"] for field in wrong},
        )


def _tag(document: Mapping[str, Any], version: str) -> str:
    tags = _object(document.get("dist-tags"), "dist-tags")
    if len(tags) != 1 or next(iter(tags.values())) != version:
        raise InvalidInput("Give the version one dist-tag.", details={"dist-tags": ["exactly one"]})
    tag = next(iter(tags))
    publishing.check_tag(tag, "npm")
    return tag


def _access(document: Mapping[str, Any]) -> str:
    given = document.get("access")
    if not isinstance(given, str | None) or given not in ACCESS:
        raise InvalidInput("Give access as public or restricted.", details={"access": ["public or restricted"]})
    return ACCESS[given]


def _object(value: Any, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput(f"{field} must be an object.", details={field: ["an object"]})
    return value
