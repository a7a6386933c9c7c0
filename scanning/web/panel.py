"""The scan panel: what the scans of a release say, and what its reader may do about it. The same on every page."""

from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.safestring import SafeString

from accounts.actors import Actor
from accounts.middleware import AskedRequest
from accounts.models import User
from registry.models import Check, Release
from registry.templatetags.catalogue import web_link
from scanning import checks, judging
from scanning.models import AdvisoryName, Answer, Finding, Scan, Severity, Waiver

SHOWN, LISTED, HISTORY = 8, 200, 20
GRAVITY = {severity: place for place, severity in enumerate(Severity.values)}


@dataclass(frozen=True, slots=True)
class Row:
    """One finding as a row of the table."""

    finding: Finding
    answer: Answer
    waiver: Waiver | None
    link: str
    waive_url: str

    @property
    def is_elsewhere(self) -> bool:
        """Whether it was found in a package that the release brings along."""
        release = self.finding.scan.release
        return (self.finding.package, self.finding.version) != (release.package.name, release.version)


class Panel:
    """What the panel says of one release to one reader; eight queries, however much was found."""

    def __init__(self, release: Release, actor: Actor) -> None:
        self.release, self.actor = release, actor

    @cached_property
    def scans(self) -> list[Scan]:
        """Its scans, the newest first."""
        return list(Scan.objects.filter(release=self.release).order_by("-pk")[:HISTORY])

    @cached_property
    def scan(self) -> Scan | None:
        """The one that holds what counts."""
        return next((one for one in self.scans if one.is_current), None)

    @property
    def history(self) -> list[Scan]:
        """Those that have ended, the newest first."""
        return [one for one in self.scans if one.status != Scan.Status.PENDING]

    @property
    def missing(self) -> list[tuple[str, str]]:
        """Which scanners failed, and which had nothing to say, with their reasons: a line for each kind."""
        lines: dict[str, list[str]] = {Check.Status.ERRORED: [], Check.Status.SKIPPED: []}
        for one in self.scan.tools_unavailable if self.scan else ():
            is_named = str(one["reason"]).startswith(one["tool"])
            status = Check.Status.ERRORED if one["failed"] else Check.Status.SKIPPED
            lines[status].append(one["reason"] if is_named else f"{one['tool']}: {one['reason']}")
        return [(status, " ".join(said)) for status, said in lines.items() if said]

    @cached_property
    def is_waiting(self) -> bool:
        """Whether a scan is still to end: what an older one found stands until then."""
        row = next((one for one in self.release.checks.all() if one.name == checks.NAME), None)
        is_open = row is not None and row.status in Check.OPEN
        return is_open or any(one.status == Scan.Status.PENDING for one in self.scans)

    @cached_property
    def assessment(self) -> judging.Assessment:
        """The findings under the policy and the waivers of this moment."""
        return judging.assess(list(self.scan.findings.all()) if self.scan else [], self.release)

    @cached_property
    def verdict(self) -> tuple[str, str]:
        """The status and the sentence of the check, as every door gives them."""
        if self.scan is None:
            return Check.Status.PENDING, checks.NOT_YET
        said = checks.report(self.scan, self.release, self.assessment)
        return said.status, said.summary

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many of each severity that there are."""
        return [(severity, number) for severity, number in self.assessment.counts.items() if number]

    @cached_property
    def rows(self) -> list[Row]:
        """The findings, the gravest first, those that are waived after those that stand."""
        waivers = self.assessment.waivers.values()
        owners = User.objects.in_bulk({one.owner_id for one in waivers}) if waivers else {}
        for waiver in waivers:
            waiver.owner = owners[waiver.owner_id]
        ordered = sorted(self.assessment.findings, key=self._place)[:LISTED]
        known = _known({one.identifier for one in ordered})
        return [self._row(one, known) for one in ordered]

    @property
    def first(self) -> list[Row]:
        """Those that are seen without opening anything."""
        return self.rows[:SHOWN]

    @property
    def folded(self) -> list[Row]:
        """The others."""
        return self.rows[SHOWN:]

    @property
    def unlisted(self) -> int:
        """How many more there are than a page can list."""
        return max(0, len(self.assessment.findings) - LISTED)

    @property
    def may_act(self) -> bool:
        """Whether the reader may waive, end waivers and ask for scans here."""
        return self.actor.is_maintainer and self.actor.reaches(self.release.project_id) and not self.release.is_purged

    @property
    def sees_waivers(self) -> bool:
        """Whether the reader may know who waived what, and why."""
        return self.actor.user is not None and self.actor.sees_project(self.release.project_id)

    def _place(self, finding: Finding) -> tuple[Any, ...]:
        return finding.pk in self.assessment.waivers, GRAVITY[finding.severity], finding.package, finding.identifier

    def _row(self, finding: Finding, known: frozenset[str]) -> Row:
        finding.scan.release = self.release
        waiver = self.assessment.waivers.get(finding.pk)
        answer = Answer(self.assessment.rules.answer(finding))
        link = web_link(finding.url)
        if not link and finding.identifier.upper() in known:
            link = reverse("api:advisory", kwargs={"id": finding.identifier})
        may = self.may_act and waiver is None
        return Row(finding, answer, waiver, link, waive_url(self.release, finding) if may else "")


def show(request: HttpRequest, release: Release) -> SafeString:
    """The panel as a part of a page."""
    actor = cast(AskedRequest, request).actor
    here = request.get_full_path() if request.method == "GET" else address(release, "version")
    context = {"panel": Panel(release, actor), "release": release, "package": release.package, "here": here}
    return render_to_string("scanning/panel.html", context, request)


def address(release: Release, what: str) -> str:
    """Where something is done about a release."""
    package = release.package
    named = {"ecosystem": package.ecosystem, "name": package.name, "version": release.version}
    return reverse(what, kwargs=named)


def waive_url(release: Release, finding: Finding) -> str:
    """Where the finding is waived."""
    asked = {"finding": finding.identifier, "package": finding.package, "version": finding.version}
    return f"{address(release, 'waive')}?{urlencode(asked)}"


def _known(identifiers: set[str]) -> frozenset[str]:
    """Those of the ids, in capitals, that an advisory held here goes by."""
    names = AdvisoryName.objects.filter(name__in={one.upper() for one in identifiers})
    return frozenset(names.values_list("name", flat=True)) if identifiers else frozenset()
