"""What changed between a release and the approved version before it: manifest, dependencies, files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from registry import ecosystems
from registry.models import Artifact, ArtifactContents, Dependency, Release, ReleaseManifest

FACTS = ("description", "homepage", "repository", "license_declared", "requires", "readme_format")
LISTS = ("keywords", "authors", "license_classifiers")
# What the raw manifest says, too, but is compared elsewhere, or differs in every version by its nature.
NOT_COMPARED = frozenset({
    "name", "version", "description", "homepage", "repository", "license", "keywords", "author", "authors",
    "dependencies", "devDependencies", "peerDependencies", "optionalDependencies", "bundledDependencies",
    "bundleDependencies", "peerDependenciesMeta", "requires_dist", "provides_extra", "classifiers", "readme",
    "readmeFilename", "gitHead", "_id", "_rev", "_resolved", "_integrity", "_from", "_npmVersion", "_nodeVersion",
    "Name", "Version", "Summary", "Home-page", "License", "License-Expression", "Keywords", "Author", "Author-email",
    "Requires-Dist", "Provides-Extra", "Classifier", "Description", "Requires-Python", "requires_python", "summary",
})  # fmt: skip
MAX_ROWS = 200
MAX_VALUE = 400


@dataclass(frozen=True, slots=True)
class Change:
    """One field before and after; an empty side means that it was not there."""

    field: str
    before: str
    after: str

    @property
    def kind(self) -> str:
        """Whether something was added, removed or changed."""
        return "added" if not self.before else "removed" if not self.after else "changed"


@dataclass(frozen=True, slots=True)
class File:
    """A file of either side. `before` and `after` are sizes in bytes, None where it does not stand."""

    path: str
    before: int | None
    after: int | None
    executable: bool = False

    @property
    def grown(self) -> int:
        """By how many bytes it grew."""
        return (self.after or 0) - (self.before or 0)


@dataclass(frozen=True, slots=True)
class ReleaseDiff:
    """What differs from `previous`; without one, everything is new and only `files_added` stays empty."""

    previous: Release | None
    manifest: tuple[Change, ...] = ()
    dependencies_added: tuple[Dependency, ...] = ()
    dependencies_removed: tuple[Dependency, ...] = ()
    dependencies_changed: tuple[Change, ...] = ()
    files_added: tuple[File, ...] = ()
    files_removed: tuple[File, ...] = ()
    files_changed: tuple[File, ...] = ()
    files_same: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing that is compared differs."""
        return not (
            self.manifest
            or self.dependencies_added
            or self.dependencies_removed
            or self.dependencies_changed
            or self.files_added
            or self.files_removed
            or self.files_changed
        )


def compare(release: Release) -> ReleaseDiff:
    """The differences to the last approved version before it; a fixed number of queries whatever the sizes."""
    previous = previous_approved(release)
    if previous is None:
        return ReleaseDiff(previous=None, dependencies_added=tuple(release.dependencies.all()))
    added, removed, changed = _compare_dependencies(previous, release)
    files_added, files_removed, files_changed, same = _compare_files(previous, release)
    return ReleaseDiff(
        previous=previous,
        manifest=_compare_manifests(previous, release),
        dependencies_added=added,
        dependencies_removed=removed,
        dependencies_changed=changed,
        files_added=files_added,
        files_removed=files_removed,
        files_changed=files_changed,
        files_same=same,
    )


def previous_approved(release: Release) -> Release | None:
    """The highest approved version below this one; if all are above, the lowest of them; None if there is none."""
    ecosystem = ecosystems.get(release.package.ecosystem)
    others = release.package.releases.filter(status=Release.Status.APPROVED).exclude(pk=release.pk)
    ranked = sorted((ecosystem.sort_key(version), pk) for pk, version in others.values_list("pk", "version"))
    if not ranked:
        return None
    below = [pk for key, pk in ranked if key < ecosystem.sort_key(release.version)]
    return Release.objects.select_related("package").get(pk=below[-1] if below else ranked[0][1])


# --- manifest ------------------------------------------------------------------------------------------------------
def _compare_manifests(previous: Release, release: Release) -> tuple[Change, ...]:
    """Changed facts, install scripts first, since they are what a reviewer must not miss."""
    rows = ReleaseManifest.objects.in_bulk([previous.pk, release.pk])
    before, after = _facts(rows.get(previous.pk)), _facts(rows.get(release.pk))
    before["license"], after["license"] = previous.license, release.license
    fields = sorted(before.keys() | after.keys(), key=lambda field: (not field.startswith("install script"), field))
    changes = (Change(field, before.get(field, ""), after.get(field, "")) for field in fields)
    differing = [change for change in changes if change.before != change.after]
    return tuple(change for change in differing if not _is_said(change, differing))[:MAX_ROWS]


def _is_said(change: Change, changes: Iterable[Change]) -> bool:
    """Whether another change says the same: scripts of the raw manifest, and a declaration that is the license."""
    kind, dot, name = change.field.partition(".")
    other = f"install script {name}" if kind == "scripts" and dot else "license" if kind == "license declared" else ""
    return any((one.field, one.before, one.after) == (other, change.before, change.after) for one in changes)


def _facts(manifest: ReleaseManifest | None) -> dict[str, str]:
    if manifest is None:
        return {}
    facts = {name.replace("_", " "): _text(getattr(manifest, name)) for name in FACTS}
    facts |= {name.replace("_", " "): ", ".join(map(str, getattr(manifest, name))) for name in LISTS}
    facts |= {f"install script {name}": _text(command) for name, command in manifest.install_scripts.items()}
    raw = {key: value for key, value in manifest.raw.items() if key not in NOT_COMPARED}
    return facts | _flat(raw)


def _flat(value: Mapping[str, Any], prefix: str = "", depth: int = 3) -> dict[str, str]:
    """A nested mapping as dotted names, three levels deep; what lies deeper stays one text."""
    flat: dict[str, str] = {}
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if isinstance(inner, Mapping) and inner and depth > 1:
            flat |= _flat(inner, f"{name}.", depth - 1)
        else:
            flat[name] = _text(inner)
    return flat


def _text(value: Any) -> str:
    if value in (None, "", [], {}):
        return ""
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"


# --- dependencies --------------------------------------------------------------------------------------------------
def _compare_dependencies(
    previous: Release, release: Release
) -> tuple[tuple[Dependency, ...], tuple[Dependency, ...], tuple[Change, ...]]:
    before = {_identity(edge): edge for edge in previous.dependencies.all()}
    after = {_identity(edge): edge for edge in release.dependencies.all()}
    added = tuple(edge for key, edge in after.items() if key not in before)
    removed = tuple(edge for key, edge in before.items() if key not in after)
    changed = tuple(
        Change(edge.name, before[key].range or "any", edge.range or "any")
        for key, edge in after.items()
        if key in before and before[key].range != edge.range
    )
    return added, removed, changed


def _identity(edge: Dependency) -> tuple[str, str, str, str]:
    return edge.ecosystem, edge.normalized, edge.kind, edge.marker


# --- files ---------------------------------------------------------------------------------------------------------
def _compare_files(
    previous: Release, release: Release
) -> tuple[tuple[File, ...], tuple[File, ...], tuple[File, ...], int]:
    """Files that came, went and changed, by path without the version in it; only kinds that both sides hold."""
    kinds_before, kinds_after = _listings(previous), _listings(release)
    shared = kinds_before.keys() & kinds_after.keys()
    before = _merge(kinds_before, shared)
    after = _merge(kinds_after, shared)
    added = [File(path, None, row[1], bool(row[3])) for path, row in after.items() if path not in before]
    removed = [File(path, row[1], None, bool(row[3])) for path, row in before.items() if path not in after]
    common = after.keys() & before.keys()
    changed = [
        File(path, before[path][1], after[path][1], bool(after[path][3]))
        for path in common
        if before[path][2] != after[path][2]
    ]
    return _by_path(added), _by_path(removed), _by_path(changed), len(common) - len(changed)


def _listings(release: Release) -> dict[str, list[tuple[str, int, str, bool]]]:
    """The entries of a release's artifacts by kind; of several of one kind (wheels), the first speaks for all."""
    listings: dict[str, list[tuple[str, int, str, bool]]] = {}
    rows = ArtifactContents.objects.filter(artifact__release=release).order_by("artifact_id")
    for kind, entries in rows.values_list("artifact__kind", "entries"):
        listings.setdefault(kind, [_entry(entry, release.version) for entry in entries])
    return listings


def _entry(entry: list[Any], version: str) -> tuple[str, int, str, bool]:
    path, size, sha256, executable = entry
    return versionless(path, version), size, sha256, executable


def versionless(path: str, version: str) -> str:
    """The path as differences name it: Python archives carry the version in their top folders."""
    top, slash, rest = path.partition("/")
    return top.replace(version, "…") + slash + rest


def _merge(
    kinds: dict[str, list[tuple[str, int, str, bool]]], shared: Iterable[str]
) -> dict[str, tuple[str, int, str, bool]]:
    many = len(list(shared)) > 1
    return {f"{kind}: {row[0]}" if many else row[0]: row for kind in sorted(shared) for row in kinds[kind]}


def _by_path(files: list[File]) -> tuple[File, ...]:
    return tuple(sorted(files, key=lambda file: (not file.executable, file.path)))


def listing(artifact: Artifact) -> list[File]:
    """The files inside one artifact, as the strict reader saw them."""
    contents = ArtifactContents.objects.filter(artifact=artifact).first()
    return [File(path, None, size, bool(flag)) for path, size, _, flag in contents.entries] if contents else []
