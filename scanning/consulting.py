"""Consulting: which of the packages that somebody uses are vulnerable? Facts of advisories; nothing is stored."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from accounts.actors import Actor
from registry import advising, ecosystems
from registry.advising import LicenseAdvice, Part
from registry.ecosystems.naming import shorten
from registry.errors import InvalidInput
from scanning import judging, matching, merging, standings
from scanning.evaluating import place_of
from scanning.lockfiles.base import KNOWN, Pin
from scanning.matching import Hit, Wanted
from scanning.models import AffectedPackage, Severity, Waiver
from scanning.scanners.base import Flaw
from scanning.scanners.osv import Osv, kind_of
from scanning.standings import Standing

VULNERABLE, UNKNOWN, WAIVED, CLEAN = "vulnerable", "unknown", "waived", "clean"
STATUSES = (VULNERABLE, UNKNOWN, WAIVED, CLEAN)


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one package in use.

    `vulnerable`: a flaw stands against it that no waiver covers; `waived`: every known one is covered, now; `clean`:
    advisories about its ecosystem are loaded, it has a version that they can be held against, and none touches it;
    `unknown`: the rest, with the `reason`. Nothing is clean because nobody looked.
    """

    pin: Pin
    flaws: tuple[Flaw, ...] = ()  # the gravest first
    waivers: dict[str, Waiver] = field(default_factory=dict)  # by the flaw's id
    reason: str = ""
    standing: Standing | None = None

    @property
    def open(self) -> list[Flaw]:
        """The flaws that no waiver covers."""
        return [flaw for flaw in self.flaws if flaw.identifier not in self.waivers]

    @property
    def status(self) -> str:
        """One of STATUSES."""
        if self.open:
            return VULNERABLE
        if self.reason:
            return UNKNOWN
        return WAIVED if self.flaws else CLEAN

    @property
    def can_be_asked_for(self) -> bool:
        """Whether somebody could submit it: a version of an ecosystem of ours that is not held."""
        return self.standing is None and self.pin.ecosystem in KNOWN and bool(self.pin.version)


@dataclass(frozen=True, slots=True)
class Answer:
    """A row for each pin, in their order, and what they come to together."""

    rows: Sequence[Row]

    @property
    def severities(self) -> dict[str, int]:
        """How many open flaws of each severity; waived ones are counted apart."""
        return judging.count(flaw.severity for row in self.rows for flaw in row.open)

    @property
    def waived(self) -> int:
        """How many flaws waivers cover."""
        return sum(len(row.waivers) for row in self.rows)

    @property
    def statuses(self) -> dict[str, int]:
        """How many packages of each status."""
        counted = Counter(row.status for row in self.rows)
        return {status: counted[status] for status in STATUSES}

    @property
    def gravest_first(self) -> list[Row]:
        """The rows as people want to read them: what to mend first."""
        return sorted(self.rows, key=_gravity)


def consult(pins: Sequence[Pin], actor: Actor) -> Answer:
    """What the loaded advisories say of each, and what this portal holds of them that the actor may see.

    Waivers of the actor's project are honoured, where the actor may read them. Thousands of pins cost a few queries.
    Raises Unavailable where advisories are just being replaced.
    """
    wanted = {pin: (pin.ecosystem, pin.name, pin.version) for pin in pins}
    known = [one for one in wanted.values() if one[0] in KNOWN]
    flaws = {one: _flaws(one, hits) for one, hits in matching.match_many(known).items()}
    waivers = _waivers(actor) if flaws else []
    silent = _silent({slug for slug, _, _ in wanted.values()})
    held = standings.of(known, actor)
    rows = {}
    for pin, one in wanted.items():
        found = flaws.get(one, ())
        reason = silent.get(pin.ecosystem) or pin.doubt or _unreadable(*one)
        rows[pin] = Row(pin, found, _covering(found, waivers), reason, held.get(one))
    return Answer([rows[pin] for pin in pins])


def compare(license: str, named: str, answer: Answer, actor: Actor) -> LicenseAdvice | None:
    """What the licenses of the packages mean for a work under `license`, else under what its lockfile `named`.

    None where neither is given. Raises InvalidInput where `license` names none; of what a lockfile says and nobody
    can read, everything is unknown.
    """
    if not (license or named):
        return None
    held = [
        Part(row.pin.ecosystem, row.standing.name, row.standing.version, row.pin.purl)
        for row in answer.rows
        if row.standing
    ]
    advice = advising.on_licenses(license or named, held, actor)
    if license and not advice.is_readable:
        said = f"“{shorten(license, 60)}” names no license. Give an SPDX expression, as in “MIT OR Apache-2.0”."
        raise InvalidInput(said, details={"license": [said]})
    return replace(advice, unknown=advice.unknown + len(answer.rows) - len(held))


def _flaws(wanted: Wanted, hits: Iterable[Hit]) -> tuple[Flaw, ...]:
    """One for each flaw, however many advisories tell of it."""
    slug, name, version = wanted
    return tuple(
        merging.merge(
            Flaw(
                identifier=hit.advisory.osv_id,
                ecosystem=slug,
                package=name,
                version=version,
                aliases=hit.names,
                severity=hit.advisory.severity,
                cvss=hit.advisory.cvss,
                summary=hit.advisory.summary,
                fixed_in=hit.match.fixed_in,
                url=hit.advisory.url,
                tools=(Osv.name,),
                kind=kind_of(hit.advisory),
            )
            for hit in hits
        )
    )


def _waivers(actor: Actor) -> list[Waiver]:
    """The live ones of the project that the actor acts for, if the actor may read them; the longest first."""
    if actor.project is None or not actor.sees_project(actor.project.pk):
        return []
    return list(Waiver.objects.live().filter(project=actor.project).order_by("-expires_at"))


def _covering(flaws: Iterable[Flaw], waivers: Sequence[Waiver]) -> dict[str, Waiver]:
    found = ((flaw, next((one for one in waivers if judging.covers(one, flaw)), None)) for flaw in flaws)
    return {flaw.identifier: waiver for flaw, waiver in found if waiver}


def _silent(slugs: Iterable[str]) -> dict[str, str]:
    """The ecosystems about which no loaded advisory speaks, and why that is so."""
    return {slug: reason for slug in slugs if (reason := _why_silent(slug))}


def _why_silent(slug: str) -> str:
    if slug not in KNOWN:
        return f"This portal has no advisories about packages of the type {slug[:40]}."
    rules = ecosystems.get(slug)
    if not rules.osv_name:
        return f"OSV knows no advisories about {rules.label} packages."
    standing = AffectedPackage.objects.filter(ecosystem=slug, advisory__withdrawn_at=None)
    return "" if standing.exists() else f"No advisories about {rules.label} packages are loaded here."


def _unreadable(slug: str, name: str, version: str) -> str:
    if not version:
        return "No version is named."
    if place_of(slug, version).key is None:
        return f"“{version[:40]}” is no {ecosystems.get(slug).label} version, so no advisory can be held against it."
    return ""


def severity_of(row: Row) -> str:
    """The gravest severity among the open flaws, or among all where every one is waived; "" where there is none."""
    flaws = row.open or row.flaws
    return min((flaw.severity for flaw in flaws), key=Severity.values.index, default="")


def _gravity(row: Row) -> tuple[int, int, str]:
    severity = severity_of(row)
    rank = Severity.values.index(severity) if severity else len(Severity.values)
    return STATUSES.index(row.status), rank, row.pin.name
