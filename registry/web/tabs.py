"""The tabs of a package's page: each is an address of its own and reads only what it shows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry import resolving
from registry.models import ArtifactContents, Check, Decision, Dependency, Package, Release
from registry.web import dependency_tree, paging, readme
from registry.web.listing import severities
from registry.web.package_view import PackageView

VERSIONS_SHOWN = 50
FILES_SHOWN = 200
KINDS = {
    "runtime": gettext_lazy("Needed to run"),
    "optional": gettext_lazy("Optional"),
    "peer": gettext_lazy("Expected beside it"),
    "extra": gettext_lazy("For extras"),
    "dev": gettext_lazy("For development"),
}
DECISIONS_SHOWN = 50
DEPENDENTS_READ = 500
DEPENDENTS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab: its name in the address, its word, and how many things it holds."""

    name: str
    label: str
    count: int | None
    current: bool


def tabs_of(view: PackageView, current: str) -> list[Tab]:
    """The row of tabs, with how much each holds."""
    findings = sum(count for _name, count in view.findings)
    words: list[tuple[str, str, int | None]] = [
        ("readme", _("Readme"), None),
        ("versions", _("Versions"), view.history[0]),
        ("dependencies", _("Dependencies"), sum(need.kind in resolving.TREE_KINDS for need in view.dependencies)),
        ("security", _("Checks and security"), findings or None),
        ("files", _("Files"), len(view.artifacts)),
        ("activity", _("Activity"), None),
    ]
    return [Tab(name, label, count, name == current) for name, label, count in words]


def _readme(view: PackageView, request: HttpRequest) -> dict[str, Any]:
    """The README; of a version that nobody has approved only for those who review or own it."""
    if not view.is_vouched_for and not view.may_read_unreviewed:
        return {"html": "", "is_withheld": True}
    manifest = view.manifest
    if manifest is None or not manifest.readme.strip():
        return {"html": ""}
    return {"html": readme.render(manifest.readme, manifest.readme_format), "is_unreviewed": not view.is_vouched_for}


def _versions(view: PackageView, request: HttpRequest) -> dict[str, Any]:
    """One page of versions, with their tags and known flaws: four queries, however many."""
    pager = paging.Pager.of(request.GET, view.history[0], VERSIONS_SHOWN)
    shown = view.newest_versions(pager.offset, VERSIONS_SHOWN)
    tags: dict[int, list[str]] = {}
    for tag, release_id in view.package.dist_tags.order_by("tag").values_list("tag", "release_id"):
        tags.setdefault(release_id, []).append(tag)
    checks = Check.objects.filter(name="vulnerabilities", release__in=[one.pk for one in shown])
    found = dict(checks.values_list("release_id", "details"))
    rows = [(one, tags.get(one.pk, []), severities(found.get(one.pk, {}))) for one in shown]
    return {"rows": rows, "pager": pager}


def _dependencies(view: PackageView, request: HttpRequest) -> dict[str, Any]:
    """What it needs, by kind, each with the package held here, and who here needs this package."""
    held = _held(view, {need.normalized for need in view.dependencies})
    groups: dict[str, list[tuple[Dependency, Package | None]]] = {}
    for need in view.dependencies:
        groups.setdefault(need.kind, []).append((need, held.get(need.normalized)))
    return {
        "groups": [(KINDS.get(kind, kind), rows) for kind, rows in groups.items()],
        "dependents": _dependents(view),
        "tree": dependency_tree.grow(view.latest, view.actor) if view.latest else None,
    }


def _held(view: PackageView, names: set[str]) -> dict[str, Package]:
    visible = Package.objects.visible_to(view.actor).filter(ecosystem=view.package.ecosystem, normalized__in=names)
    return {package.normalized: package for package in visible}


def _dependents(view: PackageView) -> list[Package]:
    """The most used of the packages here that need this one."""
    using = Dependency.objects.filter(
        ecosystem=view.package.ecosystem, normalized=view.package.normalized, kind__in=resolving.TREE_KINDS
    )
    ids = using.order_by().values_list("release__package", flat=True).distinct()[:DEPENDENTS_READ]
    found = Package.objects.in_bulk(list(ids)).values()
    visible = [one for one in found if one.latest_version and one != view.package and one.is_visible_to(view.actor)]
    return sorted(visible, key=lambda one: (-one.downloads, one.name))[:DEPENDENTS_SHOWN]


def _security(view: PackageView, request: HttpRequest) -> dict[str, Any]:
    return {"manifest": view.manifest}


def _files(view: PackageView, request: HttpRequest) -> dict[str, Any]:
    primary = view.artifacts[0] if view.artifacts else None
    contents = ArtifactContents.objects.filter(artifact=primary).first() if primary else None
    entries = contents.entries if contents else []
    return {"primary": primary, "entries": entries[:FILES_SHOWN], "more": max(0, len(entries) - FILES_SHOWN)}


def _activity(view: PackageView, request: HttpRequest) -> dict[str, Any]:
    """What was decided, and what arrived, newest first."""
    decisions = Decision.objects.filter(release__package=view.package).select_related("release__package")
    arrivals = Release.objects.filter(package=view.package).order_by("-submitted_at")
    events: list[tuple[Any, str, Any]] = [(one.at, "decision", one) for one in decisions[:DECISIONS_SHOWN]]
    events += [(one.submitted_at, "arrival", one) for one in arrivals[:DECISIONS_SHOWN]]
    return {"events": sorted(events, key=lambda event: event[0], reverse=True)[:DECISIONS_SHOWN]}


SECTIONS: dict[str, Callable[[PackageView, HttpRequest], dict[str, Any]]] = {
    "readme": _readme,
    "versions": _versions,
    "dependencies": _dependencies,
    "security": _security,
    "files": _files,
    "activity": _activity,
}
