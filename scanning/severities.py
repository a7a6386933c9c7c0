"""How bad is it: from CVSS vectors, else from the database's own word, else unknown; never silently low."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from cvss import CVSS2, CVSS3, CVSS4, CVSSError

ORDER = ("critical", "high", "medium", "low", "unknown")
WORDS = {
    "critical": "critical",
    "high": "high",
    "important": "high",
    "medium": "medium",
    "moderate": "medium",
    "low": "low",
    "minor": "low",
}
BANDS = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.0, "low"))
READERS = {"CVSS_V2": CVSS2, "CVSS_V3": CVSS3, "CVSS_V4": CVSS4}
MALWARE = "MAL-"


@dataclass(frozen=True, slots=True)
class Rating:
    """A severity of `ORDER`, and the CVSS base score where a vector gives one."""

    severity: str
    score: float | None = None


UNKNOWN = Rating("unknown")


class Vector(NamedTuple):
    """A CVSS vector as OSV names its kind, and the base score that it gives."""

    kind: str
    text: str
    score: float


def vectors(document: Mapping[str, Any]) -> list[Vector]:
    """The readable vectors of an OSV document or of one of its `affected` entries, as they stand."""
    entries = [entry for entry in _objects(document.get("severity")) if isinstance(entry.get("score"), str)]
    read = [(str(entry.get("type")), entry["score"].strip().rstrip("/"), _score(entry)) for entry in entries]
    return [Vector(kind, text, score) for kind, text, score in read if score is not None]


def rate(document: Mapping[str, Any]) -> Rating:
    """The rating of an OSV document: the gravest CVSS v3 or v4 vector, the database's word, CVSS v2, unknown.

    Entries of the malicious-packages database carry no vector; malware is critical.
    """
    scores = _scores(document)
    modern = [score for kind, score in scores if kind != "CVSS_V2"]
    if modern:
        return Rating(band(max(modern)), max(modern))
    if word := _word(document):
        return Rating(word)
    if scores:
        oldest = max(score for _, score in scores)
        return Rating(band(oldest), oldest)
    return Rating("critical") if str(document.get("id", "")).startswith(MALWARE) else UNKNOWN


def band(score: float) -> str:
    """The word that CVSS v3 and v4 give to a base score."""
    return next(word for floor, word in BANDS if score >= floor)


def worse(one: str, other: str) -> str:
    """The graver of two severities; any rating is worth more than none."""
    return min(one, other, key=ORDER.index)


def _scores(document: Mapping[str, Any]) -> list[tuple[str, float]]:
    places = (document, *_objects(document.get("affected")))
    entries = [entry for place in places for entry in _objects(place.get("severity"))]
    read = ((str(entry.get("type")), _score(entry)) for entry in entries)
    return [(kind, score) for kind, score in read if score is not None]


def _objects(value: Any) -> list[dict[str, Any]]:
    """The JSON objects of a list; whatever else stands there rates nothing."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _score(entry: Mapping[str, Any]) -> float | None:
    reader, vector = READERS.get(str(entry.get("type"))), entry.get("score")
    if reader is None or not isinstance(vector, str):
        return None
    try:
        parsed = reader(vector.strip().rstrip("/"))
    except CVSSError:
        return None
    return float(parsed.scores()[0]) if reader is not CVSS4 else float(parsed.base_score)


def _word(document: Mapping[str, Any]) -> str:
    """`severity` in database_specific or ecosystem_specific, at the top or in an affected entry; the gravest one."""
    places = (document, *_objects(document.get("affected")))
    specifics = [place.get(key) for place in places for key in ("database_specific", "ecosystem_specific")]
    said = [str(specific.get("severity", "")).lower() for specific in specifics if isinstance(specific, dict)]
    known = [WORDS[word] for word in said if word in WORDS]
    return min(known, key=ORDER.index, default="")
