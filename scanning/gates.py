"""The approving gates of scanning: is the release known to be unsafe, and is it old enough?"""

from django.utils import timezone

from accounts.actors import Actor
from registry.gates import Verdict
from registry.models import Release
from scanning import aging, checks, judging, policies, running
from scanning.judging import Assessment
from scanning.models import AffectedPackage, Breach, Finding, Kind, Scan

GATE = "vulnerabilities"
AGE = "age"


def is_safe(release: Release, actor: Actor) -> Verdict:
    """Deny on a finding that blocks by the policy and that no live waiver covers; hold while no scan has ended.

    Where nothing could be consulted (no advisories are loaded, or none exist for the ecosystem) it passes and says
    so: an instance without advisories must not stop all work, and must not claim to have looked.
    """
    scan = running.current(release)
    if scan is None:
        return Verdict(GATE, "hold", "SCAN_PENDING", checks.NOT_YET, remedy="Wait for the scan.")
    assessment = judging.assess(list(scan.findings.all()), release)
    if assessment.blocking:
        return _against(assessment, release)
    return _in_order(assessment) if running.has_looked(scan) else _unscanned(scan)


def is_old_enough(release: Release, actor: Actor) -> Verdict:
    """Hold a version that is younger than the policy's cooldown, and say until when."""
    at = policies.rules_for(release.project_id).old_enough_at(release)
    if at is None or at <= timezone.now():
        return Verdict(AGE, "allow", "OLD_ENOUGH", "It is old enough.")
    return Verdict(
        AGE,
        "hold",
        "TOO_NEW",
        f"{aging.since(release)}, and the policy waits until {at:%Y-%m-%d %H:%M} UTC.",
        remedy="Wait until then, or use an older version.",
        until=at,
    )


def _unscanned(scan: Scan) -> Verdict:
    reasons = running.reasons(scan)
    if any(tool["failed"] for tool in scan.tools_unavailable) or _would_know_now(scan):
        return Verdict(
            GATE, "hold", "SCAN_ERRORED", f"No scanner could look at it. {reasons}", remedy="Ask for another scan."
        )
    return Verdict(GATE, "allow", "NOT_SCANNED", f"It was not scanned for known flaws. {reasons}")


def _would_know_now(scan: Scan) -> bool:
    """Whether advisories about its ecosystem have arrived since."""
    return AffectedPackage.objects.filter(ecosystem=scan.release.package.ecosystem).exists()


def _against(assessment: Assessment, release: Release) -> Verdict:
    """Denied; what was approved already only is flagged, where the policy has it so."""
    worst = assessment.blocking[0]
    fix, remedy = _way_out(worst)
    stays = assessment.rules.breach == Breach.FLAG and release.status == Release.Status.APPROVED
    return Verdict(
        GATE,
        "allow" if stays else "deny",
        "FLAGGED" if stays else "VULNERABLE",
        f"{judging.describe(assessment.counts, len(assessment.waivers)).capitalize()}. The gravest is "
        f"{worst.identifier} ({worst.severity}): {worst.summary.rstrip('.') or 'no summary'}.{fix}",
        details_url=worst.url,
        remedy=remedy,
        until=None if stays else assessment.until,
        grounds=tuple((finding.identifier, *finding.aliases) for finding in assessment.blocking),
    )


def _way_out(worst: Finding) -> tuple[str, str]:
    """Where the gravest finding is fixed, and what to do about it."""
    if worst.kind == Kind.SECRET:
        return "", "Revoke it, and publish a version without it."
    if worst.fixed_in:
        return f" It is fixed in {worst.fixed_in}.", f"Use {worst.fixed_in} or later."
    unknown = " No fixed version is known." if worst.kind == Kind.VULNERABILITY else ""
    return unknown, "Ask a maintainer for a waiver."


def _in_order(assessment: Assessment) -> Verdict:
    if assessment.status == "warned":
        counts = judging.describe(assessment.counts, len(assessment.waivers)).capitalize()
        return Verdict(GATE, "allow", "MINOR_FLAWS", f"{counts}. None of them blocks.", until=assessment.until)
    if assessment.waivers:
        text = "Every known flaw that counts is waived for now."
        return Verdict(GATE, "allow", "WAIVED", text, until=assessment.until)
    return Verdict(GATE, "allow", "NO_KNOWN_FLAWS", "No loaded advisory is about this version.")
