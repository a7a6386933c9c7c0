"""What advisories say against packages in use, for doors that know no scanning (settings.REGISTRY_ADVICE)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from accounts.actors import Actor
from registry import ecosystems
from registry.advising import Part, Span, Weakness
from scanning import consulting, naming, severities
from scanning.lockfiles.base import Pin
from scanning.models import Advisory, AffectedPackage
from scanning.scanners.base import Flaw

Key = tuple[str, str, str]  # ecosystem, name, the flaw's identifier
Entry = tuple[Sequence[Mapping[str, Any]], Sequence[str]]


def on_flaws(parts: Sequence[Part], actor: Actor) -> list[Weakness]:
    """One for each package and flaw; a few queries for thousands of parts. Raises Unavailable as `consult` does."""
    answer = consulting.consult([Pin(part.ecosystem, part.name, part.version) for part in parts], actor)
    told: dict[Key, list[Flaw]] = defaultdict(list)
    waived: set[Key] = set()
    for row in answer.rows:
        for flaw in row.flaws:
            key = (flaw.ecosystem, row.pin.name, flaw.identifier)
            if flaw.identifier in row.waivers:
                waived.add(key)
            else:
                told[key].append(flaw)
    flaws = [flaw for found in told.values() for flaw in found]
    entries, records = _entries(flaws), _records(flaws)
    weaknesses = [
        _weakness(key[1], found, {} if key in waived else entries, records.get(key[2], {}))
        for key, found in told.items()
    ]
    return sorted(weaknesses, key=lambda one: (severities.ORDER.index(one.severity), one.package, one.identifier))


def _weakness(
    name: str, found: Sequence[Flaw], entries: Mapping[tuple[str, str], list[Entry]], record: Mapping[str, Any]
) -> Weakness:
    flaw = found[0]
    order = ecosystems.get(flaw.ecosystem)
    normalized = order.normalize_name(name)
    known = [one for known_as in sorted(flaw.names) for one in entries.get((normalized, known_as.upper()), [])]
    return Weakness(
        identifier=flaw.identifier,
        package=name,
        title=flaw.summary or flaw.identifier,
        url=flaw.url,
        severity=flaw.severity,
        touched=tuple(dict.fromkeys(one.version for one in found)),
        fixed_in=max((one.fixed_in for one in found), key=order.sort_key),
        spans=tuple(dict.fromkeys(span for ranges, _ in known for span in _spans(ranges, flaw.ecosystem))),
        singles=tuple(dict.fromkeys(version for _, versions in known for version in versions)),
        names=tuple(sorted(flaw.names - {flaw.identifier})),
        cvss=flaw.cvss,
        vector=_vector(record),
        cwe=_cwe(record),
    )


def _entries(flaws: Iterable[Flaw]) -> dict[tuple[str, str], list[Entry]]:
    """What each standing advisory says that is affected, by the package's normal name and its own id."""
    by_slug: dict[str, set[str]] = defaultdict(set)
    for flaw in flaws:
        by_slug[flaw.ecosystem].add(ecosystems.get(flaw.ecosystem).normalize_name(flaw.package))
    found: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for slug, names in by_slug.items():
        for chunk in naming.chunked(sorted(names)):
            standing = AffectedPackage.objects.filter(
                ecosystem=slug, normalized__in=chunk, advisory__withdrawn_at=None
            )
            columns = standing.order_by("pk").values_list("normalized", "advisory__osv_id", "ranges", "versions")
            for normalized, identifier, ranges, versions in columns:
                found[normalized, identifier.upper()].append((ranges, versions))
    return found


def _records(flaws: Iterable[Flaw]) -> dict[str, dict[str, Any]]:
    """The documents of the advisories that the flaws are called by."""
    found: dict[str, dict[str, Any]] = {}
    for chunk in naming.chunked(sorted({flaw.identifier for flaw in flaws})):
        found.update(Advisory.objects.filter(osv_id__in=chunk).values_list("osv_id", "raw"))
    return found


def _spans(ranges: Iterable[Mapping[str, Any]], slug: str) -> Iterable[Span]:
    """The ranges of versions that OSV tells as events; those of commits say nothing to installers."""
    key = ecosystems.get(slug).sort_key
    for one in ranges:
        if one.get("type") == "GIT":
            continue
        events = [(kind, str(value)) for event in one.get("events", ()) for kind, value in event.items()]
        since: str | None = None
        for kind, value in sorted(events, key=lambda event: (event[1] != "0", key(event[1]))):
            if kind == "introduced":
                since = "" if value == "0" else value
            elif since is not None and kind in ("fixed", "last_affected"):
                yield Span(since, before=value) if kind == "fixed" else Span(since, last=value)
                since = None
        if since is not None:
            yield Span(since)


def _vector(record: Mapping[str, Any]) -> str:
    """The CVSS vector, of the older scale where there are two: that is what clients of registries read."""
    scores = [one.get("score") for one in record.get("severity") or () if isinstance(one, dict)]
    return min((score for score in scores if isinstance(score, str) and score.startswith("CVSS:")), default="")


def _cwe(record: Mapping[str, Any]) -> tuple[str, ...]:
    named = (record.get("database_specific") or {}).get("cwe_ids")
    return tuple(one for one in named if isinstance(one, str)) if isinstance(named, list) else ()
