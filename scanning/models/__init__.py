"""What is known about flaws, what was found in releases, and what was waived."""

from scanning.models.advisories import Advisory, AdvisoryName, AffectedPackage, Severity
from scanning.models.figures import DailyFigures
from scanning.models.notices import Notice
from scanning.models.policies import Answer, Breach, ScanPolicy, Unfixed
from scanning.models.recalls import RecallLetter
from scanning.models.scans import Finding, Kind, Scan, ToolResult
from scanning.models.sources import AdvisorySource
from scanning.models.waivers import Waiver

__all__ = [
    "Advisory",
    "AdvisoryName",
    "AdvisorySource",
    "AffectedPackage",
    "Answer",
    "Breach",
    "DailyFigures",
    "Finding",
    "Kind",
    "Notice",
    "RecallLetter",
    "Scan",
    "ScanPolicy",
    "Severity",
    "ToolResult",
    "Unfixed",
    "Waiver",
]
