"""What is known about flaws, what was found in releases, and what was waived."""

from scanning.models.advisories import Advisory, AdvisoryName, AffectedPackage, Severity
from scanning.models.scans import Finding, Kind, Scan
from scanning.models.sources import AdvisorySource
from scanning.models.waivers import Waiver

__all__ = [
    "Advisory",
    "AdvisoryName",
    "AdvisorySource",
    "AffectedPackage",
    "Finding",
    "Kind",
    "Scan",
    "Severity",
    "Waiver",
]
