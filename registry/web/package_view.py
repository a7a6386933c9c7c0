"""What the page of a package says, each part read once and only if the page needs it."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Min
from django.http import HttpRequest
from django.utils.functional import cached_property

from accounts.actors import Actor
from registry import ecosystems, explaining, gates, resolving
from registry.models import Artifact, Check, Dependency, Package, Release, ReleaseManifest
from registry.web import charts, installing
from registry.web.listing import severities

WEEKS = 26


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


class PackageView:
    """What the page says of a package, each part read once, when the page needs it."""

    def __init__(self, package: Package, actor: Actor) -> None:
        self.package = package
        self.actor = actor

    @cached_property
    def latest(self) -> Release | None:
        """The version that the page speaks of: the latest, or the newest tombstone where nothing is listed."""
        own = Release.objects.filter(package=self.package).select_related("package__project", "project")
        named = own.filter(version=self.package.latest_version).first() if self.package.latest_version else None
        return named or own.order_by("-submitted_at").first()

    @cached_property
    def history(self) -> tuple[int, datetime | None]:
        """How many versions there are, removed ones included, and when the first arrived."""
        found = Release.objects.filter(package=self.package).aggregate(count=Count("pk"), first=Min("submitted_at"))
        return found["count"], found["first"]

    def newest_versions(self, offset: int, size: int) -> list[Release]:
        """A page of versions in the ecosystem's own order; only those of the page are read whole."""
        order = ecosystems.get(self.package.ecosystem)
        known = Release.objects.filter(package=self.package).order_by().values_list("version", "pk")
        ranked = sorted(known, key=lambda pair: order.sort_key(pair[0]), reverse=True)
        shown = [pk for _version, pk in ranked[offset : offset + size]]
        found = Release.objects.in_bulk(shown)
        return [found[pk] for pk in shown]

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

    @property
    def is_vouched_for(self) -> bool:
        """Whether somebody has approved what the latest version says."""
        return self.latest is None or self.latest.status == Release.Status.APPROVED

    @property
    def may_read_unreviewed(self) -> bool:
        """Whether the reader reviews the latest version, belongs to its project or asked for it."""
        release, actor = self.latest, self.actor
        if release is None or actor.is_maintainer or actor.sees_project(release.project_id):
            return True
        return actor.user is not None and release.submitted_by_id == actor.user.pk

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

    def installing(self, request: HttpRequest) -> installing.Installing | None:
        """The lines that install the latest version from here."""
        return installing.of(
            request,
            self.latest,
            self.artifacts,
            self.explanation,
            is_ambiguous=bool(self.also_in),
            has_needs=any(need.kind in resolving.TREE_KINDS for need in self.dependencies),
        )

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
