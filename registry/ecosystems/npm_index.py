"""Packuments: what npm, pnpm and Yarn read of a package, in full and abbreviated.

After npm's own registry documentation (`application/vnd.npm.install-v1+json`) and what its clients were seen to use.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from registry.ecosystems.indexes import ORIGIN, Index, IndexDocument, Version

FULL = "packument"
ABBREVIATED = "packument-abbreviated"
FULL_TYPE = "application/json"
ABBREVIATED_TYPE = "application/vnd.npm.install-v1+json"
_INSTALLING = (
    *("name", "version", "deprecated", "bin", "directories", "engines", "os", "cpu", "libc", "funding"),
    "dependencies",
    "optionalDependencies",
    "devDependencies",
    "bundleDependencies",
    "bundledDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "acceptDependencies",
)
# What a package may not say of itself: it is the registry's to say.
_OURS = ("_attachments", "_rev", "dist", "deprecated", "hasInstallScript", "readme", "_npmUser", "maintainers")


def documents(index: Index) -> Iterable[IndexDocument]:
    """Both packuments, the one that installers ask for first, unless nothing may be had; without yanked versions."""
    manifests = {one.version: manifest(index.name, one) for one in index.versions if not one.yanked}
    if manifests:
        yield IndexDocument(ABBREVIATED, ABBREVIATED_TYPE, _encoded(_abbreviated(index, manifests)), index.notice)
        yield IndexDocument(FULL, FULL_TYPE, _encoded(_full(index, manifests)), index.notice)


def manifest(name: str, version: Version) -> dict[str, Any]:
    """One version as `GET /{name}/{version}` and the full packument say it: its package.json and our `dist`."""
    said = {key: value for key, value in version.raw.items() if key not in _OURS}
    ours: dict[str, Any] = {"name": name, "version": version.version, "_id": f"{name}@{version.version}"}
    if version.deprecated:
        ours["deprecated"] = version.deprecated
    if version.install_scripts:
        ours["hasInstallScript"] = True
    ours["_hasShrinkwrap"] = said.get("_hasShrinkwrap") is True
    return said | ours | {"dist": _dist(name, version)}


def tarball_path(name: str, filename: str) -> str:
    """Where the tarball lies below the registry's base: `/{name}/-/{filename}`."""
    return f"/{name}/-/{filename}"


def _dist(name: str, version: Version) -> dict[str, Any]:
    file = version.files[0]
    dist: dict[str, Any] = {
        "tarball": ORIGIN + tarball_path(name, file.filename),
        "shasum": file.sha1,
        "integrity": file.integrity,
        "fileCount": file.entry_count,
        "unpackedSize": file.unpacked_size,
    }
    if file.signatures:
        dist["signatures"] = [dict(one) for one in file.signatures]
    return dist


def _full(index: Index, manifests: dict[str, dict[str, Any]]) -> dict[str, Any]:
    times = {one.version: _instant(one.released_at) for one in reversed(index.versions) if one.version in manifests}
    latest = index.tags.get("latest", "")
    body: dict[str, Any] = {
        "_id": index.name,
        "_rev": f"1-{int(index.updated_at.timestamp() * 1000):x}",
        "name": index.name,
        "dist-tags": dict(index.tags),
        "versions": manifests,
        "time": {"created": _instant(index.created_at), "modified": _instant(index.updated_at), **times},
        "maintainers": [{"name": one, "email": ""} for one in index.maintainers],
        "readme": index.readme,
    }
    taken = ("description", "homepage", "repository", "license", "keywords", "bugs", "author")
    return body | {key: manifests[latest][key] for key in taken if key in manifests.get(latest, {})}


def _abbreviated(index: Index, manifests: dict[str, dict[str, Any]]) -> dict[str, Any]:
    kept = (*_INSTALLING, "dist", "hasInstallScript", "_hasShrinkwrap")
    return {
        "name": index.name,
        "modified": _instant(index.updated_at),
        "dist-tags": dict(index.tags),
        "versions": {version: {key: one[key] for key in kept if key in one} for version, one in manifests.items()},
    }


def _instant(moment: datetime) -> str:
    """As JavaScript writes it: milliseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _encoded(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
