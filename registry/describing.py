"""Describing one version: with its checks and decision for readers, as CycloneDX for machines."""

import uuid
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from django.db.models import Prefetch, prefetch_related_objects
from packageurl import PackageURL

from accounts.actors import Actor
from registry import documents, ecosystems, explaining, resolving
from registry.ecosystems import Ecosystem
from registry.errors import Gone, NotFound
from registry.models import Artifact, Check, Package, Release

Key = tuple[str, str, str]  # normal name, version, and the range where no version satisfies it
NAMESPACE = uuid.UUID("8f5b6c1e-3d0a-5b7e-9c55-3a2f6f1d7c20")


def version(release: Release, actor: Actor) -> dict[str, Any]:
    """One version with its checks, files and decision, in a fixed number of queries. Raises Gone when removed."""
    refuse_removed(release)
    prefetch_related_objects(
        [release], "dependencies", Prefetch("artifacts", Artifact.objects.order_by("id")), "checks"
    )
    release.scan_checks = [check for check in release.checks.all() if check.name == "vulnerabilities"]  # type: ignore[attr-defined]  # what documents.scan_row reads
    decision = explaining.Explanation("", (), explaining.standing_decision(release)).decision_row()
    asked = release.submitted_for or (release.submitted_by.email if release.submitted_by else "")
    return {
        "name": release.package.name,
        "ecosystem": release.package.ecosystem,
        **documents.version_row(release.package, release),
        "project": release.project.slug,
        "submitted_by": shown_email(asked, actor) or None,
        "submitted_at": release.submitted_at,
        "unlisted_at": release.unlisted_at,
        "held_because": release.held_because or None,
        "checks": [_check_row(check) for check in release.checks.all()],
        "artifacts": [_artifact_row(artifact) for artifact in release.artifacts.all()],
        "decision": decision,
    }


def package(of: Package, actor: Actor) -> dict[str, Any]:
    """The package built for this reader: maintainers see every e-mail address, others their own."""
    detail = documents.detail(of, reveal=True)
    for field in ("submitted_by", "approved_by"):
        detail[field] = shown_email(detail[field] or "", actor) or None
    return detail


def shown_email(address: str, actor: Actor) -> str:
    """The address in full for maintainers and its owner, masked for everyone else."""
    own = actor.user is not None and actor.user.email.lower() == address.lower()
    return address if actor.is_maintainer or own else documents.mask_email(address)


def refuse_removed(release: Release) -> None:
    """Raise Gone, with what the tombstone keeps, for a version whose files were removed."""
    if release.is_purged:
        raise Gone(
            f"{release.package.name} {release.version} was removed. Its name and version are never used again.",
            details={"sha256": release.sha256, "purged_at": release.purged_at},
        )


def signature(release: Release) -> Artifact:
    """The first file of the release that is signed. Raises Gone when removed, NotFound when unsigned."""
    refuse_removed(release)
    artifact = release.artifacts.exclude(signature="").first()
    if artifact is None:
        raise NotFound(f"{release.package.name} {release.version} carries no signature.")
    return artifact


def _check_row(check: Check) -> dict[str, Any]:
    fields = ("name", "status", "summary", "details", "started_at", "finished_at", "duration_ms")
    return {field: getattr(check, field) for field in fields}


def _artifact_row(artifact: Artifact) -> dict[str, Any]:
    fields = ("filename", "kind", "media_type", "size", "sha256", "sha512", "uploaded_at")
    return {field: getattr(artifact, field) for field in fields}


# --- bill of materials ---------------------------------------------------------------------------------------------
def sbom(release: Release, actor: Actor) -> str:
    """CycloneDX 1.6 JSON: the version, and all it brings along as far as it is held here.

    The same facts give the same bytes: serial number and time come from them. Raises Refused over 10,000 nodes.
    """
    refuse_removed(release)
    tree = resolving.tree(release, resolving.FULL_DEPTH, actor)
    rules = ecosystems.get(release.package.ecosystem)
    edges = _edges(tree, rules)
    held = _held(release, edges)
    components = {key: _component(key, held.get(key), rules) for key in edges}
    root = components.pop(_key(tree, rules))
    bom = Bom(components=components.values(), serial_number=uuid.uuid5(NAMESPACE, f"{root.purl}#{release.sha256}"))
    bom.metadata.component = root
    bom.metadata.timestamp = max(one.submitted_at for one in held.values())
    for key, children in edges.items():
        bom.register_dependency(components.get(key, root), [components.get(child, root) for child in children])
    return str(JsonV1Dot6(bom).output_as_string())


def _edges(tree: dict[str, Any], rules: Ecosystem) -> dict[Key, set[Key]]:
    """Each version in the tree, and the versions it depends on."""
    edges: dict[Key, set[Key]] = {}
    stack = [tree]
    while stack:
        node = stack.pop()
        children = edges.setdefault(_key(node, rules), set())
        children.update(_key(child, rules) for child in node["dependencies"])
        stack.extend(node["dependencies"])
    return edges


def _key(node: dict[str, Any], rules: Ecosystem) -> Key:
    return rules.normalize_name(node["name"]), node["version"] or "", "" if node["version"] else node["range"]


def _held(root: Release, keys: Iterable[Key]) -> dict[Key, Release]:
    """The releases behind the keys, with their first files, in two queries for each 500 of them."""
    names = sorted({name for name, version, _ in keys if version})
    held = {(root.package.normalized, root.version, ""): root}
    for start in range(0, len(names), 500):
        some = set(names[start : start + 500])
        found = Release.objects.filter(
            package__ecosystem=root.package.ecosystem,
            package__normalized__in=some,
            version__in={version for name, version, _ in keys if name in some},
        )
        for release in found.select_related("package").prefetch_related("artifacts"):
            held.setdefault((release.package.normalized, release.version, ""), release)
    return {key: held[key] for key in keys if key in held}


def _component(key: Key, release: Release | None, rules: Ecosystem) -> Component:
    """What the bill says of one version; of a range that nothing here satisfies, the name and the range alone."""
    name, version, wanted = key
    purl = PackageURL.from_string(rules.purl(release.package.name if release else name, version))
    component = Component(
        name=purl.name,
        group=purl.namespace,
        version=version or None,
        type=ComponentType.LIBRARY,
        purl=purl,
        bom_ref=f"{purl}?range={quote(wanted)}" if release is None else str(purl),
    )
    if release is None:
        component.properties.add(Property(name="codesync:unresolved", value=wanted or "any"))
    else:
        _add_facts(component, release)
    return component


def _add_facts(component: Component, release: Release) -> None:
    if release.license:
        component.licenses.add(LicenseFactory().make_from_string(release.license))
    artifact = next(iter(release.artifacts.all()), None)
    if artifact is not None:
        for algorithm in (HashAlgorithm.SHA_1, HashAlgorithm.SHA_256, HashAlgorithm.SHA_512):
            digest = getattr(artifact, algorithm.name.lower().replace("_", ""))
            component.hashes.add(HashType(alg=algorithm, content=digest))
    component.properties.add(Property(name="codesync:status", value=release.status))
