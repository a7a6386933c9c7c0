"""Everything a maintainer needs to decide over one release, read in a fixed number of queries."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from accounts.actors import Actor
from registry import approving, diffing, gates
from registry.admin.queue import Progress
from registry.models import Artifact, Check, Decision, Package, Release, ReleaseManifest


@dataclass(frozen=True, slots=True)
class License:
    """What was declared, what was recognised in the files, and what the policy says of it."""

    expression: str
    declared: str
    detected: Sequence[str]
    policy: str


@dataclass(slots=True)
class Evidence:
    """The middle column of the review page."""

    release: Release
    progress: Progress
    manifest: ReleaseManifest
    artifacts: list[Artifact]
    diff: diffing.ReleaseDiff
    files: list[diffing.File]
    license: License
    decisions: list[Decision]
    siblings: list[tuple[str, int]] = field(default_factory=list)

    @property
    def primary(self) -> Artifact | None:
        """The file that decisions bind to."""
        return self.artifacts[0] if self.artifacts else None

    @property
    def is_new_signer(self) -> bool:
        """Whether the approved version before was signed by another key."""
        previous = self.diff.previous.artifacts.first() if self.diff.previous else None
        if not (self.primary and self.primary.signature and previous and previous.signature):
            return False
        return previous.signature_fingerprint != self.primary.signature_fingerprint


def gather(release: Release) -> Evidence:
    """The evidence on a release that was loaded with its package."""
    checks = list(release.checks.all())
    by_name = {check.name: check for check in checks}
    artifacts = list(release.artifacts.all())
    manifest = ReleaseManifest.objects.filter(release=release).first() or ReleaseManifest(release=release)
    return Evidence(
        release=release,
        progress=Progress(checks),
        manifest=manifest,
        artifacts=artifacts,
        diff=diffing.compare(release),
        files=diffing.listing(artifacts[0]) if artifacts else [],
        license=_license(release, manifest, _details(by_name, "license")),
        decisions=list(release.decisions.all()[:10]),
        siblings=_siblings(release.package),
    )


def _details(checks: dict[str, Check], name: str) -> dict[str, Any]:
    return checks[name].details if name in checks and isinstance(checks[name].details, dict) else {}


def _license(release: Release, manifest: ReleaseManifest, details: dict[str, Any]) -> License:
    return License(
        expression=str(details.get("expression") or release.license),
        declared=str(details.get("declared") or manifest.license_declared),
        detected=[str(one) for one in details.get("detected", [])],
        policy=str(details.get("policy", "")),
    )


def _siblings(package: Package) -> list[tuple[str, int]]:
    """How many versions of the package stand in which state."""
    counts: dict[str, int] = {}
    for status in package.releases.values_list("status", flat=True):
        counts[status] = counts.get(status, 0) + 1
    return sorted(counts.items())


# --- what stands in the way ----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Standing:
    """The right column: the gates' verdicts, and what they leave open to this maintainer."""

    verdicts: list[gates.Verdict]
    is_own: bool
    can_decide: bool
    can_quarantine: bool
    needs_override: bool

    @property
    def objections(self) -> list[gates.Verdict]:
        """Verdicts that an approval would overrule; that a person must decide is none to that person."""
        return [verdict for verdict in self.verdicts if verdict.answer != "allow" and verdict.gate != "review"]


def standing(release: Release, actor: Actor) -> Standing:
    """What the gates say of approving this release, to this maintainer."""
    verdicts = gates.ask("approving", release, actor)
    open_to_decision = release.status in (Release.Status.PENDING, Release.Status.QUARANTINED)
    own = actor.user is not None and release.submitted_by_id == actor.user.pk
    return Standing(
        verdicts=verdicts,
        is_own=own and not settings.REVIEW_SELF_APPROVAL,
        can_decide=open_to_decision and not release.is_unlisted,
        can_quarantine=release.status == Release.Status.APPROVED and not release.is_unlisted,
        needs_override=any(map(approving.needs_override, verdicts)),
    )
