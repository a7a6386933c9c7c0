"""Resolving: which package a name means, which release a version, tag or range means, and what it brings along."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q

from accounts.actors import SYSTEM, Actor
from registry import covering, ecosystems
from registry.errors import InvalidInput, NotFound, Refused
from registry.models import Dependency, Package, Release
from registry.models.packages import PackageQuerySet

NODE_LIMIT = 10_000
FULL_DEPTH = 1_000
TREE_KINDS = ("runtime", "optional", "peer")


def find_package(name: str, actor: Actor, ecosystem: str = "") -> Package:
    """The package that the name means to this actor; the earliest registered where ecosystems share it.

    Raises NotFound for unknown names and for private ones the actor may not know of, alike; holders of a licence key
    are told of both, alike, that it does not cover them.
    """
    found = next(iter(_visible_of(_named(name, ecosystem).select_related("project"), actor)), None)
    if found is None and actor.entitlements:
        raise covering.NotCovered(covering.objection_to_name(name, actor))
    if found is None:
        where = f" in {ecosystem}" if ecosystem else ""
        raise NotFound(f"There is no package {name}{where} here. Check the spelling, or submit it for review.")
    return found


def _named(name: str, ecosystem: str) -> PackageQuerySet:
    """The packages that the name means, each ecosystem by its own normal form."""
    name = name.replace("\x00", "\ufffd")  # which PostgreSQL would not even look for
    rules = [ecosystems.get(ecosystem)] if ecosystem else ecosystems.ALL
    meant = (Q(ecosystem=one.slug, normalized=one.normalize_name(name)) for one in rules)
    return Package.objects.filter(reduce(or_, meant))


def names(ecosystem: str, actor: Actor) -> Iterator[tuple[str, str]]:
    """(normal form, name) of every package that the actor may have something of, in order, read as it is used."""
    held = Package.objects.visible_to(actor).filter(ecosystem=ecosystem, latest_status=Release.Status.APPROVED)
    return held.order_by("normalized").values_list("normalized", "name").iterator(chunk_size=5_000)


def also_in(package: Package, actor: Actor) -> list[str]:
    """The other ecosystems in which the actor finds a package of this name."""
    return [one.ecosystem for one in _visible_of(_named(package.name, ""), actor) if one.pk != package.pk]


def _visible_of(named: PackageQuerySet, actor: Actor) -> list[Package]:
    """The visible ones among the few of one name, the earliest registered first.

    Sifted here, since SQLite, asked for name and visibility at once, walks through everything public.
    """
    return [package for package in named.order_by("pk") if package.is_visible_to(actor)]


def find_release(package: Package, version: str, actor: Actor, *, even_uncovered: bool = False) -> Release:
    """The release of that version, in any spelling, or under that dist-tag. Removed ones are found, too.

    Raises NotFound; NotCovered where a licence key does not open it, unless the caller will say so themselves.
    For the holder of a key, `latest` is the newest version that it opens.
    """
    found = _found(package, version)
    if version == "latest" and covering.objection_to(found, actor) is not None:
        return covering.latest(package, actor)
    if not even_uncovered:
        covering.refuse_unless_covered(found, actor)
    return found


def _found(package: Package, version: str) -> Release:
    releases = package.releases.select_related("package__project", "project", "submitted_by")
    version = version.replace("\x00", "\ufffd")  # which PostgreSQL would not even look for
    try:
        canonical = ecosystems.get(package.ecosystem).canonical_version(version)
    except InvalidInput:
        canonical = version
    if (found := releases.filter(canonical=canonical).first()) is not None:
        return found
    if (tagged := _tagged(package, version)) is not None:
        return releases.get(pk=tagged)
    raise NotFound(f"{package.name} has no version or tag {version[:80]}. The page of the package lists them.")


def _tagged(package: Package, tag: str) -> int | None:
    releases = Release.objects.listed().filter(package=package)
    tagged = releases.filter(status=Release.Status.APPROVED, dist_tags__tag=tag).values_list("pk", flat=True).first()
    if tagged is None and tag == "latest":
        return releases.filter(version=package.latest_version).values_list("pk", flat=True).first()
    return tagged


def resolve(package: Package, text: str, prerelease: bool = False, actor: Actor = SYSTEM) -> tuple[str, int]:
    """The version an installer would choose among the approved ones, and how many satisfied the range.

    The holder of a licence key is offered what it opens.
    Raises InvalidInput for a bad range, NotFound when nothing satisfies it.
    """
    rules = ecosystems.get(package.ecosystem)
    wanted = rules.parse_range(text)
    approved = Release.objects.approved().filter(package=package)
    if covering.is_restricted(package, actor):
        versions = [one.version for one in covering.covered(approved.select_related("package"), actor)]
        if not versions:
            covering.latest(package, actor)  # which says why the key opens nothing here
    else:
        versions = list(approved.values_list("version", flat=True))
    candidates = [version for version in versions if wanted.contains(version, prerelease=prerelease)]
    best = rules.best(versions, text, prerelease=prerelease)
    if best is None:
        raise NotFound(f"No approved version of {package.name} satisfies {text[:80]}.")
    return best, len(candidates)


# --- dependency trees ----------------------------------------------------------------------------------------------
@dataclass(slots=True)
class _Held:
    """What is held here of the packages that a tree reaches, loaded level by level: two queries per level."""

    ecosystem: str
    actor: Actor
    versions: dict[str, dict[str, Release]] = field(default_factory=dict)
    needs: dict[int, list[Dependency]] = field(default_factory=dict)

    def load(self, names: set[str]) -> None:
        """Fetch the approved releases of these names."""
        names -= self.versions.keys()
        self.versions.update({name: {} for name in names})
        visible = Package.objects.visible_to(self.actor).filter(ecosystem=self.ecosystem, normalized__in=names)
        held = Release.objects.approved().filter(package__in=visible).select_related("package")
        for release in covering.covered(held, self.actor):
            self.versions[release.package.normalized][release.version] = release

    def load_needs(self, releases: list[Release]) -> None:
        """Fetch what these releases depend on."""
        missing = [release.pk for release in releases if release.pk not in self.needs]
        self.needs.update({pk: [] for pk in missing})
        for need in Dependency.objects.filter(release__in=missing, kind__in=TREE_KINDS):
            self.needs[need.release_id].append(need)

    def choose(self, need: Dependency) -> Release | None:
        """The release an installer would choose for the need; None when nothing here satisfies it."""
        held = self.versions.get(need.normalized, {})
        try:
            version = ecosystems.get(self.ecosystem).best(held, need.range)
        except (InvalidInput, Refused):
            return None
        return held[version] if version else None


@dataclass(slots=True)
class _Branch:
    """A node that still wants its dependencies: its release, how deep it stands and what stands above it."""

    node: dict[str, Any]
    release: Release
    depth: int
    above: frozenset[int]


def tree(release: Release, depth: int, actor: Actor) -> dict[str, Any]:
    """The dependency tree to `depth` levels (contract section 3): cycles cut, repeats named once.

    Grown breadth first, so that a subtree stands in full where it is nearest to the root, and each level costs
    two queries however wide it is. Raises Refused beyond 10,000 nodes.
    """
    held = _Held(release.package.ecosystem, actor)
    root = _node(release.package.name, release.version, "", release.status)
    level = [_Branch(root, release, 0, frozenset({release.pk}))]
    expanded: set[int] = set()
    nodes = 1
    while level and level[0].depth < depth:
        grown = _grow(level, held, expanded)
        nodes += sum(len(branch.node["dependencies"]) for branch in level)
        if nodes > NODE_LIMIT:
            raise Refused(
                f"The tree has more than {NODE_LIMIT:,} nodes. Ask for a smaller depth.", code="tree_too_large"
            )
        level = grown
    return root


def _grow(level: list[_Branch], held: _Held, expanded: set[int]) -> list[_Branch]:
    """Hang the dependencies of one level below it; returns the branches that grow further."""
    held.load_needs([branch.release for branch in level])
    held.load({need.normalized for branch in level for need in held.needs[branch.release.pk]})
    further: deque[_Branch] = deque()
    for branch in level:
        if branch.release.pk in expanded and held.needs[branch.release.pk]:
            branch.node["repeated"] = True
            continue
        expanded.add(branch.release.pk)
        for need in held.needs[branch.release.pk]:
            node, chosen = _hang(branch, need, held)
            if chosen is not None and chosen.pk not in branch.above:
                further.append(_Branch(node, chosen, branch.depth + 1, branch.above | {chosen.pk}))
    return list(further)


def _hang(branch: _Branch, need: Dependency, held: _Held) -> tuple[dict[str, Any], Release | None]:
    chosen = held.choose(need)
    node = _node(need.name, chosen.version if chosen else None, need.range, chosen.status if chosen else None)
    if chosen is None:
        node["unresolved"] = True
    elif chosen.pk in branch.above:
        node["circular"] = True
    branch.node["dependencies"].append(node)
    return node, chosen


def _node(name: str, version: str | None, text: str, status: str | None) -> dict[str, Any]:
    return {"name": name, "version": version, "range": text, "status": status, "dependencies": []}


def depth_from(text: str) -> int:
    """The depth parameter: shallow or 0, 1 to 20, or full. Raises InvalidInput."""
    words = {"shallow": 0, "full": FULL_DEPTH}
    if text in words:
        return words[text]
    if text.isascii() and text.isdigit() and len(text) <= 2 and int(text) <= 20:
        return int(text)
    raise InvalidInput("Give depth as shallow, full, or a number from 0 to 20.", details={"depth": [text[:40]]})
