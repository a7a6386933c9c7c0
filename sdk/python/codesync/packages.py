"""Packages: finding, reading, publishing, deciding, downloading."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from codesync import verifying
from codesync.answers import (
    Explanation,
    Joined,
    Package,
    PackagePage,
    PackageRow,
    Published,
    Resolution,
    Submitted,
    Version,
)
from codesync.errors import Unreachable
from codesync.transport import CHUNK, Progress, Transport, Upload


@dataclass(frozen=True)
class DetachedSignature:
    """The armored SSHSIG of a version, and the line of an allowed-signers file that the portal names for it."""

    armored: str
    allowed_signer: str


class Packages:
    """`/packages` and `/explain`. A version may be a dist-tag everywhere; names include their scope."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def page(self, *, page: int = 1, limit: int = 20, **filters: str) -> PackagePage:
        """One page; filters: search, ecosystem, category, status, license, ordering."""
        return self._get("/packages", page=page, limit=limit, **filters)

    def search(self, search: str = "", *, limit: int = 100, **filters: str) -> Iterator[PackageRow]:
        """Every package that matches, page after page."""
        number = 0
        while True:
            number += 1
            found = self.page(page=number, limit=limit, search=search, **filters)
            yield from found["packages"]
            if number >= found["pages"]:
                return

    def get(self, name: str, *, ecosystem: str = "", depth: str = "") -> Package:
        """A whole package; `depth` (`1` to `20`, or `full`) adds its dependency tree."""
        return self._get(path(name), ecosystem=ecosystem, depth=depth)

    def version(self, name: str, version: str, *, ecosystem: str = "") -> Version:
        """One version with its checks and decision."""
        return self._get(path(name, version), ecosystem=ecosystem)

    def resolve(self, name: str, range: str, *, prerelease: bool = False, ecosystem: str = "") -> Resolution:
        """The version that an installer would choose for the range."""
        wanted = {"range": range, "prerelease": "true" if prerelease else "", "ecosystem": ecosystem}
        return self._get(f"{path(name)}/resolve", **wanted)

    def explain(self, purl: str) -> Explanation:
        """May I have this, and why not? By package URL: `pkg:npm/%40acme-utils/core@1.2.0`."""
        return self._get("/explain", purl=purl)

    def sbom(self, name: str, version: str, *, ecosystem: str = "") -> dict[str, Any]:
        """Its bill of materials, CycloneDX."""
        return self._get(f"{path(name, version)}/sbom", ecosystem=ecosystem)

    def signature(self, name: str, version: str, *, ecosystem: str = "") -> DetachedSignature:
        """Its signature. Raises ApiError 404 where it carries none."""
        answer = self.transport.send(
            "GET", f"{path(name, version)}/signature", query={"ecosystem": ecosystem}, may_repeat=True
        )
        return DetachedSignature(answer.text, answer.headers.get("X-Allowed-Signer", ""))

    def download(
        self, name: str, version: str, target: Path, *, filename: str = "", ecosystem: str = "",
        received: Progress | None = None,
    ) -> Path:  # fmt: skip
        """Its file, or the one named of several, streamed to the target; half a file is an error, leaving nothing."""
        where = f"files/{quote(filename, safe='')}" if filename else "download"
        partial = target.with_name(target.name + ".part")
        try:
            with self.transport.stream(f"{path(name, version)}/{where}", {"ecosystem": ecosystem}) as answer:
                written = _write(answer.iter_raw(CHUNK), partial, received)
                wanted = answer.headers.get("Content-Length")
            if wanted is not None and int(wanted) != written:
                raise Unreachable(f"The download broke off after {written} of {wanted} bytes. Run it again.")
            return partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    def submit(self, ecosystem: str, name: str, version: str, **fields: Any) -> Submitted:
        """Ask for a third-party version; fields: license, description, homepage, repository, category, note."""
        wanted = {"ecosystem": ecosystem, "name": name, "version": version, **fields}
        return self._post("/packages", wanted)

    def publish(
        self, file: Path, signature: str = "", *, tag: str = "", access: str = "", category: str = "",
        sent: Progress | None = None,
    ) -> Published:  # fmt: skip
        """Publish an archive with its armored signature; the file is streamed, whatever its size."""
        texts = {"signature": signature, "tag": tag, "access": access, "category": category}
        answer = self.transport.send("POST", "/packages/publish", upload=Upload(file, texts, sent))
        return self.transport.read(answer)

    def join(self, file: Path, *, sent: Progress | None = None) -> Joined:
        """Add a Python file, unsigned, to its version, or begin the version with it, as twine does.

        The version goes back to its checks. Raises ApiError 409 where the file is there, 403 where its version takes
        no more, 422 where signatures are asked for.
        """
        texts = {":action": "file_upload", "protocol_version": "1"}
        texts["sha256_digest"] = verifying.digests_of(file).sha256
        upload = Upload(file, texts, sent, part="content")
        answer = self.transport.send("POST", "/pypi/legacy/", upload=upload, base="")
        return self.transport.read(answer)

    def approve(
        self, name: str, version: str, reason: str = "", *, override: bool = False, ecosystem: str = ""
    ) -> Version:
        """Approve; over a failed check with `override` and a reason."""
        decision = {"reason": reason, **({"override": True} if override else {})}
        return self._post(f"{path(name, version)}/approve", decision, ecosystem=ecosystem)

    def reject(self, name: str, version: str, reason: str, *, ecosystem: str = "") -> Version:
        """Reject, with the reason that its submitter will read."""
        return self._post(f"{path(name, version)}/reject", {"reason": reason}, ecosystem=ecosystem)

    def unlist(self, name: str, version: str, *, ecosystem: str = "") -> dict[str, Any]:
        """Take it from lists; its file goes after the grace."""
        return self.transport.ask("DELETE", path(name, version), query={"ecosystem": ecosystem})

    def restore(self, name: str, version: str, *, ecosystem: str = "") -> Version:
        """Undo an unlisting."""
        return self._post(f"{path(name, version)}/restore", None, ecosystem=ecosystem)

    def _get(self, where: str, **query: Any) -> Any:
        return self.transport.ask("GET", where, query=query)

    def _post(self, where: str, json: Any, **query: Any) -> Any:
        return self.transport.ask("POST", where, json=json, query=query)


def path(name: str, version: str = "") -> str:
    """Where a package, or a version of it, lives; the name in one segment, so that none of it is read as a route."""
    package = f"/packages/{quote(name, safe='@')}"
    return f"{package}/versions/{quote(version, safe='')}" if version else package


def _write(pieces: Iterator[bytes], target: Path, received: Progress | None) -> int:
    written = 0
    with target.open("wb") as file:
        for piece in pieces:
            written += file.write(piece)
            if received:
                received(written)
    return written
