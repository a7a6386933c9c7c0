"""Internal names: what a project here publishes is never asked for, nor taken, from outside (dependency confusion)."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from django.conf import settings
from django.db import connection

from registry import ecosystems
from registry.errors import Forbidden
from registry.models import Package, Release
from registry.upstreams.models import Offer, Upstream

MANY = 500
NO_UPSTREAM = 0
OURS = """SELECT {} FROM registry_package AS held WHERE held.ecosystem = %s AND held.{} = %s AND EXISTS (
          SELECT 1 FROM registry_release AS ours WHERE ours.package_id = held.id AND ours.origin = %s)"""
OTHERS = """SELECT offer.upstream_id FROM upstreams_offer AS offer
            JOIN upstreams_upstream AS source ON source.id = offer.upstream_id AND source.enabled
            WHERE offer.ecosystem = %s AND offer.normalized = %s AND offer.state = %s"""


@dataclass(frozen=True, slots=True)
class Claims:
    """Who has a name already: this portal's own projects, or upstreams that something of it was taken from."""

    is_ours: bool
    upstreams: frozenset[int]

    def is_open_to(self, upstream: Upstream) -> bool:
        """Whether the upstream may be asked for the name: it is nobody's, or the upstream's own."""
        return not self.is_ours and self.upstreams <= {upstream.pk}


def claims_on(ecosystem: str, name: str) -> Claims:
    """What `internal_among` and `of_others` say of one name, in one query: every cold request asks for both."""
    rules = ecosystems.get(ecosystem)
    form, scope = rules.normalize_name(name), rules.scope_of(name)
    if _is_reserved(ecosystem, form):
        return Claims(is_ours=True, upstreams=frozenset())
    questions = [OURS.format(NO_UPSTREAM, "normalized"), OTHERS]
    told: list[str] = [ecosystem, form, Release.Origin.PUBLISHED, ecosystem, form, Offer.State.HELD]
    if scope:
        questions.append(OURS.format(NO_UPSTREAM, "scope"))
        told += [ecosystem, scope, Release.Origin.PUBLISHED]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ".join(questions), told)
        found = {key for (key,) in cursor.fetchall()}
    return Claims(NO_UPSTREAM in found, frozenset(found - {NO_UPSTREAM}))


def need_foreign(ecosystem: str, name: str) -> None:
    """Raise Forbidden for a name that no upstream may be asked for."""
    if internal_among(ecosystem, [name]):
        raise Forbidden(f"{name} is an internal name: it is never taken from an upstream.", code="internal_name")


def internal_among(ecosystem: str, names: Iterable[str]) -> set[str]:
    """Those of the names that are ours: published here, in the scope of something published here, or reserved.

    Names that INTERNAL_NAMES reserves (`npm:@acme/*`) are ours before anything of that name stands here.
    """
    rules = ecosystems.get(ecosystem)
    normal = {name: rules.normalize_name(name) for name in names}
    scopes = {name: scope for name in normal if (scope := rules.scope_of(name))}
    ours = _published(ecosystem, "normalized", set(normal.values()))
    our_scopes = _published(ecosystem, "scope", set(scopes.values()))
    return {
        name
        for name, form in normal.items()
        if form in ours or scopes.get(name) in our_scopes or _is_reserved(ecosystem, form)
    }


def of_others(upstream: Upstream, ecosystem: str, names: Iterable[str]) -> dict[str, str]:
    """Those of the names (in their normal form) that stand here from another upstream, and its name.

    A name has one source: no upstream wins by offering a higher version. One that is switched off holds none.
    """
    wanted, found = sorted(set(names)), dict[str, str]()
    others = Offer.objects.filter(state=Offer.State.HELD, upstream__enabled=True).exclude(upstream=upstream)
    for start in range(0, len(wanted), MANY):
        held = others.filter(ecosystem=ecosystem, normalized__in=wanted[start : start + MANY])
        found.update(held.order_by("-upstream_id").values_list("normalized", "upstream__name").distinct())
    return found


def _published(ecosystem: str, column: str, values: set[str]) -> set[str]:
    """Which of the values stand in packages that a project here publishes itself."""
    wanted, found = sorted(values), set[str]()
    for start in range(0, len(wanted), MANY):
        packages = Package.objects.filter(ecosystem=ecosystem, **{f"{column}__in": wanted[start : start + MANY]})
        own = packages.filter(releases__origin=Release.Origin.PUBLISHED).distinct()
        found.update(own.values_list(column, flat=True))
    return found


def _is_reserved(ecosystem: str, form: str) -> bool:
    return any(fnmatchcase(f"{ecosystem}:{form}", pattern.lower()) for pattern in settings.INTERNAL_NAMES)
