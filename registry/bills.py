"""Bills of materials: one version and all that it brings along, as CycloneDX 1.6 for machines.

What other apps know of the components comes in by `settings.REGISTRY_BILL_EXTRAS`: dotted paths of functions
`(bill, actor) -> None`, which add to the bill before it is written.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import orjson
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from django.conf import settings
from django.utils.module_loading import import_string
from packageurl import PackageURL

from accounts.actors import Actor
from registry import describing, ecosystems, resolving
from registry.ecosystems import Ecosystem
from registry.models import Release

Key = tuple[str, str, str]  # normal name, version, and the range where no version satisfies it
NAMESPACE = uuid.UUID("8f5b6c1e-3d0a-5b7e-9c55-3a2f6f1d7c20")
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill that is being written: the releases held here that it lists, and the component of each by its key."""

    bom: Bom
    releases: Mapping[int, Release]
    components: Mapping[int, Component]

    def know_of(self, at: datetime) -> None:
        """Move the time of the bill on to that of a fact in it: it is made of facts, so that it stays the same."""
        made = self.bom.metadata.timestamp
        self.bom.metadata.timestamp = max(made, at) if made else at


def write(release: Release, actor: Actor) -> bytes:
    """CycloneDX 1.6 JSON: the version, and all it brings along as far as it is held here and the actor sees it.

    The same facts give the same bytes: serial number and time come from them. Raises Gone for a removed version,
    Refused over 10,000 nodes.
    """
    describing.refuse_removed(release)
    bill = _draw_up(release, actor)
    for path in settings.REGISTRY_BILL_EXTRAS:
        import_string(path)(bill, actor)
    document = orjson.loads(JsonV1Dot6(bill.bom).output_as_string())
    document["serialNumber"] = uuid.uuid5(NAMESPACE, orjson.dumps(document).decode()).urn
    return orjson.dumps(document)


def _draw_up(release: Release, actor: Actor) -> Bill:
    """The components, their facts, and which depends on which."""
    tree = resolving.tree(release, resolving.FULL_DEPTH, actor)
    rules = ecosystems.get(release.package.ecosystem)
    edges = _edges(tree, rules)
    held = _held(release, edges)
    components = {key: _component(key, held.get(key), rules) for key in edges}
    of_releases = {held[key].pk: components[key] for key in held}
    root = components.pop(_key(tree, rules))
    bom = Bom(components=components.values(), serial_number=NAMESPACE)
    bom.metadata.component = root
    bom.metadata.timestamp = max(one.submitted_at for one in held.values())
    for key, children in edges.items():
        bom.register_dependency(components.get(key, root), [components.get(child, root) for child in children])
    return Bill(bom, {one.pk: one for one in held.values()}, of_releases)


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
    for start in range(0, len(names), CHUNK):
        some = set(names[start : start + CHUNK])
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
