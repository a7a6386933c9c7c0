"""The status page: do the EU regions hold what is approved, and what does that mean for those who install."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registry.mirrors import standing
from registry.mirrors.standing import Fault, Region, Standing, Status
from registry.web import charts, europe
from registry.web.pages import Page


@dataclass(frozen=True, slots=True)
class Card:
    """One region as its card shows it."""

    region: Region
    sentence: str
    window: str
    opens_at: datetime | None
    chart: charts.Line | None
    problem: str


class StatusPage(Page):
    """How the regions stand."""

    template = "regions/status.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """One sentence, the map, and a card for each region. What failed, word for word, is for maintainers."""
        found = standing.now()
        return self.show(
            standing=found,
            every=f"{settings.SWEEP_SECONDS:g}",
            sentence=sentence(found),
            cards=[_card(region, shows_problem=self.actor.is_maintainer) for region in found.regions],
            marks=europe.marks(found.regions),
            box=" ".join(map(str, europe.BOX)),
        )


def sentence(found: Standing) -> str:
    """How all regions stand together, and what it means for people who install."""
    number = len(found.regions)
    if not number:
        return _("No region is set up: every file is served by this portal alone.")
    if all(region.fault == Fault.LOST for region in found.regions):
        return _(
            "Nobody has looked at the regions for a minute, because no worker runs. What they hold can be installed; "
            "what is new does not reach them."
        )
    if found.status == Status.DOWN:
        return _(
            "No region answers. Installs go on from this portal; what is new reaches the regions once they are back."
        )
    if found.status == Status.HEALTHY:
        return ngettext(
            "The region answers and holds what is approved: install from it, or from here.",
            "All %(number)d regions answer and hold what is approved: install from any of them, or from here.",
            number,
        ) % {"number": number}
    well = sum(region.status == Status.HEALTHY for region in found.regions)
    return _(
        "%(well)d of %(all)d regions are healthy. Installs go on from this portal and from those; "
        "the others may miss what is new."
    ) % {"well": well, "all": number}


def _card(region: Region, *, shows_problem: bool) -> Card:
    mirror = region.mirror
    return Card(
        region=region,
        sentence=_sentence_of(region),
        window=_window_of(region),
        opens_at=None if region.is_open else region.next_window,
        chart=charts.line(mirror.latencies),
        problem=(mirror.probe_error or mirror.last_error) if shows_problem and region.fault else "",
    )


def _sentence_of(region: Region) -> str:
    """What is the matter with a region, in one sentence."""
    match region.fault:
        case Fault.UNREACHABLE:
            return _("It does not answer.")
        case Fault.LOST | Fault.SILENT:
            return _("Nobody has looked at it lately: the worker is away or very busy.")
        case Fault.PAUSED:
            return _("An admin has paused it: it keeps what it holds and receives nothing.")
        case Fault.FAILING:
            return _("It answers, but some packages cannot be brought there. They are tried again.")
        case Fault.RETURNED:
            return _("It answers again and is catching up with what it missed.")
        case Fault.LATE:
            return _("It answers, but is behind: what is new arrives late.")
    if not region.pending:
        return _("It answers and holds what is approved.")
    return (
        _("It answers and is catching up.") if region.is_open else _("It answers. What is new waits for its window.")
    )


def _window_of(region: Region) -> str:
    """When changes may travel to the region."""
    opens, closes = region.mirror.window_opens, region.mirror.window_closes
    if opens is None or closes is None or opens == closes:
        return _("at any time")
    return _("%(opens)s to %(closes)s UTC") % {"opens": opens.strftime("%H:%M"), "closes": closes.strftime("%H:%M")}
