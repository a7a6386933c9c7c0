"""What a maintainer can narrow the queue down to, read from the URL and counted."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Exists, OuterRef, Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from registry.models import Check, Release
from registry.models.packages import Ecosystem
from registry.models.releases import ReleaseQuerySet

PER_PAGE = 50
STATES = tuple(Release.Status.values)
AGES: dict[str, tuple[Promise | str, timedelta]] = {
    "1": (_("Longer than a day"), timedelta(days=1)),
    "3": (_("Longer than three days"), timedelta(days=3)),
    "7": (_("Longer than a week"), timedelta(days=7)),
}
CHECKS: dict[str, Promise | str] = {
    "ready": _("All done, none failed"),
    "failed": _("One failed"),
    "warned": _("One warned"),
    "running": _("Still running"),
}
FAILED = (Check.Status.FAILED, Check.Status.ERRORED)


@dataclass(frozen=True, slots=True)
class Filters:
    """One view of the queue. Unknown values in the URL count as no filter."""

    state: str = "pending"
    ecosystem: str = ""
    origin: str = ""
    age: str = ""
    checks: str = ""
    q: str = ""
    page: int = 1

    @classmethod
    def read(cls, query: QueryDict) -> "Filters":
        """The filters of a request."""
        page = query.get("page", "1")
        return cls(
            state=_one_of(query.get("state"), STATES) or "pending",
            ecosystem=_one_of(query.get("ecosystem"), Ecosystem.values),
            origin=_one_of(query.get("origin"), Release.Origin.values),
            age=_one_of(query.get("age"), AGES),
            checks=_one_of(query.get("checks"), CHECKS),
            q=query.get("q", "").replace("\x00", "").strip()[:200],
            page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
        )

    def as_query(self, **changes: Any) -> str:
        """The same view as a query string, with changes; what is at its default is left out."""
        values = {name: getattr(self, name) for name in self.__slots__} | {"page": 1} | changes
        defaults = Filters()
        return urlencode({name: value for name, value in values.items() if value != getattr(defaults, name)})

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the state is chosen."""
        return any((self.ecosystem, self.origin, self.age, self.checks, self.q))

    def of_state(self) -> ReleaseQuerySet:
        """The releases in the chosen state, unlisted ones left out."""
        return Release.objects.listed().filter(status=self.state)

    def apply(self) -> ReleaseQuerySet:
        """The releases that fit, those that wait the longest first; decided ones newest first."""
        rows = self.of_state()
        if self.ecosystem:
            rows = rows.filter(package__ecosystem=self.ecosystem)
        if self.origin:
            rows = rows.filter(origin=self.origin)
        if self.age:
            rows = rows.filter(submitted_at__lte=timezone.now() - AGES[self.age][1])
        if self.checks:
            rows = rows.filter(by_checks(self.checks))
        for word in self.q.split()[:6]:
            rows = rows.filter(_mentions(word))
        return rows.order_by(*(("submitted_at", "pk") if self.state == "pending" else ("-submitted_at", "-pk")))


def by_checks(choice: str) -> Q:
    """The condition behind a choice of `CHECKS`."""
    match choice:
        case "failed":
            return Q(_has_check(*FAILED))
        case "warned":
            return Q(_has_check(Check.Status.WARNED))
        case "running":
            return Q(_has_check(*Check.OPEN))
    return ~Q(_has_check(*Check.OPEN, *FAILED))


def _has_check(*statuses: str) -> Exists:
    return Exists(Check.objects.filter(release=OuterRef("pk"), status__in=statuses))


def _mentions(word: str) -> Q:
    name, at, version = word.rpartition("@")
    if at and name:
        return Q(package__name__icontains=name, version__startswith=version)
    return (
        Q(package__name__icontains=word)
        | Q(version__startswith=word)
        | Q(submitted_by__username__iexact=word)
        | Q(project__slug__iexact=word)
    )


def _one_of(value: str | None, allowed: Any) -> str:
    return value if value is not None and value in allowed else ""


# --- counts --------------------------------------------------------------------------------------------------------
@dataclass(slots=True)
class Counts:
    """How many releases each choice would show, whatever else is chosen; empty where they are not counted."""

    states: dict[str, int] = field(default_factory=dict)
    ecosystems: dict[str, int] = field(default_factory=dict)
    origins: dict[str, int] = field(default_factory=dict)
    ages: dict[str, int] = field(default_factory=dict)
    checks: dict[str, int] = field(default_factory=dict)


def count(filters: Filters) -> Counts:
    """The counts beside the choices."""
    listed = Release.objects.listed().order_by()
    states = dict(listed.values_list("status").annotate(n=Count("pk")))
    counts = Counts(states={state: states.get(state, 0) for state in STATES})
    if filters.state == Release.Status.PENDING:
        _count_waiting(filters, counts)
    return counts


def _count_waiting(filters: Filters, counts: Counts) -> None:
    """The choices over what waits; decided releases are too many, and nobody asks it of them."""
    rows = filters.of_state().order_by().values_list("package__ecosystem", "origin").annotate(n=Count("pk"))
    for ecosystem, origin, number in rows:
        counts.ecosystems[ecosystem] = counts.ecosystems.get(ecosystem, 0) + number
        counts.origins[origin] = counts.origins.get(origin, 0) + number
    now = timezone.now()
    ages = {f"age_{key}": Count("pk", filter=Q(submitted_at__lte=now - AGES[key][1])) for key in AGES}
    checks = {f"checks_{key}": Count("pk", filter=by_checks(key)) for key in CHECKS}
    numbers = filters.of_state().order_by().aggregate(**ages, **checks)
    counts.ages = {key: numbers[f"age_{key}"] for key in AGES}
    counts.checks = {key: numbers[f"checks_{key}"] for key in CHECKS}
