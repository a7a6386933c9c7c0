"""From findings to a verdict: what blocks, what warns, and which live waivers stand against it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from registry import ecosystems
from registry.errors import InvalidInput
from registry.models import Release
from scanning.models import Answer, Finding, Severity, Waiver
from scanning.policies import Rules, rules_for
from scanning.scanners.base import Flaw


@dataclass(frozen=True, slots=True)
class Assessment:
    """Findings, by the key of each the waiver that covers it longest now, and the policy they are held against."""

    findings: Sequence[Finding]
    waivers: dict[int, Waiver]
    rules: Rules = field(default_factory=Rules)

    @property
    def open(self) -> list[Finding]:
        """Those that no live waiver covers."""
        return [finding for finding in self.findings if finding.pk not in self.waivers]

    @property
    def blocking(self) -> list[Finding]:
        """Those that keep the release from being used."""
        return [finding for finding in self.open if self.rules.answer(finding) == Answer.BLOCK]

    @property
    def until(self) -> datetime | None:
        """When the first waiver ends without which a finding would block, or None."""
        needed = (
            self.waivers[finding.pk].expires_at
            for finding in self.findings
            if finding.pk in self.waivers and self.rules.answer(finding) == Answer.BLOCK
        )
        return min(needed, default=None)

    @property
    def status(self) -> str:
        """Failed, warned or passed; what the policy ignores is listed and says nothing."""
        if self.blocking:
            return "failed"
        return "warned" if any(self.rules.answer(finding) != Answer.IGNORE for finding in self.open) else "passed"

    @property
    def counts(self) -> dict[str, int]:
        """How many of each severity, waived ones included."""
        return count(finding.severity for finding in self.findings)


def assess(findings: Sequence[Finding], release: Release) -> Assessment:
    """Hold the findings against the waivers and the policy of the release's project, as both are now."""
    names = {name for finding in findings for name in (finding.identifier, *finding.aliases)}
    live = Waiver.objects.live().filter(project_id=release.project_id, identifier__in=names) if names else ()
    longest_last = sorted(live, key=lambda waiver: waiver.expires_at)
    covered = {finding.pk: waiver for finding in findings for waiver in longest_last if covers(waiver, finding)}
    return Assessment(findings, covered, rules_for(release.project_id) if findings else Rules())


def covers(waiver: Waiver, finding: Finding | Flaw) -> bool:
    """Whether the waiver is about this flaw in this package and version; an unreadable range covers nothing."""
    rules = ecosystems.get(finding.ecosystem)
    if waiver.ecosystem != finding.ecosystem or waiver.identifier not in (finding.identifier, *finding.aliases):
        return False
    if rules.normalize_name(waiver.package) != rules.normalize_name(finding.package):
        return False
    try:
        return waiver.version_range == "*" or rules.parse_range(waiver.version_range).contains(
            finding.version, prerelease=True
        )
    except InvalidInput:
        return False


def count(severities: Iterable[str]) -> dict[str, int]:
    """How many of each severity, every severity named."""
    counted = Counter(str(severity) for severity in severities)
    return {severity: counted[severity] for severity in Severity.values}


def describe(counts: dict[str, int], waived: int = 0) -> str:
    """The counts in words: 3 known flaws: 1 critical, 2 medium (1 waived)."""
    total = sum(counts.values())
    parts = ", ".join(f"{number} {severity}" for severity, number in counts.items() if number)
    flaws = "1 known flaw" if total == 1 else f"{total} known flaws"
    return f"{flaws}: {parts}{f' ({waived} waived)' if waived else ''}"
