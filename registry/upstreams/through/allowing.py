"""Who may have the portal ask which upstream for which name. What is not clearly allowed is not asked."""

import time
from collections.abc import Sequence

from django.conf import settings

from accounts import counters
from accounts.actors import Actor
from accounts.rate_limiting import RateLimited
from registry import ecosystems, grants
from registry.errors import InvalidInput
from registry.models import Package
from registry.upstreams import connecting, guarding
from registry.upstreams.models import Upstream

SPEAKING = ("npm", "pypi")
KNOWN_FOR = 5.0  # seconds that a process may not know of what an admin switched in another one
HOUR = 3600
_known: dict[str, tuple[float, Sequence[Upstream]]] = {}


def switched_on() -> Sequence[Upstream]:
    """The upstreams that pull through, in the order in which they are asked; a query every few seconds."""
    then, found = _known.get("all", (0.0, ()))
    if not then or time.monotonic() - then > KNOWN_FOR:
        found = tuple(Upstream.objects.filter(enabled=True, pulls_through=True).order_by("pk"))
        know(found)
    return found


def forget() -> None:
    """Ask the database again: an admin has changed an upstream. Other processes come to know within seconds."""
    _known.clear()


def know(upstreams: Sequence[Upstream]) -> None:
    """Take these for all there are, until one is changed or a few seconds are over."""
    _known["all"] = time.monotonic(), upstreams


def may_ask(upstream: Upstream, actor: Actor) -> bool:
    """Whether the actor may have this upstream asked at all."""
    if upstream.visibility == Package.Visibility.PRIVATE and not actor.sees_project(upstream.project_id):
        return False
    known = actor.user is not None and actor.can("read")
    return known or upstream.pull_through_for == Upstream.Asker.EVERYBODY


def for_actor(ecosystem: str, actor: Actor) -> list[Upstream]:
    """Those of the ecosystem that the actor may have asked, whatever the name; no query as a rule."""
    if ecosystem not in SPEAKING:
        return []
    of_it = (one for one in switched_on() if connecting.ecosystem_of(one) in ("", ecosystem))
    return [one for one in of_it if may_ask(one, actor)]


def adds_to_indexes(ecosystem: str, actor: Actor) -> bool:
    """Whether indexes may hold more for this actor than what is approved here: where machines decide by themselves."""
    return any(not one.needs_review for one in for_actor(ecosystem, actor))


def for_name(ecosystem: str, name: str, package: Package | None, actor: Actor) -> list[Upstream]:
    """Those that may be asked for this name: none for a name of ours, and one source for a name that has one.

    The patterns of an upstream count, both what it takes and what it leaves out.
    """
    upstreams = for_actor(ecosystem, actor)
    if not upstreams or not _is_name(ecosystem, name):
        return []
    if package is not None:
        if not package.is_visible_to(actor) or grants.find_product(package) is not None:
            return []
        if package.is_private:
            upstreams = [one for one in upstreams if one.project_id == package.project_id]
    wanted = [one for one in upstreams if name in connecting.site_of(one).wanted]
    claims = guarding.claims_on(ecosystem, name) if wanted else None
    return [one for one in wanted if claims is not None and claims.is_open_to(one)]


def _is_name(ecosystem: str, name: str) -> bool:
    try:
        ecosystems.get(ecosystem).check_name(name)
    except InvalidInput:
        return False
    return len(name) <= 214


def count(actor: Actor) -> None:
    """Count one question to an upstream; raises RateLimited beyond PULL_THROUGH_PER_HOUR, a tenth for nobody known."""
    who = f"{actor.user.pk}" if actor.user is not None else f"from {actor.address}"
    limit = settings.PULL_THROUGH_PER_HOUR if actor.user is not None else settings.PULL_THROUGH_PER_HOUR // 10
    if limit and counters.add(f"through:{who}:{int(time.time()) // HOUR}", HOUR) > limit:
        raise RateLimited(
            "You have had the portal ask its upstreams for too much in this hour. Go on in the next one."
        )
