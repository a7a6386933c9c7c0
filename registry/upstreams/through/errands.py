"""Errands: a client asks for a version that is not here. One row per version, one job that brings it, many who wait.

The row is what makes a thousand requests one: whoever writes it (or reopens it, by one conditional update) queues the
job; all of them wait for the decision, for PULL_THROUGH_SECONDS at most.
"""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts import auditing
from accounts.actors import Actor
from registry import ecosystems, publishing, resolving, tasks
from registry.errors import Forbidden, NotFound
from registry.models import Job, Package, Release
from registry.upstreams.models import Errand, Shelf, Upstream
from registry.upstreams.sources.base import Goods
from registry.upstreams.through import allowing, shelves
from registry.upstreams.through.waiting import NotYet, rounds

KIND = "through"
STALE = timedelta(minutes=15)  # an errand that is open for longer has lost its job
ASK_ANEW = timedelta(seconds=30)  # an index that is older is asked again for a version that it did not have
OUTCOME = ("state", "release", "code", "error", "again_at")  # of an errand, for who waits
DOWN, ABSENT, LIES = "unavailable", "absent", "upstream_lies"


def find_release(ecosystem: str, name: str, version: str, actor: Actor) -> Release:
    """The release as `resolving` finds it; one that is not here yet is brought, and waited for until it is decided.

    Where it came so and its checks have not ended, they are waited for, too. Whether it may leave is for the gates.
    Raises NotFound, Forbidden (what the upstream sends is refused), NotYet (`wait` says for how many seconds),
    RateLimited.
    """
    package = publishing.find_named(ecosystem, name.replace("\x00", "\ufffd"))  # which PostgreSQL would not look for
    is_new = package is None and not actor.entitlements
    release = _bring(ecosystem, name, version, actor, None) if is_new else None
    if release is None:
        try:
            release = _here(package, ecosystem, name, version, actor)
        except NotFound as unknown:
            release = None if is_new else _bring(ecosystem, name, version, actor, package)
            if release is None:
                raise NotFound(_hint(actor, unknown)) from unknown
    return _decided(release)


def _here(package: Package | None, ecosystem: str, name: str, version: str, actor: Actor) -> Release:
    """The release that stands here, if the actor may know of it; `resolving` says why not."""
    if package is None or not package.is_visible_to(actor):
        package = resolving.find_package(name, actor, ecosystem)
    return resolving.find_release(package, version, actor)


def _decided(release: Release) -> Release:
    """The release once its checks have ended, where an upstream is its source."""
    if release.origin != Release.Origin.SYNCED or release.status != Release.Status.PENDING:
        return release
    if not Errand.objects.filter(release=release, opened_at__gt=timezone.now() - STALE).exists():
        return release  # pulled by a run: nobody waits for that
    for _ in rounds():
        if not Job.objects.filter(dedupe_key=f"check:{release.pk}", state=Job.State.OPEN).exists():
            return _whole(release.pk)
    raise NotYet(f"{release.package.name} {release.version} is being checked. Try again in a moment.")


# --- asking for it ---------------------------------------------------------------------------------------------------
def _bring(ecosystem: str, name: str, version: str, actor: Actor, package: Package | None) -> Release | None:
    """The release, once an upstream's files of it are here; None where there is none to ask that has the name."""
    for upstream in allowing.for_name(ecosystem, name, package, actor):
        if (goods := _goods(upstream, ecosystem, name, version, actor)) is not None:
            return _fetched(_errand(upstream, ecosystem, package, name, goods, actor))
    return None


def _goods(upstream: Upstream, ecosystem: str, name: str, version: str, actor: Actor) -> Goods | None:
    """What the upstream says of the version; it is asked anew where it said nothing of it some time ago.

    None where it has no such name, so that the next may be asked. Raises NotFound where it has the name alone.
    """
    shelf = shelves.of(upstream, ecosystem, name, actor)
    if shelf.state != Shelf.State.FOUND:
        return None
    if (goods := shelves.find_goods(shelf, version)) is None:
        shelf = shelves.of(upstream, ecosystem, name, actor, newer_than=timezone.now() - ASK_ANEW)
        goods = shelves.find_goods(shelf, version)
    if goods is None:
        raise NotFound(f"{upstream.name} has no {name[:214]} {version[:80]}, and it is not here either.")
    return goods


def _hint(actor: Actor, unknown: NotFound) -> str:
    """That a stranger might have it fetched by signing in; otherwise what was said anyway."""
    if actor.user is None and any(not allowing.may_ask(one, actor) for one in allowing.switched_on()):
        return f"{unknown.message} What is not here yet is fetched for people who are signed in, or send a token."
    return unknown.message


# --- one row, one job ------------------------------------------------------------------------------------------------
def _errand(
    upstream: Upstream, ecosystem: str, package: Package | None, name: str, goods: Goods, actor: Actor
) -> Errand:
    """The errand for the version: a new one, the one under way, or one that failed long enough ago, begun again."""
    rules = ecosystems.get(ecosystem)
    key = {
        "ecosystem": ecosystem,
        "normalized": rules.normalize_name(name),
        "canonical": rules.canonical_version(goods.version),
    }
    errand = Errand.objects.filter(**key).first()
    if errand is None:
        allowing.count(actor)
        try:
            with transaction.atomic():
                said = package.name if package is not None else goods.files[0].name
                errand = Errand.objects.create(**key, upstream=upstream, name=said, version=goods.version)
                _send(errand, actor)
        except IntegrityError:  # somebody was quicker
            errand = Errand.objects.get(**key)
    elif _may_be_begun_again(errand):
        _begin_again(errand, upstream, actor)
    return errand


def _may_be_begun_again(errand: Errand) -> bool:
    now = timezone.now()
    if errand.state == Errand.State.FAILED:
        return errand.again_at is not None and errand.again_at <= now
    is_lost = errand.state == Errand.State.OPEN and errand.opened_at < now - STALE
    return is_lost or (errand.state == Errand.State.DONE and errand.release_id is None)


def _begin_again(errand: Errand, upstream: Upstream, actor: Actor) -> None:
    """By one conditional update, so that one of all who try queues the job."""
    fresh = {"state": Errand.State.OPEN, "code": "", "error": "", "again_at": None, "opened_at": timezone.now()}
    same = Q(pk=errand.pk, state=errand.state, opened_at=errand.opened_at)
    with transaction.atomic():
        if Errand.objects.filter(same).update(**fresh, upstream=upstream):
            _send(errand, actor)
    errand.refresh_from_db()


def _send(errand: Errand, actor: Actor) -> None:
    tasks.enqueue(KIND, errand.pk)
    what = f"{errand.ecosystem}:{errand.name}@{errand.version}"
    auditing.record("upstream.asked", what, actor, details={"upstream": errand.upstream.name})


def _fetched(errand: Errand) -> Release:
    """The release once its files are here; the errand's failure as a refusal."""
    for turn in rounds():
        if turn:
            errand.refresh_from_db(fields=OUTCOME)
        if errand.state == Errand.State.FAILED:
            _refuse(errand)
        if errand.state == Errand.State.DONE:
            break
    else:
        raise NotYet(f"{errand.name} {errand.version} is being fetched. Try again in a moment.")
    return _whole(errand.release_id or 0)


def _whole(pk: int) -> Release:
    return Release.objects.select_related("package__project", "project", "submitted_by").get(pk=pk)


def _refuse(errand: Errand) -> None:
    left = (errand.again_at - timezone.now()).total_seconds() if errand.again_at else 60
    if errand.code == DOWN:
        raise NotYet(errand.error, left)
    if errand.code == ABSENT:
        raise NotFound(errand.error)
    raise Forbidden(errand.error, code=errand.code)
