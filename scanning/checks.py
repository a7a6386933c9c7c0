"""The vulnerabilities check: scan the release, say what was found and what it means."""

from typing import Any

from registry.checking import Result
from registry.models import Release
from scanning import judging, running
from scanning.judging import Assessment
from scanning.models import Finding, Kind, Scan

NAME = "vulnerabilities"
NOT_YET = "It has not been scanned yet."


def check_vulnerabilities(release: Release) -> Result:
    """Scan, and report: failed on a finding that blocks and is not waived, warned on any other that counts.

    Skipped where nothing is known, errored where every tool failed: never passed without a tool that looked.
    """
    return report(running.scan(release), release)


def report(scan: Scan, release: Release, assessment: Assessment | None = None) -> Result:
    """What the scan found, under the policy and the waivers as they are now."""
    assessment = assessment or judging.assess(list(scan.findings.all()), release)
    details = _details(scan, assessment)
    if running.has_looked(scan) or assessment.blocking:
        return Result(assessment.status, _summary(release, assessment), details)
    reasons = running.reasons(scan)
    if any(tool["failed"] for tool in scan.tools_unavailable):
        return Result("errored", f"No scanner could look at it. {reasons} Run it again.", details)
    return Result("skipped", f"It was not scanned. {reasons}", details)


def _summary(release: Release, assessment: Assessment) -> str:
    if not assessment.findings:
        return "No loaded advisory is about this version."
    counts = judging.describe(assessment.counts, len(assessment.waivers))
    return f"{release.package.name} {release.version} has {counts}.{_way_out(assessment.open)}"


def _way_out(findings: list[Finding]) -> str:
    findings = [finding for finding in findings if finding.kind == Kind.VULNERABILITY]
    if not findings:
        return ""
    fixes = sorted({f"{finding.fixed_in} ({finding.identifier})" for finding in findings[:3] if finding.fixed_in})
    return f" Fixed in {', '.join(fixes)}." if fixes else " No fixed version is known."


def _details(scan: Scan, assessment: Assessment) -> dict[str, Any]:
    return {
        **assessment.counts,
        "waived": len(assessment.waivers),
        "findings": [shape(finding, waived=finding.pk in assessment.waivers) for finding in assessment.findings],
        "tools_used": scan.tools_used,
        "tools_unavailable": scan.tools_unavailable,
    }


def shape(finding: Finding, *, waived: bool) -> dict[str, Any]:
    """A finding as the check's details, the API and the pages show it."""
    return {
        "id": finding.identifier,
        "kind": finding.kind,
        "aliases": finding.aliases,
        "severity": finding.severity,
        "cvss": finding.cvss,
        "summary": finding.summary,
        "package": finding.package,
        "version": finding.version,
        "fixed_in": finding.fixed_in or None,
        "url": finding.url,
        "tools": finding.tools,
        "waived": waived,
    }
