"""Searching: lists of packages that the actor may see, ranked, filtered, counted, and counted by facet."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

from django.core.cache import cache
from django.db.models import Case, Count, IntegerField, Q, Value, When
from django_filters import CharFilter, ChoiceFilter, FilterSet
from redis.exceptions import RedisError

from accounts.actors import Actor
from registry import search_index
from registry.errors import InvalidInput
from registry.models import Change, Package, Release
from registry.models.packages import CATEGORIES, Ecosystem, PackageQuerySet

ORDERINGS = {
    "name": ("name", "id"),
    "-name": ("-name", "-id"),
    "updated": ("updated_at", "id"),
    "-updated": ("-updated_at", "id"),
    "downloads": ("downloads", "id"),
    "-downloads": ("-downloads", "id"),
}
RELEVANCE = "relevance"
FACETS = ("status", "ecosystem", "category", "license")  # in the order of the index that answers them
COLUMNS = {"ecosystem": "ecosystem", "category": "category", "license": "license", "status": "latest_status"}
CHOICES = {
    "ecosystem": frozenset(Ecosystem.values),
    "category": frozenset(code for code, _ in CATEGORIES),
    "status": frozenset(Release.Status.values),
    "ordering": frozenset({*ORDERINGS, RELEVANCE}),
}
MOST_LICENSES = 12
# Above this many hits nobody reads by closeness of words; the well-used come first, and the answer stays quick.
BROAD = 4_000
# So many hits, or names, are found and sorted before anybody thinks about a way.
FEW = 1_000
# What looking at one package on a walk costs, in hits that are found and sorted.
STEP = 2
KEPT_SECONDS = 600
# Counting facets over a large registry takes a while; then a slightly old figure is better than a slow page.
SLOW_SECONDS = 0.015
STALE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for. Empty means: do not filter by it; without an ordering, relevance or else the name."""

    search: str = ""
    ecosystem: str = ""
    category: str = ""
    status: str = ""
    license: str = ""
    ordering: str = ""

    @property
    def text(self) -> str:
        """The words as they are meant."""
        return self.search.strip()

    @property
    def filters(self) -> dict[str, str]:
        """What is filtered by, words aside."""
        return {facet: value for facet in FACETS if (value := getattr(self, facet).strip())}

    @property
    def ranking(self) -> str:
        """The ordering that counts: relevance needs a text."""
        wanted = self.ordering or RELEVANCE
        return "name" if wanted == RELEVANCE and not self.text else wanted


def search(query: Query, actor: Actor, total: int | None = None) -> "Found":
    """The packages that match, best first, ready to be sliced. Raises InvalidInput for an unknown filter value.

    `total` is what `count` said, for who has asked already: it tells which way through the indexes is short.
    """
    check(query)
    return Found(query, actor, total)


def check(query: Query) -> None:
    """Raise InvalidInput, naming the field and what it may be, unless every filter value is known."""
    for field, allowed in CHOICES.items():
        if (value := getattr(query, field)) and value not in allowed:
            options = ", ".join(sorted(allowed))
            raise InvalidInput(f"Give {field} as one of: {options}.", details={field: [f"one of: {options}"]})


def count(query: Query, actor: Actor) -> int:
    """How many packages match, counting only what the actor may see; kept until something changes."""
    check(query)
    unordered = replace(query, ordering="")
    return int(_kept("count", unordered, actor, lambda: _counted(unordered, actor)))


def facets(query: Query, actor: Actor) -> dict[str, list[tuple[str, int]]]:
    """For each facet its values and how many packages each would leave, the facet's own filter set aside.

    On large registries the figures may be a minute old.
    """
    check(query)
    tally = _tally(query.search, actor)
    return {facet: _values(tally, facet, _wanted(query, facet)) for facet in FACETS}


def categories(actor: Actor) -> list[tuple[str, int]]:
    """The categories that hold packages, with counts, the fullest first."""
    return _values(_tally("", actor), "category", {})


# --- finding -------------------------------------------------------------------------------------------------------
class PackageFilter(FilterSet):
    """The filters of every list of packages, in the catalogue and in the API (contract section 3)."""

    ecosystem = ChoiceFilter(choices=Ecosystem.choices)
    category = ChoiceFilter(choices=CATEGORIES)
    status = ChoiceFilter(field_name="latest_status", choices=Release.Status.choices)
    license = CharFilter(method="by_license")

    class Meta:
        model = Package
        fields = ()

    def by_license(self, found: PackageQuerySet, _: str, license: str) -> PackageQuerySet:
        """Those under the licence, alone or within an expression."""
        return found.filter(license__in=_expressions_naming(license))


class WalkFilter(PackageFilter):
    """The same on plain columns: while walking in order, no other index may tempt the database away from it."""

    ecosystem = ChoiceFilter(field_name="plain_ecosystem", choices=Ecosystem.choices)
    category = ChoiceFilter(field_name="plain_category", choices=CATEGORIES)
    status = ChoiceFilter(field_name="plain_latest_status", choices=Release.Status.choices)

    def by_license(self, found: PackageQuerySet, _: str, license: str) -> PackageQuerySet:
        """Those under the licence, alone or within an expression."""
        plain: Any = found  # with the columns that `plainly` adds
        return cast(PackageQuerySet, plain.filter(plain_license__in=_expressions_naming(license)))


@dataclass
class Found:
    """The packages that match, best first. Which way they are read is settled when rows are asked for.

    Where the first rows of many are wanted, packages are walked through in the wanted order until enough match;
    otherwise all that match are found first, then sorted. Both ways give the same rows.
    """

    query: Query
    actor: Actor
    total: int | None = None

    def __getitem__(self, rows: slice) -> list[Package]:
        """One slice: one query, or a few where relevance is walked through."""
        is_broad = self.query.ranking == RELEVANCE and self._is_broad()
        if self.query.ranking == RELEVANCE and not is_broad:
            return list(self._by_closeness()[rows])
        is_walk = self._is_walk(rows)
        found = self._walked() if is_walk else self.gathered()
        if not is_broad:
            return list(found.order_by(*ORDERINGS[self.query.ranking])[rows])
        if is_walk:
            return _in_turn(_tiers(found, self.query.text), rows)
        return list(_with_name_rank(found, self.query.text).order_by("name_rank", "-downloads", "id")[rows])

    def __iter__(self) -> Iterator[Package]:
        """All of them."""
        return iter(self[:])

    @property
    def known_total(self) -> int:
        """How many there are, asked for once."""
        if self.total is None:
            self.total = count(self.query, self.actor)
        return self.total

    def _is_broad(self) -> bool:
        """Whether the words match so much, seen or not, that use tells more than closeness."""
        match = search_index.expression(self.query.text)
        if not match or self.known_total > BROAD:
            return bool(match)
        return bool(_remembered(f"broad:{_seq()}:{_digest(match)}", lambda: search_index.reaches(match, BROAD + 1)))

    def _is_walk(self, rows: slice) -> bool:
        """Whether walking to the end of the slice is shorter than sorting all that match; all packages are a walk."""
        if rows.stop is None or not (self.query.text or self.query.filters) or self.known_total <= FEW:
            return False
        newest = Package.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        return bool(rows.stop * newest * STEP < self.known_total**2)

    def _walked(self) -> PackageQuerySet:
        """What matches, each package looked at in the order of the list."""
        return search_index.holding(_listed(self.query, self.actor, WalkFilter), self.query.text)

    def gathered(self) -> PackageQuerySet:
        """What matches, found in the index by words and marks first."""
        found = _listed(self.query, self.actor)
        if not self.query.text:
            return found
        match = _narrowed(self.query, self.actor)
        return search_index.matching(found, match) if match else found.none()

    def _by_closeness(self) -> PackageQuerySet:
        """Exact names first, then names that begin so, then by closeness of words."""
        match, found = search_index.expression(self.query.text), _listed(self.query, self.actor)
        if not match:
            return found.none()
        ranked = search_index.with_rank(search_index.matching(found, match), match)
        ordered = _with_name_rank(ranked, self.query.text).order_by("name_rank", "text_rank", "-downloads", "id")
        return cast(PackageQuerySet, ordered)


def _with_name_rank(found: PackageQuerySet, text: str) -> Any:
    """With 0 for the very name, 1 for a name that begins so, 2 for any other."""
    name = _name_in(text)
    exact, begun = When(normalized__in=_spellings(name), then=Value(0)), When(search_index.begins(name), then=Value(1))
    return found.annotate(name_rank=Case(exact, begun, default=Value(2), output_field=IntegerField()))


def _narrowed(query: Query, actor: Actor) -> str:
    """The words, filters and visibility as one question to the text index; "" where there is no word."""
    match = search_index.expression(query.text)
    marks = [search_index.mark(facet, value) for facet, value in query.filters.items()]
    sight = None if actor.entitlements else _projects_seen(actor)  # no mark says what a key opens; the query does
    return search_index.narrowed(match, marks, sight) if match else ""


def _listed(query: Query, actor: Actor, kind: type[PackageFilter] = PackageFilter) -> PackageQuerySet:
    """What the filters leave, in no order. A package is listed while it has a latest version, and so a status."""
    listed = Package.objects.visible_to(actor).exclude(latest_status="")
    if not query.filters:
        return listed
    if kind is WalkFilter:
        listed = search_index.plainly(listed, *COLUMNS.values())
    chosen = kind(query.filters, queryset=listed)
    return cast(PackageQuerySet, chosen.qs) if chosen.is_valid() else listed.none()


def _tiers(found: PackageQuerySet, text: str) -> list[PackageQuerySet]:
    """The exact names, the names that begin so, and the others, each by use."""
    name = _name_in(text)
    exact, begun = Q(normalized__in=_spellings(name)), search_index.begins(name, "plain_normalized")
    names = search_index.begins(name)
    if Package.objects.filter(names).order_by()[:FEW].count() == FEW:
        names = begun
    found = search_index.plainly(found, "normalized")
    tiers = (found.filter(exact), found.filter(names).exclude(exact), found.exclude(begun).exclude(exact))
    return [tier.order_by("-downloads", "id") for tier in tiers]


def _in_turn(tiers: Iterable[PackageQuerySet], rows: slice) -> list[Package]:
    """The slice of the tiers put one after the other, reading no further than it must."""
    skipped, wanted = rows.start or 0, rows.stop - (rows.start or 0)
    taken: list[Package] = []
    for tier in tiers:
        page = list(tier[skipped : skipped + wanted - len(taken)])
        taken += page
        if len(taken) >= wanted:
            break
        skipped = 0 if page or not skipped else skipped - tier.count()
    return taken


def _name_in(text: str) -> str:
    """The text as the name that it may be."""
    return "".join(filter(str.isprintable, text.lower()[: search_index.LONGEST_QUERY]))


def _spellings(name: str) -> set[str]:
    return {name, name.replace("_", "-")}


def _expressions_naming(license: str) -> list[str]:
    """Every licence expression held here that is the licence, or names it among others."""
    asked = license.casefold()

    def read() -> list[str]:
        return list(Package.objects.order_by().values_list("license", flat=True).distinct())

    held: list[str] = _remembered(f"licenses:{_seq()}", read)
    return [one for one in held if one.casefold() == asked or asked in search_index.licenses_in(one)]


# --- counting ------------------------------------------------------------------------------------------------------
def _counted(query: Query, actor: Actor) -> int:
    """Without words from the columns of packages, with words from the text index alone."""
    if not query.text:
        return _listed(query, actor).count()
    if actor.entitlements:
        return Found(query, actor).gathered().count()
    match = _narrowed(query, actor)
    return search_index.count(match) if match else 0


def _tally(text: str, actor: Actor) -> list[tuple[tuple[str, ...], int]]:
    """How many packages match the text for each combination of facet values: one query answers every facet."""

    def read() -> list[tuple[tuple[str, ...], int]]:
        columns = [COLUMNS[facet] for facet in FACETS]
        rows = Found(Query(search=text), actor).gathered().order_by().values_list(*columns).annotate(found=Count("pk"))
        return [(tuple(row[:-1]), row[-1]) for row in rows]

    tally: list[tuple[tuple[str, ...], int]] = _kept("tally", Query(search=text), actor, read, may_be_old=True)
    return tally


def _wanted(query: Query, but: str) -> dict[str, set[str]]:
    """What each other facet may be for a package to count."""
    chosen = {facet: value for facet in FACETS if facet != but and (value := getattr(query, facet))}
    return {
        facet: set(_expressions_naming(value)) if facet == "license" else {value} for facet, value in chosen.items()
    }


def _values(
    tally: list[tuple[tuple[str, ...], int]], facet: str, wanted: dict[str, set[str]]
) -> list[tuple[str, int]]:
    """The facet's values with counts, the commonest first; packages that state none are not counted."""
    counts: Counter[str] = Counter()
    for values, found in tally:
        row = dict(zip(FACETS, values, strict=True))
        if row[facet] and all(row[other] in allowed for other, allowed in wanted.items()):
            counts[row[facet]] += found
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ranked[:MOST_LICENSES] if facet == "license" else ranked


def _seq() -> int:
    """The last step of the change feed: what was counted before it may be wrong now."""
    return Change.objects.order_by("-seq").values_list("seq", flat=True).first() or 0


def _kept(what: str, query: Query, actor: Actor, work: Callable[[], Any], *, may_be_old: bool = False) -> Any:
    key = f"{what}:{_digest(query)}:{_digest(_sight(actor))}"
    if may_be_old and (old := _look_up(f"slow:{key}")) is not None:
        return old
    started = time.monotonic()
    answer = _remembered(f"{key}:{_seq()}", work)
    if may_be_old and time.monotonic() - started > SLOW_SECONDS:
        _keep(f"slow:{key}", answer, STALE_SECONDS)
    return answer


def _sight(actor: Actor) -> tuple[object, ...]:
    """What private packages are visible to the actor: equal sights see the same."""
    return _projects_seen(actor), sorted(actor.opened_packages)


def _projects_seen(actor: Actor) -> list[int] | None:
    """Whose private packages are visible to the actor, None for everybody's."""
    if actor.is_system or actor.is_maintainer or actor.is_admin:
        return None
    return sorted(actor.project_ids) if actor.can("read") else []


def _digest(thing: object) -> str:
    return hashlib.sha256(repr(thing).encode()).hexdigest()[:32]


def _remembered(key: str, work: Callable[[], Any]) -> Any:
    if (answer := _look_up(key)) is None:
        answer = work()
        _keep(key, answer, KEPT_SECONDS)
    return answer


def _look_up(key: str) -> Any:
    """What the cache holds; a cache that does not answer holds nothing."""
    try:
        return cache.get(f"searching:{key}")
    except (RedisError, OSError):
        return None


def _keep(key: str, answer: Any, seconds: int) -> None:
    try:
        cache.set(f"searching:{key}", answer, seconds)
    except (RedisError, OSError):
        return
