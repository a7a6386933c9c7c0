"""Figures: how many findings stand open today, counted again and again and kept for every day."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from registry import ecosystems, tasks
from registry.models import Release
from scanning import judging
from scanning.models import AdvisoryName, DailyFigures, Finding, Scan, Severity, Waiver

AGAIN = timedelta(minutes=10)
BATCH = 500


class LiveWaivers:
    """The waivers that hold now, looked up once to be asked about many findings of many projects."""

    def __init__(self, projects: Collection[int] | None = None) -> None:
        found = Waiver.objects.live() if projects is None else Waiver.objects.live().filter(project__in=projects)
        self.rows = list(found)
        self.by_name: dict[tuple[int, str], list[Waiver]] = defaultdict(list)
        for one in self.rows:
            self.by_name[one.project_id, one.identifier].append(one)

    def name(self, project_id: int, *names: str) -> bool:
        """Whether one of them, of that project, is about a flaw of any of the names."""
        return any((project_id, name) in self.by_name for name in names)

    def cover(self, finding: Finding, project_id: int) -> bool:
        """Whether one of them is about the finding in a release of that project."""
        names = (finding.identifier, *finding.aliases)
        return any(judging.covers(one, finding) for name in names for one in self.by_name.get((project_id, name), ()))

    def candidates(self) -> Q:
        """Which findings they may be about at all: by a name of the flaw, or by the package."""
        named = {one.identifier for one in self.rows}
        flaws = AdvisoryName.objects.filter(name__in={name.upper() for name in named}).values("advisory")
        others = AdvisoryName.objects.filter(advisory__in=flaws).values_list("advisory__osv_id", "advisory__aliases")
        named |= {name for osv_id, aliases in others for name in (osv_id, *aliases)}
        packages = {one.package for one in self.rows}
        packages |= {ecosystems.get(one.ecosystem).normalize_name(one.package) for one in self.rows}
        return Q(identifier__in=named) | Q(package__in=packages)


def standing() -> Any:
    """The findings that count: of the current scan of each version that is neither removed nor rejected."""
    current = Finding.objects.filter(scan__is_current=True, scan__release__purged_at=None)
    return current.exclude(scan__release__status=Release.Status.REJECTED)


@tasks.periodically("refresh_figures")
def keep() -> int:
    """Write down today's figures, unless that was done a moment ago; returns how many findings stand open."""
    now = timezone.now()
    if DailyFigures.objects.filter(day=now.date(), counted_at__gt=now - AGAIN).exists():
        return 0
    counted = count()
    DailyFigures.objects.update_or_create(day=now.date(), defaults={**counted, "counted_at": now})
    return sum(counted[severity] for severity in Severity.values)


def count() -> dict[str, int]:
    """The open findings by severity, what is waived, what is in quarantine and what nobody could look at."""
    found = standing().order_by().values_list("severity").annotate(n=Count("pk"))
    every, waived = dict(found), _waived()
    held = Release.objects.filter(status=Release.Status.QUARANTINED, purged_at=None)
    errored = Scan.objects.filter(is_current=True, status=Scan.Status.ERRORED, release__purged_at=None)
    return {
        **{severity: every.get(severity, 0) - waived[severity] for severity in Severity.values},
        "waived": waived.total(),
        "quarantined": held.count(),
        "unscanned": errored.count(),
    }


def _waived() -> Counter[str]:
    """How many of each severity a live waiver covers; only those that one names are read whole."""
    waivers = LiveWaivers()
    if not waivers.rows:
        return Counter()
    rows = standing().filter(waivers.candidates(), scan__release__project__in={one.project_id for one in waivers.rows})
    names = rows.order_by().values_list("pk", "scan__release__project", "identifier", "aliases").iterator(2000)
    projects = {pk: project for pk, project, *rest in names if waivers.name(project, rest[0], *rest[1])}
    return Counter(one.severity for one in _whole(list(projects)) if waivers.cover(one, projects[one.pk]))


def _whole(keys: list[int]) -> Iterator[Finding]:
    for start in range(0, len(keys), BATCH):
        yield from Finding.objects.filter(pk__in=keys[start : start + BATCH])
