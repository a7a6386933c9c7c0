"""The dependency tree as the page shows it: a few levels, clashes marked, cut where it would grow too long."""

from dataclasses import dataclass
from typing import Any

from accounts.actors import Actor
from registry import resolving
from registry.errors import Refused
from registry.models import Release

DEPTH = 5
NODES_SHOWN = 250


@dataclass(frozen=True, slots=True)
class Tree:
    """The branches, the names that occur in more than one version, and whether something was left out."""

    branches: list[dict[str, Any]]
    clashes: list[tuple[str, list[str]]]
    unresolved: int
    is_cut: bool


def grow(release: Release, actor: Actor) -> Tree | None:
    """The tree as an installer would resolve it from what is held here; None where it is too large to show."""
    try:
        root = resolving.tree(release, DEPTH, actor)
    except Refused:
        return None
    versions: dict[str, set[str]] = {}
    unresolved = shown = 0
    level = [root]
    while level:
        nodes = [node for parent in level for node in parent["dependencies"]]
        for node in nodes:
            unresolved += bool(node.get("unresolved"))
            if node["version"]:
                versions.setdefault(node["name"], set()).add(node["version"])
        shown += len(nodes)
        if shown > NODES_SHOWN:
            _prune(level)
            break
        level = nodes
    clashes = [(name, sorted(found)) for name, found in sorted(versions.items()) if len(found) > 1]
    _mark(root, {name for name, _found in clashes})
    return Tree(root["dependencies"], clashes, unresolved, shown > NODES_SHOWN)


def _prune(level: list[dict[str, Any]]) -> None:
    for node in level:
        node["more"] = len(node["dependencies"])
        node["dependencies"] = []


def _mark(node: dict[str, Any], clashing: set[str]) -> None:
    for child in node["dependencies"]:
        child["clashes"] = child["name"] in clashing
        _mark(child, clashing)
