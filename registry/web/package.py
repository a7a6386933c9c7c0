"""The page of a package: may I use it, how do I install it, what is in it, who decided what about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actors import Actor
from registry import documents, ecosystems, explaining, gates, resolving, searching
from registry.models import Artifact, ArtifactContents, Check, Decision, Dependency, Package, Release, ReleaseManifest
from registry.web import charts, paging, readme
from registry.web.listing import severities
from registry.web.pages import Page, plain_name

WEEKS = 26
VERSIONS_SHOWN = 50
FILES_SHOWN = 500
KINDS = {
    "runtime": gettext_lazy("Needed to run"),
    "optional": gettext_lazy("Optional"),
    "peer": gettext_lazy("Expected beside it"),
    "extra": gettext_lazy("For extras"),
    "dev": gettext_lazy("For development"),
}
DECISIONS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab: its name in the address, its word, and how many things it holds."""

    name: str
    label: str
    count: int | None
    current: bool


class PackagePage(Page):
    """A package, with the tab that the address names."""

    template = "catalogue/package.html"

    def get(self, request: HttpRequest, ecosystem: str, name: str) -> HttpResponse:
        """Show the package; what is private to others does not exist."""
        package = resolving.find_package(plain_name(name), self.actor, known_ecosystem(ecosystem))
        view = PackageView(package, self.actor)
        asked = request.GET.get("tab", "readme")
        tab = asked if asked in SECTIONS else "readme"
        return self.show(
            query=searching.Query(),
            view=view,
            package=package,
            tab=tab,
            tabs=_tabs(view, tab),
            section=SECTIONS[tab](view, request),
        )


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the gates say to this reader now, and what approval asks, or asked when it was decided."""

    now: tuple[gates.Verdict, ...]
    approving: tuple[gates.Verdict, ...]

    @classmethod
    def of(cls, explanation: explaining.Explanation) -> "Verdicts":
        """The explanation's verdicts; those asked at download come first in it."""
        asked_now = len(settings.REGISTRY_GATES["downloading"])
        return cls(explanation.verdicts[:asked_now], explanation.verdicts[asked_now:])


def known_ecosystem(slug: str) -> str:
    """The slug, if it is one; raises InvalidInput naming the known ones."""
    return ecosystems.get(slug).slug


class PackageView:
    """What the page says of a package, each part read once, when the page needs it."""

    def __init__(self, package: Package, actor: Actor) -> None:
        self.package = package
        self.actor = actor

    @cached_property
    def releases(self) -> list[Release]:
        """Every version in the ecosystem's own order, newest first; removed ones stay as tombstones."""
        rows = Release.objects.filter(package=self.package).select_related("package__project", "project")
        return documents.newest_first(self.package.ecosystem, rows)

    @cached_property
    def latest(self) -> Release | None:
        """The version that the page speaks of."""
        named = (one for one in self.releases if one.version == self.package.latest_version)
        return next(named, self.releases[0] if self.releases else None)

    @cached_property
    def explanation(self) -> explaining.Explanation | None:
        """May this reader have the latest version, and why not?"""
        return explaining.explain(self.latest, self.actor) if self.latest else None

    @property
    def verdicts(self) -> "Verdicts | None":
        """The explanation's verdicts, parted."""
        return Verdicts.of(self.explanation) if self.explanation else None

    @cached_property
    def manifest(self) -> ReleaseManifest | None:
        """What the latest version says of itself."""
        return ReleaseManifest.objects.filter(release=self.latest).first()

    @cached_property
    def artifacts(self) -> list[Artifact]:
        """The files of the latest version."""
        return list(Artifact.objects.filter(release=self.latest).order_by("id"))

    @cached_property
    def checks(self) -> list[Check]:
        """The automated checks of the latest version, in their order."""
        return list(Check.objects.filter(release=self.latest))

    @cached_property
    def dependencies(self) -> list[Dependency]:
        """What the latest version asks for."""
        return list(Dependency.objects.filter(release=self.latest))

    @cached_property
    def maintainers(self) -> list[str]:
        """Who may publish new versions."""
        return list(self.package.maintainers.order_by("id").values_list("user__username", flat=True))

    @cached_property
    def also_in(self) -> list[str]:
        """Other ecosystems with a package of this name."""
        return resolving.also_in(self.package, self.actor)

    @cached_property
    def downloads(self) -> charts.Chart:
        """Downloads by week."""
        counts = charts.by_day([self.package.pk], WEEKS * 7)
        return charts.weekly(counts.get(self.package.pk, {}), WEEKS, height=44, step=10)

    @cached_property
    def install_commands(self) -> list[tuple[str, str]]:
        """Client and command line; none while nothing is served."""
        if self.latest is None or not self.latest.is_served or self.latest.is_unlisted:
            return []
        return ecosystems.get(self.package.ecosystem).install_commands(self.package.name, self.latest.version)

    @cached_property
    def purl(self) -> str:
        """The package URL of the latest version."""
        return ecosystems.get(self.package.ecosystem).purl(self.package.name, self.package.latest_version)

    @property
    def findings(self) -> tuple[tuple[str, int], ...]:
        """Known flaws of the latest version, by severity."""
        return next((severities(check.details) for check in self.checks if check.name == "vulnerabilities"), ())

    @property
    def checks_done(self) -> int:
        """How many checks have ended."""
        return sum(check.status not in Check.OPEN for check in self.checks)

    @property
    def first_published(self) -> Any:
        """When the first version arrived."""
        return min((one.submitted_at for one in self.releases), default=self.package.created_at)


# --- tabs ----------------------------------------------------------------------------------------------------------
def _tabs(view: PackageView, current: str) -> list[Tab]:
    findings = sum(count for _name, count in view.findings)
    words: list[tuple[str, str, int | None]] = [
        ("readme", _("Readme"), None),
        ("versions", _("Versions"), len(view.releases)),
        ("dependencies", _("Dependencies"), sum(need.kind in resolving.TREE_KINDS for need in view.dependencies)),
        ("security", _("Checks and security"), findings or None),
        ("files", _("Files"), len(view.artifacts)),
        ("activity", _("Activity"), None),
    ]
    return [Tab(name, label, count, name == current) for name, label, count in words]


def _readme(view: PackageView, request: HttpRequest) -> dict[str, Any]:
    manifest = view.manifest
    if manifest is None or not manifest.readme.strip():
        return {"html": ""}
    return {"html": readme.render(manifest.readme, manifest.readme_format)}


def _versions(view: PackageView, request: HttpRequest) -> dict[str, Any]:
    """One page of versions, with their tags and known flaws: two queries, however many."""
    pager = paging.Pager.of(request.GET, len(view.releases), VERSIONS_SHOWN)
    shown = view.releases[pager.offset : pager.offset + VERSIONS_SHOWN]
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
    }


def _held(view: PackageView, names: set[str]) -> dict[str, Package]:
    visible = Package.objects.visible_to(view.actor).filter(ecosystem=view.package.ecosystem, normalized__in=names)
    return {package.normalized: package for package in visible}


def _dependents(view: PackageView) -> list[Package]:
    using = Dependency.objects.filter(
        ecosystem=view.package.ecosystem, normalized=view.package.normalized, kind__in=resolving.TREE_KINDS
    )
    visible = Package.objects.visible_to(view.actor).listed().exclude(pk=view.package.pk)
    return list(visible.filter(pk__in=using.values("release__package")).order_by("-downloads", "name")[:20])


def _security(view: PackageView, request: HttpRequest) -> dict[str, Any]:
    return {"findings": findings_of(view.checks), "manifest": view.manifest}


def findings_of(checks: list[Check]) -> list[dict[str, Any]]:
    """The known flaws that the vulnerability check names, with links that may be followed."""
    for check in checks:
        if check.name == "vulnerabilities":
            return list(check.details.get("findings", []))[:200]
    return []


def _files(view: PackageView, request: HttpRequest) -> dict[str, Any]:
    primary = view.artifacts[0] if view.artifacts else None
    contents = ArtifactContents.objects.filter(artifact=primary).first() if primary else None
    entries = contents.entries if contents else []
    return {"primary": primary, "entries": entries[:FILES_SHOWN], "more": max(0, len(entries) - FILES_SHOWN)}


def _activity(view: PackageView, request: HttpRequest) -> dict[str, Any]:
    """What was decided, and what arrived, newest first."""
    decisions = Decision.objects.filter(release__package=view.package).select_related("release__package")
    events: list[tuple[Any, str, Any]] = [(one.at, "decision", one) for one in decisions[:DECISIONS_SHOWN]]
    events += [(one.submitted_at, "arrival", one) for one in view.releases[:DECISIONS_SHOWN]]
    return {"events": sorted(events, key=lambda event: event[0], reverse=True)[:DECISIONS_SHOWN]}


SECTIONS: dict[str, Callable[[PackageView, HttpRequest], dict[str, Any]]] = {
    "readme": _readme,
    "versions": _versions,
    "dependencies": _dependencies,
    "security": _security,
    "files": _files,
    "activity": _activity,
}
