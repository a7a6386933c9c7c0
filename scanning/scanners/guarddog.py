"""GuardDog: heuristics for malware over the unpacked files, offline, with the rules that come with it.

Heuristics err. Over 36 well-known packages, all harmless, it called one a high risk and three suspicious; so only a
high risk is malware to us and blocks until somebody waives it, a suspicion warns, and less is not reported.
"""

from typing import Any

from scanning.scanners import reading_json as reading
from scanning.scanners.base import MALWARE, Flaw, Material, NothingToConsult, Target
from scanning.scanners.reading_json import IDENTIFIER, an_object, needed, nonsense, objects, text
from scanning.scanners.tools import Question, Tool

COMMANDS = {"npm": "npm", "pypi": "pypi"}
SEVERITIES = {"high_risk": "critical", "suspicious": "medium"}
LABELS = frozenset({*SEVERITIES, "low", "no_risks_detected"})


def parse(raw: bytes) -> list[Flaw]:
    """One for each rule that struck and the file it struck in, once the whole is at least suspicious."""
    report = an_object(reading.load(raw), "the report")
    label = text(an_object(report.get("risk_score"), "risk_score").get("label"))
    if label not in LABELS or not isinstance(report.get("results"), dict):
        raise nonsense("no verdict")
    if errors := an_object(report.get("errors"), "errors"):
        raise nonsense(f"some rules failed ({', '.join(map(str, errors))[:200]})")
    severity = SEVERITIES.get(label)
    flaws = [_flaw(risk, severity) for risk in objects(report.get("risks"), "risks")] if severity else []
    if severity and not flaws:
        raise nonsense("a verdict without a reason")
    return list({flaw.identifier: flaw for flaw in flaws}.values())


def _flaw(risk: dict[str, Any], severity: str) -> Flaw:
    rule = needed(risk.get("threat_rule"), "a rule")
    file = text(risk.get("file_path")).lstrip("/").partition("/")
    path = file[2] if file[0].isdigit() else "".join(file)
    where = text(risk.get("threat_location"), IDENTIFIER).rpartition(":")[2]
    place = f"{path}, line {where}" if where.isdigit() else path
    return Flaw(
        identifier=reading.shortened(f"{rule}@{path}"),
        ecosystem="",
        package="",
        version="",
        severity=severity,
        summary=f"{text(risk.get('threat_description'), 200) or rule} ({place})",
        kind=MALWARE,
    )


def _ask(target: Target, material: Material) -> Question:
    command = COMMANDS.get(target.ecosystem)
    if command is None:
        raise NothingToConsult(f"GuardDog has no rules for {target.ecosystem} packages.")
    return Question((command, "scan", str(material.files()), "--output-format", "json"), {})


FILES = Tool("guarddog", "guarddog", _ask, parse, looks_for=frozenset({MALWARE}))
