"""The approving gate of scanning: is the release known to be unsafe?"""

from accounts.actors import Actor
from registry.gates import Verdict
from registry.models import Release
from scanning import judging, running
from scanning.judging import Assessment
from scanning.models import Advisory, Scan

GATE = "vulnerabilities"


def is_safe(release: Release, actor: Actor) -> Verdict:
    """Deny on a critical or high flaw that no live waiver covers; hold while no scan has ended.

    Where nothing could be consulted (no advisories are loaded, or none exist for the ecosystem) it passes and says
    so: an instance without advisories must not stop all work, and must not claim to have looked.
    """
    scan = running.latest(release)
    if scan is None or scan.status == Scan.Status.PENDING:
        return Verdict(GATE, "hold", "SCAN_PENDING", "It has not been scanned yet.", remedy="Wait for the scan.")
    if scan.status == Scan.Status.ERRORED:
        return _unscanned(scan)
    return _assessed(judging.assess(list(scan.findings.all()), release))


def _unscanned(scan: Scan) -> Verdict:
    reasons = " ".join(tool["reason"] for tool in scan.tools_unavailable)
    if any(tool["failed"] for tool in scan.tools_unavailable) or _would_know_now(scan):
        return Verdict(
            GATE, "hold", "SCAN_ERRORED", f"No scanner could look at it. {reasons}", remedy="Ask for another scan."
        )
    return Verdict(GATE, "allow", "NOT_SCANNED", f"It was not scanned for known flaws. {reasons}")


def _would_know_now(scan: Scan) -> bool:
    """Whether advisories about its ecosystem have arrived since."""
    return Advisory.objects.filter(affected__ecosystem=scan.release.package.ecosystem).exists()


def _assessed(assessment: Assessment) -> Verdict:
    if assessment.blocking:
        worst = assessment.blocking[0]
        fix = f" It is fixed in {worst.fixed_in}." if worst.fixed_in else " No fixed version is known."
        return Verdict(
            GATE,
            "deny",
            "VULNERABLE",
            f"{judging.describe(assessment.counts, len(assessment.waivers)).capitalize()}. The gravest is "
            f"{worst.identifier} ({worst.severity}): {worst.summary.rstrip('.') or 'no summary'}.{fix}",
            details_url=worst.url,
            remedy=f"Use {worst.fixed_in} or later." if worst.fixed_in else "Ask a maintainer for a waiver.",
        )
    if assessment.open:
        counts = judging.describe(assessment.counts, len(assessment.waivers)).capitalize()
        return Verdict(GATE, "allow", "MINOR_FLAWS", f"{counts}. None of them blocks.")
    if assessment.findings:
        return Verdict(GATE, "allow", "WAIVED", "Every known flaw is waived for now.")
    return Verdict(GATE, "allow", "NO_KNOWN_FLAWS", "No loaded advisory is about this version.")
