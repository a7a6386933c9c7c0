"""Clashes over the tree: which licenses of what a release brings along do not fit its own, and how they come in.

The release's license is what leaves (outbound), a dependency's what comes in. The matrix judges code that is passed
on as one work; how a dependency is really used, a person must say. So nothing here decides over a release.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from accounts.actors import Actor
from licensing import compatibility, spdx, wording
from licensing.compatibility import Answer
from licensing.expressions import Expression, License
from licensing.judging import category_of
from registry import covering, ecosystems, resolving
from registry.models import Check, Package, Release

CHECK = "license"
BATCH = 400
OPEN_TO_LIBRARIES = frozenset({"public-domain", "permissive", "weak-copyleft"})
AS_LIBRARY = "That is about code that is taken in: a library under {} that stays a work of its own may be used."
PACKAGE_COLUMNS = tuple(f"package__{name}" for name in ("ecosystem", "name", "normalized", "visibility", "project"))
GRAVITY = {"no": 0, "check": 1, "unknown": 2}

Held = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Reached:
    """A version that a tree reaches, and the shortest path to it from below the root, itself included."""

    name: str
    version: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """What the license of one version means for the whole."""

    reached: Reached
    license: str
    answer: Answer

    @property
    def is_clash(self) -> bool:
        """Whether the matrix says no."""
        return self.answer.word == "no"


@dataclass(frozen=True, slots=True)
class Clashes:
    """Everything that is not simply fine, clashes first; how many are; and which ranges nothing here satisfies."""

    license: str
    lines: tuple[Line, ...] = ()
    fine: int = 0
    unresolved: int = 0
    source: str = ""

    def saying(self, word: str) -> tuple[Line, ...]:
        """The lines of one answer: no, check or unknown."""
        return tuple(line for line in self.lines if line.answer.word == word)

    @property
    def clashing(self) -> tuple[Line, ...]:
        """What the matrix says no to."""
        return self.saying("no")

    @property
    def to_look_at(self) -> tuple[Line, ...]:
        """What the matrix leaves to somebody who knows how it is used."""
        return self.saying("check")

    @property
    def unknown(self) -> tuple[Line, ...]:
        """What the matrix is silent on, or nobody declared."""
        return self.saying("unknown")


def over_tree(release: Release, actor: Actor, depth: int = resolving.FULL_DEPTH) -> Clashes:
    """The clashes of a release with what it brings along, as resolved from what the actor may see here.

    Two queries for each level of the tree, and two for every 400 versions in it. Raises Refused for trees of more
    than 10,000 nodes.
    """
    root = resolving.tree(release, depth, actor)
    found = list(reached(root))
    own = licenses_of(release.package.ecosystem, {(release.package.normalized, release.version)}, None)
    text = next(iter(own.values()), release.license)
    return among(text, release.package.ecosystem, found, actor, unresolved=_unresolved(root))


def among(license: str, ecosystem: str, versions: Iterable[Reached], actor: Actor, unresolved: int = 0) -> Clashes:
    """The clashes of a work under `license` with these versions; what is not held here, or not visible, is unknown."""
    rules = ecosystems.get(ecosystem)
    keyed = {one: (rules.normalize_name(one.name), one.version) for one in versions}
    held = licenses_of(ecosystem, set(keyed.values()), actor)
    return judge(license, ((one, held.get(key, "")) for one, key in keyed.items()), unresolved)


def judge(license: str, parts: Iterable[tuple[Reached, str]], unresolved: int = 0) -> Clashes:
    """The clashes of a work under `license` with parts whose licenses are given; asks no database."""
    answers: dict[str, Answer] = {}
    lines = []
    for one, text in parts:
        if text not in answers:
            answers[text] = between(license, text)
        lines.append(Line(one, text, answers[text]))
    telling = [line for line in lines if line.answer.word != "yes"]
    telling.sort(key=lambda line: (GRAVITY[line.answer.word], len(line.reached.path), line.reached.name))
    return Clashes(license, tuple(telling), len(lines) - len(telling), unresolved, compatibility.source())


def between(license: str, text: str) -> Answer:
    """May a work under `license` take in what is under `text`; of several that a phrase may mean, the worst counts."""
    outbound, inbound = _meant(license), _meant(text)
    if outbound and inbound:
        pairs = ((whole, part) for whole in outbound for part in inbound)
        return compatibility.worst(compatibility.between(*pair, as_dependency) for pair in pairs)
    silent = text if outbound else license
    said = f"“{silent[:80]}” is nothing that the matrix could be asked about." if silent else "No license is declared."
    return Answer("unknown", license, text, said)


def as_dependency(outbound: License, inbound: License) -> Answer:
    """The matrix's answer, softened where it says no to copied code only.

    A library under a weak copyleft (LGPL, MPL, EPL) may be used by a work under nearly any license as long as it stays
    a work of its own. Only a strong copyleft of the whole can forbid that, so there the matrix's no stays a no.
    """
    answer = compatibility.of_leaves(outbound, inbound)
    if (
        answer.word != "no"
        or category_of(inbound) != "weak-copyleft"
        or category_of(outbound) not in OPEN_TO_LIBRARIES
    ):
        return answer
    return replace(answer, word="check", explanation=f"{answer.explanation} {AS_LIBRARY.format(inbound)}".strip())


def _meant(text: str) -> list[Expression]:
    """The expression, or every member of a family (“BSD”); nothing for what names no license of the SPDX list."""
    reading = wording.read(text)
    return [reading.expression] if reading.expression else [spdx.parse(one) for one in reading.candidates]


# --- what the tree reaches -----------------------------------------------------------------------------------------
def reached(root: dict[str, Any]) -> Iterator[Reached]:
    """Every version in the tree once, by its shortest path; the root's own version left out."""
    seen = {(root["name"], root["version"])}
    waiting: deque[tuple[dict[str, Any], tuple[str, ...]]] = deque([(root, ())])
    while waiting:
        node, path = waiting.popleft()
        for child in node["dependencies"]:
            key = (child["name"], child["version"])
            if child["version"] is None or key in seen:
                continue
            seen.add(key)
            below = (*path, f"{child['name']} {child['version']}")
            yield Reached(child["name"], child["version"], below)
            waiting.append((child, below))


def _unresolved(root: dict[str, Any]) -> int:
    """How many different needs nothing here satisfies."""
    waiting, found = [root], set()
    while waiting:
        for child in waiting.pop()["dependencies"]:
            if child.get("unresolved"):
                found.add((child["name"], child["range"]))
            waiting.append(child)
    return len(found)


def licenses_of(ecosystem: str, keys: set[Held], actor: Actor | None) -> dict[Held, str]:
    """(normal name, version) -> the expression that the license check found, else what was declared."""
    ordered = sorted(keys)
    found: dict[Held, str] = {}
    for start in range(0, len(ordered), BATCH):
        found |= _some_licenses(ecosystem, set(ordered[start : start + BATCH]), actor)
    return found


def _some_licenses(ecosystem: str, keys: set[Held], actor: Actor | None) -> dict[Held, str]:
    packages = Package.objects.visible_to(actor) if actor else Package.objects.all()
    named = packages.filter(ecosystem=ecosystem, normalized__in={name for name, _ in keys})
    rows = Release.objects.filter(package__in=named, version__in={version for _, version in keys})
    read = rows.select_related("package").only("version", "license", "submitted_at", *PACKAGE_COLUMNS)
    releases = [one for one in read if (one.package.normalized, one.version) in keys]
    if actor:
        releases = covering.covered(releases, actor)
    wanted = {one.pk: ((one.package.normalized, one.version), one.license) for one in releases}
    checks = Check.objects.filter(name=CHECK, release__in=wanted)
    found = dict(checks.values_list("release_id", "details__expression"))
    return {key: str(found.get(pk) or declared) for pk, (key, declared) in wanted.items()}
