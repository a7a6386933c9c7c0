"""What the scan policy would say of versions that are not here yet: those known to be unsafe, and those too young."""

from datetime import timedelta

from django.utils import timezone

from registry.upstreams.through.foreseeing import Prospects
from scanning import matching, policies
from scanning.models import Answer, Waiver


def unsafe_or_too_new(package: Prospects, project_id: int) -> dict[str, str]:
    """A version that an advisory which blocks is about and no waiver covers, or that has not waited long enough.

    A version of which its upstream gives no date counts from its arrival, so that with a cooldown it is too young.
    """
    rules = policies.rules_for(project_id)
    return _unsafe(package, project_id, rules) | _too_new(package, rules.cooldown_days)


def _too_new(package: Prospects, days: int) -> dict[str, str]:
    if not days:
        return {}
    latest = timezone.now() - timedelta(days=days)
    young = [one for one in package.versions if one.released_at is None or one.released_at > latest]
    return {one.version: f"It is younger than the {days} days that the policy waits for." for one in young}


def _unsafe(package: Prospects, project_id: int, rules: policies.Rules) -> dict[str, str]:
    wanted = [(package.ecosystem, package.name, one.version) for one in package.versions]
    hits = matching.match_many(wanted)
    names = {name for found in hits.values() for hit in found for name in (hit.advisory.osv_id, *hit.names)}
    waived = set[str]()
    if names:
        live = Waiver.objects.live().filter(project_id=project_id, identifier__in=names)
        waived = set(live.values_list("identifier", flat=True))
    found: dict[str, str] = {}
    for (_, _, version), of_it in hits.items():
        for hit in of_it:
            told = hit.advisory
            is_waived = bool(waived & {told.osv_id, *told.aliases, *hit.names})
            if getattr(rules, told.severity) == Answer.BLOCK and not is_waived:
                found.setdefault(version, f"{told.osv_id} ({told.severity}): {told.summary}")
    return found
