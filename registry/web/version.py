"""The page of a version: its decision record, evidence by evidence."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.actors import Actor
from registry import diffing, ecosystems, explaining, resolving, searching
from registry.errors import NotFound
from registry.models import Artifact, Check, Release
from registry.web import installing
from registry.web.package import known_ecosystem
from registry.web.package_view import Verdicts
from registry.web.pages import Page, plain_name

DECISIONS_SHOWN = 20


class VersionPage(Page):
    """One version."""

    template = "catalogue/version.html"

    def get(self, request: HttpRequest, ecosystem: str, name: str, version: str) -> HttpResponse:
        """Show verdicts, decisions, checks, files and what changed since the approved version before it."""
        package = resolving.find_package(plain_name(name), self.actor, known_ecosystem(ecosystem))
        release = resolving.find_release(package, plain_name(version), self.actor)
        checks = list(Check.objects.filter(release=release))
        explanation = explaining.explain(release, self.actor)
        artifacts = list(Artifact.objects.filter(release=release).order_by("id"))
        return self.show(
            query=searching.Query(),
            package=package,
            release=release,
            explanation=explanation,
            verdicts=Verdicts.of(explanation),
            decisions=release.decisions.all()[:DECISIONS_SHOWN],
            checks=checks,
            checks_done=sum(check.status not in Check.OPEN for check in checks),
            artifacts=artifacts,
            diff=_difference(release),
            installing=installing.of(
                request,
                release,
                artifacts,
                explanation,
                is_ambiguous=bool(resolving.also_in(package, self.actor)),
                has_needs=release.dependencies.filter(kind__in=resolving.TREE_KINDS).exists(),
            ),
            purl=ecosystems.get(package.ecosystem).purl(package.name, release.version),
            may_review=_may_review(self.actor, release),
            may_retire=_may_retire(self.actor, release),
            grace_hours=settings.PURGE_GRACE_HOURS,
        )


def _difference(release: Release) -> diffing.ReleaseDiff | None:
    """What changed since the last approved version; nothing for a tombstone."""
    if release.is_purged:
        return None
    try:
        return diffing.compare(release)
    except NotFound:
        return None


def _may_retire(actor: Actor, release: Release) -> bool:
    return actor.is_admin and actor.reaches(release.package.project_id) and not release.is_gone


def _may_review(actor: Actor, release: Release) -> bool:
    return actor.is_maintainer and not release.is_purged
