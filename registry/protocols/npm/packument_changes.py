"""What a packument says that was read, changed by the client and sent back whole: only some changes mean anything."""

import json
from typing import Any

from registry.ecosystems.indexes import IndexDocument
from registry.ecosystems.npm_index import FULL
from registry.errors import Conflict, InvalidInput

KIND = FULL
_SAID_ELSEWHERE = ("deprecated", "dist")  # the files' addresses depend on where the client asked
Packument = dict[str, Any]


def parsed(document: IndexDocument) -> Packument:
    """The document as it stands here."""
    before: Packument = json.loads(document.body)
    return before


def deprecations(before: Packument, sent: Packument) -> dict[str, str]:
    """The text for each version whose text differs; nothing but the texts may.

    Raises InvalidInput for other changes, Conflict where versions came or went since it was read.
    """
    versions = _versions(sent)
    if versions.keys() != before["versions"].keys() or sent.get("dist-tags") != before["dist-tags"]:
        raise Conflict(
            "The packument names other versions or tags than are to be had here. Read it again; "
            "dist-tags are changed with `npm dist-tag`, versions removed with `npm unpublish`.",
            code="old_revision",
        )
    for version, manifest in versions.items():
        if _constant(manifest) != _constant(before["versions"][version]):
            raise InvalidInput(
                f"Only `deprecated` of a version can be changed; {version} differs in more. Versions are immutable.",
                details={version[:80]: ["immutable"]},
            )
    texts = {version: _text(manifest) for version, manifest in versions.items()}
    return {version: text for version, text in texts.items() if text != _text(before["versions"][version])}


def removals(before: Packument, sent: Packument) -> list[str]:
    """The versions that are left out. Raises InvalidInput for what is no packument, as `npm owner` sends it."""
    if "versions" not in sent:
        raise InvalidInput("Only versions can be removed here. Who owns a package is set on the pages of its project.")
    return sorted(before["versions"].keys() - _versions(sent).keys())


def _versions(sent: Packument) -> dict[str, dict[str, Any]]:
    versions = sent.get("versions")
    if not isinstance(versions, dict) or not all(isinstance(one, dict) for one in versions.values()):
        raise InvalidInput("versions must be an object of objects.", details={"versions": ["an object"]})
    return versions


def _constant(manifest: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in manifest.items() if key not in _SAID_ELSEWHERE}


def _text(manifest: dict[str, Any]) -> str:
    """Its deprecation; old clients take it back with false."""
    given = manifest.get("deprecated") or ""
    if not isinstance(given, str):
        raise InvalidInput("deprecated must be a text.", details={"deprecated": ["a text"]})
    return given.strip()
