"""What a bill of materials says of flaws: each with its ratings and where it is fixed, and which risks are accepted.

A waiver accepts a risk. It never says that a component is not affected, and neither does the bill.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cyclonedx.model import Property, XsUri
from cyclonedx.model.component import Component
from cyclonedx.model.impact_analysis import ImpactAnalysisAffectedStatus, ImpactAnalysisResponse, ImpactAnalysisState
from cyclonedx.model.vulnerability import (
    BomTarget,
    BomTargetVersionRange,
    Vulnerability,
    VulnerabilityAdvisory,
    VulnerabilityAnalysis,
    VulnerabilityRating,
    VulnerabilityReference,
    VulnerabilityScoreSource,
    VulnerabilitySeverity,
    VulnerabilitySource,
)
from django.db.models import prefetch_related_objects

from accounts.actors import Actor
from registry.bills import Bill
from scanning import judging, naming, severities
from scanning.models import Advisory, Finding, Kind, Scan, Waiver

KINDS = (Kind.VULNERABILITY, Kind.MALWARE)
SOURCES = {
    "GHSA-": ("GitHub Advisories", "https://github.com/advisories/"),
    "CVE-": ("NVD", "https://nvd.nist.gov/vuln/detail/"),
}
OTHERS = ("OSV", "https://osv.dev/vulnerability/")


@dataclass(frozen=True, slots=True)
class Told:
    """What an advisory tells beside what the finding does."""

    vectors: Sequence[severities.Vector] = ()
    cwes: Sequence[int] = ()
    published: Any = None
    modified: Any = None


def add_vulnerabilities(bill: Bill, actor: Actor) -> None:
    """Add what the current scans found, in four queries for some hundred components.

    A waiver shows as analysis where it is of the component's own project, which the actor must see: its reason was
    written for that project. Secrets and licenses are no vulnerabilities, and stay out.
    """
    findings = list(_findings(bill))
    told = _told(findings)
    waivers = _waivers(findings, bill, actor)
    for finding in findings:
        release = bill.releases[finding.scan.release_id]
        component = bill.components[release.pk]
        waiver = next((one for one in waivers[release.project_id] if judging.covers(one, finding)), None)
        told_of = next((told[name] for name in _names(finding) if name in told), Told())
        bill.bom.vulnerabilities.add(_vulnerability(finding, component, told_of, waiver))
        bill.know_of(max(finding.first_seen_at, waiver.created_at) if waiver else finding.first_seen_at)


def _findings(bill: Bill) -> Iterable[Finding]:
    """The findings of the components' current scans; of each component the bill says how its scan ended."""
    scans: dict[int, Scan] = {}
    for keys in naming.chunked(sorted(bill.releases)):
        scans |= {scan.release_id: scan for scan in Scan.objects.filter(is_current=True, release__in=keys)}
    prefetch_related_objects(list(scans.values()), "findings")
    for key, component in bill.components.items():
        status = scans[key].status if key in scans else "none"
        component.properties.add(Property(name="codesync:scan", value=status))
    return (one for scan in scans.values() for one in scan.findings.all() if one.kind in KINDS)


def _names(finding: Finding) -> list[str]:
    return [name.upper() for name in (finding.identifier, *finding.aliases)]


def _told(findings: Sequence[Finding]) -> dict[str, Told]:
    """What advisories held here tell, by their ids in capitals; without their documents."""
    names = sorted({name for finding in findings for name in _names(finding)})
    columns = ("names__name", "published_at", "modified_at", "raw__severity", "raw__database_specific__cwe_ids")
    told: dict[str, Told] = {}
    for some in naming.chunked(names):
        rows = Advisory.objects.live().filter(names__name__in=some).order_by("osv_id").values_list(*columns)
        for name, published, modified, severity, cwes in rows:
            told.setdefault(name, Told(severities.vectors({"severity": severity}), _cwes(cwes), published, modified))
    return told


def _cwes(given: Any) -> list[int]:
    """The numbers of CWE-79, CWE-400; whatever else stands there is left out."""
    words = [str(one).upper().removeprefix("CWE-") for one in given] if isinstance(given, list) else []
    return [int(word) for word in words if word.isascii() and word.isdigit() and 0 < len(word) < 6]


def _waivers(findings: Sequence[Finding], bill: Bill, actor: Actor) -> Mapping[int, list[Waiver]]:
    """The live waivers of the projects that the actor sees, by project; what ends last comes first."""
    projects = {release.project_id for release in bill.releases.values()}
    shown = [project for project in projects if actor.sees_project(project)]
    found: dict[int, list[Waiver]] = defaultdict(list)
    names = sorted({name for finding in findings for name in (finding.identifier, *finding.aliases)})
    for some in naming.chunked(names if shown else ()):
        live = Waiver.objects.live().filter(project__in=shown, identifier__in=some).select_related("project")
        for waiver in live:
            found[waiver.project_id].append(waiver)
    for of_project in found.values():
        of_project.sort(key=lambda one: one.expires_at, reverse=True)
    return found


# --- as CycloneDX says it ------------------------------------------------------------------------------------------
def _vulnerability(finding: Finding, component: Component, told: Told, waiver: Waiver | None) -> Vulnerability:
    """One flaw in one component: what is said of it there may differ from elsewhere, so each has an entry."""
    inside = f"{finding.package}@{finding.version}"
    fix = f"Use {finding.package} {finding.fixed_in} or later." if finding.fixed_in else None
    affected = BomTargetVersionRange(version=component.version, status=ImpactAnalysisAffectedStatus.AFFECTED)
    links = [VulnerabilityAdvisory(url=XsUri(finding.url))] if _is_address(finding.url) else []
    return Vulnerability(
        bom_ref=f"{component.bom_ref.value}#{finding.identifier}/{inside}",
        id=finding.identifier,
        source=_source(finding.identifier),
        references=[VulnerabilityReference(id=name, source=_source(name)) for name in finding.aliases],
        ratings=_ratings(finding, told),
        cwes=told.cwes,
        description=finding.summary or None,
        recommendation=fix,
        advisories=links,
        published=told.published,
        updated=told.modified,
        analysis=_analysis(waiver) if waiver else None,
        affects=[BomTarget(ref=str(component.bom_ref.value), versions=[affected])],
        properties=[
            Property(name="codesync:found-in", value=inside),
            *(Property(name="codesync:found-by", value=tool) for tool in finding.tools),
        ],
    )


def _analysis(waiver: Waiver) -> VulnerabilityAnalysis:
    """A risk that somebody accepts: it can be exploited, and is not fixed, for a reason and until a date."""
    return VulnerabilityAnalysis(
        state=ImpactAnalysisState.EXPLOITABLE,
        responses=[ImpactAnalysisResponse.WILL_NOT_FIX],
        detail=f"The risk is accepted in the project {waiver.project.slug} until "
        f"{waiver.expires_at:%Y-%m-%dT%H:%M:%SZ} (waiver {waiver.pk}): {waiver.reason}",
        first_issued=waiver.created_at,
        last_updated=waiver.created_at,
    )


def _ratings(finding: Finding, told: Told) -> list[VulnerabilityRating]:
    """Each vector with its score; first of all the severity that counts here, where no vector gives it."""
    ratings = [
        VulnerabilityRating(
            score=_exact(score),
            severity=VulnerabilitySeverity(severities.band(score)),
            method=_method(kind, vector),
            vector=vector,
        )
        for kind, vector, score in told.vectors
    ]
    if finding.severity not in [rating.severity.value for rating in ratings if rating.severity]:
        score = _exact(finding.cvss) if finding.cvss is not None else None
        other = VulnerabilityScoreSource.OTHER
        ratings.append(
            VulnerabilityRating(score=score, severity=VulnerabilitySeverity(finding.severity), method=other)
        )
    return ratings


def _exact(score: float) -> Decimal:
    return Decimal(str(score))


def _method(kind: str, vector: str) -> VulnerabilityScoreSource:
    return VulnerabilityScoreSource.CVSS_V2 if kind == "CVSS_V2" else VulnerabilityScoreSource.get_from_vector(vector)


def _source(name: str) -> VulnerabilitySource:
    """Who gives out ids like this one, and where they tell of it."""
    label, place = next((found for prefix, found in SOURCES.items() if name.upper().startswith(prefix)), OTHERS)
    return VulnerabilitySource(name=label, url=XsUri(f"{place}{name}"))


def _is_address(url: str) -> bool:
    return url.startswith(("https://", "http://"))
