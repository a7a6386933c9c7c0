"""OSV-Scanner: known flaws of the release by its bill of materials, from local copies of OSV's databases."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from registry import ecosystems
from scanning import severities
from scanning.scanners import reading_json as reading
from scanning.scanners.base import MALWARE, VULNERABILITY, Flaw, Material, Target
from scanning.scanners.reading_json import IDENTIFIER, an_object, needed, nonsense, objects, text
from scanning.scanners.tools import Question, Tool, need_database, need_ecosystem

ECOSYSTEMS = {one.osv_name: one.slug for one in ecosystems.ALL if one.osv_name}
FOUND_SOME = 1


def parse(raw: bytes) -> list[Flaw]:
    """The vulnerabilities of a report, each with the names of its group as aliases."""
    return [
        _flaw(document, package, _group_of(document, groups))
        for entry in _packages(raw)
        for package, groups in [(an_object(entry.get("package"), "package"), objects(entry.get("groups"), "groups"))]
        for document in objects(entry.get("vulnerabilities"), "vulnerabilities")
    ]


def _packages(raw: bytes) -> list[dict[str, Any]]:
    report = an_object(reading.load(raw), "the report")
    if "results" not in report:
        raise nonsense("no results")
    results = objects(report["results"], "results")
    return [entry for result in results for entry in objects(result.get("packages"), "packages")]


def _group_of(document: Mapping[str, Any], groups: list[dict[str, Any]]) -> dict[str, Any]:
    return next((group for group in groups if document.get("id") in reading.texts(group.get("ids"))), {})


def _flaw(document: dict[str, Any], package: dict[str, Any], group: dict[str, Any]) -> Flaw:
    identifier = needed(document.get("id"), "an id")
    listed = text(package.get("ecosystem"), 40)
    ecosystem, version = ECOSYSTEMS.get(listed, listed.partition(":")[0].lower()[:16]), _version(package)
    names = {
        name
        for one in (document.get("aliases"), group.get("ids"), group.get("aliases"))
        for name in reading.texts(one)
    }
    rating = severities.rate(document)
    score = reading.score(rating.score, group.get("max_severity"))
    is_malware = any(name.startswith(severities.MALWARE) for name in (identifier, *names))
    return Flaw(
        identifier=identifier,
        ecosystem=ecosystem,
        package=text(package.get("name"), 255) or identifier,
        version=version,
        aliases=tuple(sorted(names - {identifier})),
        severity="critical" if is_malware else _severity(rating, score),
        cvss=score,
        summary=text(document.get("summary")) or text(document.get("details")),
        fixed_in=reading.nearest_fix(ecosystem, version, _fixes(document, package)),
        url=f"https://osv.dev/vulnerability/{identifier}",
        kind=MALWARE if is_malware else VULNERABILITY,
    )


def _version(package: dict[str, Any]) -> str:
    return text(package.get("version"), IDENTIFIER) or text(package.get("commit"), IDENTIFIER)


def _severity(rating: severities.Rating, score: float | None) -> str:
    """The document's own rating, or the word for the group's score, whichever is worse."""
    return severities.worse(rating.severity, severities.band(score) if score is not None else "unknown")


def _fixes(document: dict[str, Any], package: dict[str, Any]) -> list[str]:
    """Where the entries about this package say it is fixed; whatever is oddly shaped says nothing."""
    fixes: list[str] = []
    for affected in _dicts(document.get("affected")):
        named = affected.get("package")
        if isinstance(named, dict) and named.get("name") != package.get("name"):
            continue
        events = [
            event
            for one in _dicts(affected.get("ranges"))
            if one.get("type") != "GIT"
            for event in _dicts(one.get("events"))
        ]
        fixes += [event["fixed"] for event in events if isinstance(event.get("fixed"), str)]
    return fixes  # fmt: skip


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _ask(target: Target, material: Material) -> Question:
    need_ecosystem("OSV-Scanner", target, frozenset(ECOSYSTEMS.values()))
    name = ecosystems.get(target.ecosystem).osv_name
    folder = need_database("osv-scanner", f"*/{name}/all.zip")
    offline = () if settings.SCANNER_NETWORK else ("--offline",)
    environment = {"OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY": str(folder)}
    arguments = ("scan", "source", "--format", "json", "--all-packages", *offline, "-L", str(material.bill()))
    return Question(arguments, environment)


def _names_the_release(raw: bytes, target: Target) -> None:
    versions = {_version(an_object(entry.get("package"), "package")) for entry in _packages(raw)}
    if target.version not in versions:
        raise nonsense("a report that does not name the release")


FLAWS = Tool("osv-scanner", "osv-scanner", _ask, parse, _names_the_release, good_statuses=frozenset({0, FOUND_SOME}))
