"""Trivy, twice: known flaws of the release by its bill of materials, secrets and licenses in its files.

The bill is the right question about known flaws: a registry's files carry no lock file, and the lock files of a
package's own tests are not what it brings along. The files are the right question about the rest. Both run offline.
A report of a secret shows the lines around it; neither the secret nor those lines are ever kept.
"""

import re
from typing import Any

from django.conf import settings

from scanning.scanners import reading_json as reading
from scanning.scanners.base import LICENSE, SECRET, Flaw, Material, Target
from scanning.scanners.reading_json import IDENTIFIER, an_object, needed, nonsense, objects, text
from scanning.scanners.tools import Question, Tool, need_database, need_ecosystem

ECOSYSTEMS = {
    **dict.fromkeys(("npm", "yarn", "pnpm", "bun", "node-pkg"), "npm"),
    **dict.fromkeys(("pip", "pipenv", "poetry", "uv", "pylock", "python-pkg"), "pypi"),
    **dict.fromkeys(("pom", "gradle", "sbt", "jar"), "maven"),
}
QUIET = ("--format", "json", "--quiet", "--offline-scan", "--skip-version-check", "--disable-telemetry")
KNOWN_LEVEL = 2
# The policy about licenses is not a scanner's: what it says of one warns, and never blocks.
LICENSE_SEVERITIES = {"critical": "medium", "high": "medium"}
HARMLESS = frozenset({"low", "unknown"})


def parse(raw: bytes) -> list[Flaw]:
    """Known flaws, secrets and licenses of a report, of the old form (before 0.20), too."""
    report = reading.load(raw)
    if isinstance(report, dict):
        if report.get("SchemaVersion") != KNOWN_LEVEL:
            raise nonsense("no SchemaVersion 2")
    elif report == [] or not all("Target" in result for result in objects(report, "the report")):
        raise nonsense("a list of something else")
    flaws: list[Flaw] = []
    for result in objects(report.get("Results") if isinstance(report, dict) else report, "Results"):
        flaws += [_vulnerability(one, result) for one in objects(result.get("Vulnerabilities"), "Vulnerabilities")]
        flaws += [_secret(one, result) for one in objects(result.get("Secrets"), "Secrets")]
        flaws += [_license(one) for one in objects(result.get("Licenses"), "Licenses")]
    return flaws


def _vulnerability(found: dict[str, Any], result: dict[str, Any]) -> Flaw:
    package, version = needed(found.get("PkgName"), "a package"), text(found.get("InstalledVersion"), IDENTIFIER)
    kind = text(result.get("Type"), 16)
    ecosystem = ECOSYSTEMS.get(kind, kind)
    fixes = re.split(r",\s*", text(found.get("FixedVersion")))
    return Flaw(
        identifier=text(found.get("VulnerabilityID"), IDENTIFIER) or f"unnamed-{package}"[:IDENTIFIER],
        ecosystem=ecosystem,
        package=package,
        version=version,
        aliases=tuple(name for name in reading.texts(found.get("VendorIDs")) if name.startswith(("GHSA-", "CVE-"))),
        severity=reading.severity(found.get("Severity")),
        cvss=_score(found),
        summary=text(found.get("Title")) or text(found.get("Description")),
        fixed_in=reading.nearest_fix(ecosystem, version, (fix.lstrip(">= ") for fix in fixes)),
        url=text(found.get("PrimaryURL")),
    )


def _score(found: dict[str, Any]) -> float | None:
    """The base score of the source that the severity comes from, else the highest; version 4 before 3."""
    rated = found.get("CVSS")
    sources = {name: one for name, one in rated.items() if isinstance(one, dict)} if isinstance(rated, dict) else {}
    chosen = sources.get(str(found.get("SeveritySource")))
    for one in ([chosen] if chosen else []), list(sources.values()):
        for version in ("V40Score", "V3Score"):
            if (score := reading.score(*(source.get(version) for source in one))) is not None:
                return score
    return None


def _secret(found: dict[str, Any], result: dict[str, Any]) -> Flaw:
    """One for each rule and file: a waiver of it covers no other file."""
    rule, file = needed(found.get("RuleID"), "a rule"), _inside(text(result.get("Target")))
    line = found.get("StartLine")
    where = f"{file}, line {line}" if isinstance(line, int) else file
    severity = reading.severity(found.get("Severity"))
    return Flaw(
        identifier=reading.shortened(f"{rule}@{file}"),
        ecosystem="",
        package="",
        version="",
        severity="high" if severity == "unknown" else severity,
        summary=f"{text(found.get('Title'), 200) or rule} in {where}",
        kind=SECRET,
    )


def _license(found: dict[str, Any]) -> Flaw:
    name, file = needed(found.get("Name"), "a name"), _inside(text(found.get("FilePath")))
    where = file or text(found.get("PkgName"), IDENTIFIER)
    severity = reading.severity(found.get("Severity"))
    return Flaw(
        identifier=reading.shortened(f"{name}@{where}"),
        ecosystem="",
        package="",
        version="",
        severity=LICENSE_SEVERITIES.get(severity, severity),
        summary=f"{name} in {where}, a {text(found.get('Category'), 40) or 'license'} license",
        url=text(found.get("Link")),
        kind=LICENSE,
    )


def _inside(path: str) -> str:
    """The path inside the archive: without the number of the file that it was unpacked from."""
    return re.sub(r"^\d+/", "", path)


# --- asking --------------------------------------------------------------------------------------------------------
def _ask_bill(target: Target, material: Material) -> Question:
    need_ecosystem("Trivy", target, frozenset(ECOSYSTEMS.values()))
    folder = need_database("trivy", "db/trivy.db")
    offline = () if settings.SCANNER_NETWORK else ("--skip-db-update", "--skip-java-db-update")
    return Question(
        ("sbom", *QUIET, "--scanners", "vuln", *offline, "--cache-dir", str(folder), str(material.bill())), {}
    )


def _ask_files(target: Target, material: Material) -> Question:
    return Question(("fs", *QUIET, "--scanners", "secret,license", "--license-full", str(material.files())), {})


def _parse_files(raw: bytes) -> list[Flaw]:
    """Without the licenses that ask for nothing: each package has one."""
    flaws = {flaw.identifier: flaw for flaw in parse(raw) if flaw.kind != LICENSE or flaw.severity not in HARMLESS}
    return list(flaws.values())


def _names_the_release(raw: bytes, target: Target) -> None:
    """Raise Unavailable unless it lists the package among those it looked up."""
    report = an_object(reading.load(raw), "the report")
    for result in objects(report.get("Results"), "Results"):
        for package in objects(result.get("Packages"), "Packages"):
            if str(package.get("Version")) == target.version and text(package.get("Name")):
                return
    raise nonsense("a report that does not name the release")


def _is_about_files(raw: bytes, target: Target) -> None:
    report = an_object(reading.load(raw), "the report")
    if report.get("ArtifactType") != "filesystem" or not text(report.get("ArtifactName")):
        raise nonsense("a report about no folder")


FLAWS = Tool("trivy", "trivy", _ask_bill, parse, _names_the_release)
FILES = Tool("trivy-files", "trivy", _ask_files, _parse_files, _is_about_files, frozenset({SECRET, LICENSE}))
