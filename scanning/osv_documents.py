"""An OSV document, looked at with suspicion and turned into rows (https://ossf.github.io/osv-schema/)."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from registry import ecosystems
from registry.errors import InvalidInput
from scanning import severities
from scanning.models import Advisory, AffectedPackage

IDENTIFIER = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")
NAME_LIMIT = 255
SLUGS = {ecosystem.osv_name: ecosystem for ecosystem in ecosystems.ALL if ecosystem.osv_name}


@dataclass(frozen=True, slots=True)
class Shaped:
    """An advisory that is not saved yet, and what it touches in the ecosystems spoken here."""

    advisory: Advisory
    affected: list[AffectedPackage]

    @property
    def key(self) -> str:
        """Which part of an advisory this is: the ecosystems it speaks of."""
        return ",".join(sorted({one.ecosystem for one in self.affected}))


def shape(data: Any, ecosystem: str = "") -> Shaped:
    """The rows of one document; raises InvalidInput naming the field that is no OSV.

    Entries that name no ecosystem are about the one of that slug, where one is given.
    """
    document = _object(data, "the document")
    dumped = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    if b"\\u0000" in dumped:
        raise InvalidInput("It holds a NUL character.")
    rating = severities.rate(document)
    advisory = Advisory(
        osv_id=_identifier(document.get("id")),
        aliases=[one for one in _list(document, "aliases") if isinstance(one, str) and IDENTIFIER.match(one)],
        summary=_summary(document),
        severity=rating.severity,
        cvss=rating.score,
        url=_url(document),
        published_at=_moment(document, "published") if document.get("published") else None,
        modified_at=_moment(document, "modified"),
        withdrawn_at=_moment(document, "withdrawn") if document.get("withdrawn") else None,
        raw=document,
        digest=hashlib.sha256(dumped).hexdigest(),
    )
    return Shaped(advisory, list(_affected(document, ecosystem)))


def slug_of(entry: Any, default: str = "") -> str:
    """The ecosystem of an affected entry as it is called here; empty for those that are not kept here."""
    package = entry.get("package") if isinstance(entry, dict) else None
    named = package.get("ecosystem") if isinstance(package, dict) else None
    known = SLUGS.get(str(named).partition(":")[0]) if named else None
    return known.slug if known else "" if named else default


def _affected(document: dict[str, Any], default: str) -> Iterator[AffectedPackage]:
    for entry in _list(document, "affected"):
        package = _object(_object(entry, "affected").get("package") or {}, "affected.package")
        slug = slug_of(entry, default)
        if not slug:
            continue
        ecosystem = ecosystems.get(slug)
        name = package.get("name")
        if not isinstance(name, str) or not 0 < len(name) <= NAME_LIMIT:
            raise InvalidInput(f"affected.package.name is no text of 1 to {NAME_LIMIT} characters.")
        ranges = [_range(one) for one in _list(entry, "ranges") if _object(one, "ranges").get("type") != "GIT"]
        versions = [version for version in _list(entry, "versions") if isinstance(version, str)]
        yield AffectedPackage(
            ecosystem=ecosystem.slug,
            name=name,
            normalized=ecosystem.normalize_name(name)[:NAME_LIMIT],
            ranges=ranges,
            versions=versions,
        )


def _range(entry: dict[str, Any]) -> dict[str, Any]:
    """Only what matching reads: the kind and its events."""
    events = [_object(event, "ranges.events") for event in _list(entry, "events")]
    return {"type": str(entry.get("type", "")), "events": events}


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput(f"{name} is no JSON object.")
    return value


def _list(holder: dict[str, Any], name: str) -> list[Any]:
    value = holder.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidInput(f"{name} is no list.")
    return value


def _identifier(value: Any) -> str:
    if not isinstance(value, str) or not IDENTIFIER.match(value):
        raise InvalidInput("id is missing or no advisory id.")
    return value


def _summary(document: dict[str, Any]) -> str:
    """The summary, else the first line of the details: the Python database has no summaries."""
    for key in ("summary", "details"):
        text = document.get(key)
        if isinstance(text, str) and text.strip():
            line = text.strip().splitlines()[0]
            return line if len(line) <= 300 else f"{line[:299]}…"
    return ""


def _url(document: dict[str, Any]) -> str:
    """Where a person reads on: GitHub's page for its own ids, else the first advisory link, else the first link."""
    identifier = str(document.get("id", ""))
    links = [one for one in _list(document, "references") if isinstance(one, dict)]
    if identifier.startswith("GHSA-"):
        return f"https://github.com/advisories/{identifier}"
    links.sort(key=lambda link: link.get("type") != "ADVISORY")
    safe = (str(link.get("url", "")) for link in links)
    return next((url for url in safe if url.startswith(("https://", "http://")) and len(url) <= 2000), "")


def _moment(document: dict[str, Any], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(document.get(name)))
    except ValueError:
        raise InvalidInput(f"{name} is no RFC 3339 time.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
