"""Grype: known flaws of the release by its bill of materials, from grype's own database, offline."""

from typing import Any

from django.conf import settings

from scanning.scanners import reading_json as reading
from scanning.scanners.base import Flaw, Material, Target
from scanning.scanners.reading_json import IDENTIFIER, an_object, needed, nonsense, objects, text
from scanning.scanners.tools import Question, Tool, need_database, need_ecosystem

ECOSYSTEMS = {"npm": "npm", "python": "pypi", "java-archive": "maven"}


def parse(raw: bytes) -> list[Flaw]:
    """The matches of a report, of the old form (0.7), too; what the user's rules ignore is not among them."""
    report = an_object(reading.load(raw), "the report")
    if not isinstance(report.get("matches"), list):
        raise nonsense("no matches")
    return [_flaw(match) for match in objects(report["matches"], "matches")]


def _flaw(match: dict[str, Any]) -> Flaw:
    found = an_object(match.get("vulnerability"), "vulnerability")
    artifact = an_object(match.get("artifact"), "artifact")
    related = [one for one in _listed(match.get("relatedVulnerabilities")) if one.get("id") != found.get("id")]
    kind = text(artifact.get("type"), 16)
    ecosystem, version = ECOSYSTEMS.get(kind, kind), text(artifact.get("version"), IDENTIFIER)
    fix = found.get("fix")
    return Flaw(
        identifier=needed(found.get("id"), "an id"),
        ecosystem=ecosystem,
        package=_name(artifact, ecosystem),
        version=version,
        aliases=tuple(sorted({name for one in related if (name := text(one.get("id"), IDENTIFIER))})),
        severity=reading.severity(found.get("severity")),
        cvss=_score(found, related),
        summary=next((said for one in (found, *related) if (said := text(one.get("description")))), ""),
        fixed_in=reading.nearest_fix(
            ecosystem, version, reading.texts(fix.get("versions")) if isinstance(fix, dict) else ()
        ),
        url=text(found.get("dataSource")) or next(iter(reading.texts(found.get("links"))), ""),
    )


def _name(artifact: dict[str, Any], ecosystem: str) -> str:
    """The artifact's name; a Maven one with its group, which only the purl tells."""
    name, purl = needed(artifact.get("name"), "a package"), text(artifact.get("purl"))
    if ecosystem != "maven" or ":" in name or not purl.startswith("pkg:maven/"):
        return name
    group = purl.removeprefix("pkg:maven/").rpartition("/")[0]
    return f"{group}:{name}" if group else name


def _listed(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _score(found: dict[str, Any], related: list[dict[str, Any]]) -> float | None:
    """The highest base score, of version 3 or later where there is one."""
    entries = [entry for one in (found, *related) for entry in _listed(one.get("cvss"))]
    modern = [entry for entry in entries if not str(entry.get("version", "")).startswith("2")]
    metrics = [entry["metrics"] for entry in modern or entries if isinstance(entry.get("metrics"), dict)]
    return reading.score(*(one.get("baseScore") for one in metrics))


def _ask(target: Target, material: Material) -> Question:
    need_ecosystem("Grype", target, frozenset(ECOSYSTEMS.values()))
    folder = need_database("grype", "*/vulnerability.db")
    environment = {
        "GRYPE_DB_CACHE_DIR": str(folder),
        "GRYPE_DB_AUTO_UPDATE": "true" if settings.SCANNER_NETWORK else "false",
        "GRYPE_CHECK_FOR_APP_UPDATE": "false",
    }
    return Question((f"sbom:{material.bill()}", "-o", "json", "-q"), environment)


def _is_from_grype(raw: bytes, target: Target) -> None:
    descriptor = an_object(reading.load(raw)["descriptor"] if b'"descriptor"' in raw else None, "descriptor")
    if descriptor.get("name") != "grype":
        raise nonsense("a report that does not say whose it is")


FLAWS = Tool("grype", "grype", _ask, parse, _is_from_grype)
