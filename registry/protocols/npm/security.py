"""`npm audit`: what our advisories say against the packages of a project, less what its waivers cover.

The names of private packages are sent, too. What is answered of them comes from advisories alone, so that nobody
learns from it what stands here; and nothing of it is kept.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from registry import advising, signing
from registry.advising import Part, Span, Weakness
from registry.api import caching
from registry.errors import InvalidInput, TooLarge
from registry.models import RegistryKey
from registry.protocols.npm.packing import PackedJSONParser
from registry.protocols.npm.packuments import NpmDoor

MOST_VERSIONS = 10_000
LONGEST_NAME = 255
LONGEST_RANGE = 8_000
WORDS = {"critical": "critical", "high": "high", "medium": "moderate", "low": "low"}
UNRATED = "high"  # what nobody has rated must not pass for harmless
LONGEST_PATHS = (
    16 * 1024 * 1024
)  # characters of all paths of a tree: names repeat in them, so a small body can say much
LONGEST_TOLD = 64 * 1024  # characters of paths that are told of one flaw
LEVELS = ("info", "low", "moderate", "high", "critical")
Used = dict[str, list[str]]


class _AuditDoor(NpmDoor):
    public_methods = ("POST",)
    parser_classes = [PackedJSONParser]

    def weaknesses(self, used: Used) -> list[Weakness]:
        """What stands against these versions, for who asks."""
        parts = [Part("npm", name, version, "") for name, versions in used.items() for version in versions]
        if len(parts) > MOST_VERSIONS:
            raise _too_large()
        return advising.on_flaws(parts, self.actor)


class BulkAdvisoriesDoor(_AuditDoor):
    """`/-/npm/v1/security/advisories/bulk`."""

    def post(self, request: Request) -> Response:
        """`{name: [advisories]}` for `{name: [versions]}`; what nothing is known against is left out."""
        answer: dict[str, list[dict[str, Any]]] = {}
        for one in self.weaknesses(_named(request.data)):
            answer.setdefault(one.package, []).append(_advisory(one))
        return Response(answer, headers={"Cache-Control": "no-store"})


class QuickAuditDoor(_AuditDoor):
    """`/-/npm/v1/security/audits/quick` and `/-/npm/v1/security/audits`, as npm 6, pnpm and Yarn 1 ask."""

    def post(self, request: Request) -> Response:
        """The report for a tree of `dependencies`, each with its `version` and perhaps a tree of its own."""
        if not isinstance(request.data, dict):
            raise InvalidInput("Send the tree of dependencies as an object.")
        paths = _paths(request.data.get("dependencies"))
        used: Used = {}
        for name, version in paths:
            used.setdefault(name, []).append(version)
        found = self.weaknesses(used)
        return Response(_report(found, paths), headers={"Cache-Control": "no-store"})


class KeysDoor(NpmDoor):
    """`/-/npm/v1/keys`."""

    def get(self, request: Request) -> Response:
        """The keys that `npm audit signatures` holds the registry's signatures against."""
        return Response({"keys": [_key(one) for one in signing.told_keys()]}, headers=caching.revalidated(self.actor))


# --- reading -------------------------------------------------------------------------------------------------------
def _named(body: Any) -> Used:
    if not isinstance(body, dict):
        raise InvalidInput("Send an object of names, each with the versions in use.")
    return {_text(name): [_text(one) for one in dict.fromkeys(_texts(name, body[name]))] for name in body}


def _texts(name: str, versions: Any) -> list[Any]:
    if not isinstance(versions, list) or not all(isinstance(one, str) for one in versions):
        raise InvalidInput(f"The versions of {name[:100]} are no list of texts.")
    return versions


def _text(text: str) -> str:
    if not text or len(text) > LONGEST_NAME or not text.isprintable():
        raise InvalidInput("A name or version is empty, too long, or holds what cannot be seen.")
    return text


def _paths(tree: Any) -> dict[tuple[str, str], list[str]]:
    """Where each (name, version) stands in the tree, `a>b>c`; the parser bounds its depth.

    Raises TooLarge before more is in memory than an audit looks at.
    """
    found: dict[tuple[str, str], list[str]] = {}
    length = 0
    for path, name, version in _walk(tree, ""):
        length += len(path)
        if length > LONGEST_PATHS or len(found) > MOST_VERSIONS:
            raise _too_large()
        if isinstance(version, str):
            found.setdefault((_text(name), _text(version)), []).append(path)
    return found


def _walk(tree: Any, above: str) -> Iterator[tuple[str, str, Any]]:
    """Path, name and version of every node; what has no version is none by itself."""
    for name, node in tree.items() if isinstance(tree, dict) else ():
        if not isinstance(node, dict):
            raise InvalidInput(f"The dependency {name[:100]} is no object.")
        path = f"{above}>{name}" if above else name
        yield path, name, node.get("version")
        yield from _walk(node.get("dependencies"), path)


def _too_large() -> TooLarge:
    return TooLarge(f"An audit looks at {MOST_VERSIONS:,} versions at most. Audit the workspaces one by one.")


# --- telling -------------------------------------------------------------------------------------------------------
def _advisory(one: Weakness) -> dict[str, Any]:
    return {
        "id": _number(one.identifier),
        "url": one.url,
        "title": one.title,
        "severity": WORDS.get(one.severity, UNRATED),
        "vulnerable_versions": _range(one),
        "cwe": list(one.cwe),
        "cvss": {"score": one.cvss or 0, "vectorString": one.vector or None},
    }


def _key(one: RegistryKey) -> dict[str, Any]:
    return {
        "keyid": one.keyid,
        "keytype": one.scheme,
        "scheme": one.scheme,
        "key": one.public_key,
        "expires": f"{one.expires_at:%Y-%m-%dT%H:%M:%S.000Z}" if one.expires_at else None,
    }


def _report(found: Iterable[Weakness], paths: Mapping[tuple[str, str], list[str]]) -> dict[str, Any]:
    advisories = {str(_number(one.identifier + one.package)): _in_full(one, paths) for one in found}
    counted = Counter(one["severity"] for one in advisories.values())
    return {
        "actions": [],
        "advisories": advisories,
        "muted": [],
        "metadata": {
            "vulnerabilities": {level: counted[level] for level in LEVELS},
            "dependencies": len(paths),
            "devDependencies": 0,
            "optionalDependencies": 0,
            "totalDependencies": len(paths),
        },
    }


def _in_full(one: Weakness, paths: Mapping[tuple[str, str], list[str]]) -> dict[str, Any]:
    patched = f">={one.fixed_in}" if one.fixed_in else "<0.0.0"
    named = {one.identifier, *one.names}
    return _advisory(one) | {
        "id": _number(one.identifier + one.package),
        "module_name": one.package,
        "findings": _findings(one, paths),
        "patched_versions": patched,
        "overview": one.title,
        "recommendation": f"Upgrade to version {one.fixed_in} or later" if one.fixed_in else "No fix is known",
        "cves": sorted(name for name in named if name.startswith("CVE-")),
        "github_advisory_id": next((name for name in sorted(named) if name.startswith("GHSA-")), one.identifier),
        "access": "public",
    }


def _findings(one: Weakness, paths: Mapping[tuple[str, str], list[str]]) -> list[dict[str, Any]]:
    """Where the flaw stands in the tree, in so many words; of what is beyond them, the version alone."""
    findings, left = [], LONGEST_TOLD
    for version in one.touched:
        told = []
        for path in paths[one.package, version]:
            left -= len(path)
            if left < 0:
                break
            told.append(path)
        findings.append({"version": version, "paths": told})
    return findings


def _number(identifier: str) -> int:
    """Clients want a number that names the advisory; it follows from our id, so that it stays."""
    return int.from_bytes(hashlib.sha256(identifier.encode()).digest()[:4]) >> 1


def _range(one: Weakness) -> str:
    """What npm is to take for vulnerable; where it would be too long, or some are waived, the versions in use."""
    told = [*map(_comparators, one.spans), *one.singles]
    text = " || ".join(told)
    return text if told and len(text) <= LONGEST_RANGE else " || ".join(one.touched)


def _comparators(span: Span) -> str:
    bounds = ((">=", span.since), ("<", span.before), ("<=", span.last))
    return " ".join(sign + version for sign, version in bounds if version) or "*"
