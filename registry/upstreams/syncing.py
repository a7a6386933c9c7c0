"""Syncing: a run is rows, worked off in short steps by jobs, so that it goes on where a killed worker left it."""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts import auditing
from accounts.actors import SYSTEM, Actor
from registry import tasks
from registry.errors import Conflict, NotFound, RegistryError, Unavailable
from registry.models import Job
from registry.upstreams import connecting, listing, pulling
from registry.upstreams.listing import Overtaken
from registry.upstreams.models import ACTIVE, Offer, Pull, SyncRun, Upstream
from registry.upstreams.sources.base import Busy, Nonsense, Source

logger = logging.getLogger(__name__)
State = SyncRun.State
JOB = "sync"
MOST_SETBACKS = 10


# --- asking for it -------------------------------------------------------------------------------------------------
def visible(actor: Actor) -> Q:
    """Which upstreams the actor may know of: all that land in public, and those of their projects."""
    public = Q(visibility="public")
    return Q() if actor.sees_everything else public | Q(project_id__in=actor.sees_private_of)


def start(actor: Actor, name: str = "", *, is_full: bool = False) -> SyncRun:
    """Queue a run for the upstream of that name, or for every enabled one. Needs the scope sync.

    `is_full` lists everything again and not only what is new. Raises NotFound, and Conflict (switched off, running
    already: with the id of that run, nothing to do).
    """
    actor.need("sync")
    seen = Upstream.objects.filter(visible(actor))
    if name:
        upstream = seen.filter(name=name).first()
        if upstream is None:
            raise NotFound(f"There is no upstream “{name[:80]}” that you may know of.", code="unknown_upstream")
        if not upstream.enabled:
            raise Conflict(f"The upstream {name} is switched off. An admin can switch it on.", code="disabled")
        return _start([upstream], actor, is_full)
    enabled = list(seen.filter(enabled=True))
    if not enabled:
        raise Conflict("No upstream is set up and switched on. An admin can add one.", code="no_upstream")
    going = _going(enabled)
    free = [one for one in enabled if one.pk not in going]
    if not free:
        raise _running(next(iter(going.values())))
    return _start(free, actor, is_full)


def _start(upstreams: Sequence[Upstream], actor: Actor, is_full: bool) -> SyncRun:
    if going := _going(upstreams):
        raise _running(next(iter(going.values())))
    try:
        with transaction.atomic():
            run = SyncRun.objects.create(asked_by=actor.user, is_full=is_full)
            for upstream in upstreams:
                since = {} if is_full else upstream.bookmark
                pull = Pull.objects.create(run=run, upstream=upstream, since=since)
                tasks.enqueue(JOB, pull.pk)
            details = {"upstreams": [one.name for one in upstreams], "full": is_full}
            auditing.record("sync.started", str(run.pk), actor, details=details)
    except IntegrityError:  # somebody was quicker
        if going := _going(upstreams):
            raise _running(next(iter(going.values()))) from None
        raise
    return run


def _going(upstreams: Sequence[Upstream]) -> dict[int, UUID]:
    """The run that each busy one of the upstreams is in."""
    active = Pull.objects.filter(upstream__in=upstreams, state__in=ACTIVE)
    return dict(active.order_by("pk").values_list("upstream_id", "run_id"))


def _running(run_id: UUID) -> Conflict:
    text = f"A sync of this is running already: {run_id}. Watch that one, or cancel it."
    return Conflict(text, code="running", details={"id": [str(run_id)]})


def find(run_id: UUID, actor: Actor) -> SyncRun:
    """The run, for those who may know of one of its upstreams. Needs the scope sync; raises NotFound."""
    run = runs(actor).filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such sync run that you may know of.", code="unknown_run")
    return run


def runs(actor: Actor) -> QuerySet[SyncRun]:
    """The runs that the actor may know of, the latest first. Needs the scope sync."""
    actor.need("sync")
    return SyncRun.objects.filter(pulls__upstream__in=Upstream.objects.filter(visible(actor))).distinct()


def cancel(run: SyncRun, actor: Actor) -> SyncRun:
    """Stop the run; what it has taken stays. Needs the scope sync; raises Conflict where it is over."""
    actor.need("sync")
    with transaction.atomic():
        over = {"state": State.CANCELLED, "finished_at": timezone.now()}
        if not SyncRun.objects.filter(pk=run.pk, state__in=ACTIVE).update(**over):
            raise Conflict("This run is over already.", code="over")
        Pull.objects.filter(run=run, state__in=ACTIVE).update(**over)
        auditing.record("sync.cancelled", str(run.pk), actor)
    run.refresh_from_db()
    return run


def forgive(offers: QuerySet[Offer], actor: Actor) -> int:
    """Let the next run try what was refused and does not stand here; returns how many. For admins."""
    actor.need("admin")
    with transaction.atomic():
        chosen = offers.filter(state=Offer.State.REFUSED, release=None)
        count = Offer.objects.filter(pk__in=list(chosen.values_list("pk", flat=True))).update(
            state=Offer.State.FAILED, sha256=""
        )
        if count:
            auditing.record("sync.forgiven", "offers", actor, details={"files": count})
    return count


# --- doing it ------------------------------------------------------------------------------------------------------
@tasks.handles(JOB)
def step(job: Job) -> None:
    """Work on the pull for SYNC_STEP_SECONDS, and come back if there is more."""
    pull = Pull.objects.select_related("upstream__project", "run").filter(pk=job.ref, state__in=ACTIVE).first()
    if pull is None:
        return
    try:
        if _work(pull):
            _finish(pull)
            return
    except Overtaken:
        return
    except pulling.Pause as pause:
        _later_or_never(pull, pause)
    except (RegistryError, Unavailable) as refusal:
        _finish(pull, refusal.message)
        return
    raise tasks.Later(0)


def _work(pull: Pull) -> bool:
    """Whether all is done."""
    _begin(pull)
    deadline = time.monotonic() + settings.SYNC_STEP_SECONDS
    source, web = connecting.connected(pull.upstream)
    try:
        if not pull.is_listed:
            _list(pull, source, deadline)
        return pull.is_listed and pulling.pull_until(pull, source, deadline)
    finally:
        Pull.objects.filter(pk=pull.pk).update(requests=F("requests") + web.requests)


def _begin(pull: Pull) -> None:
    """The first step of a pull takes over what earlier ones left."""
    now = timezone.now()
    with transaction.atomic():
        begun = {"state": State.RUNNING, "started_at": now}
        if Pull.objects.filter(pk=pull.pk, state=State.QUEUED).update(**begun):
            SyncRun.objects.filter(pk=pull.run_id, state=State.QUEUED).update(**begun)
            listing.adopt(pull)
            pull.state = State.RUNNING


def _list(pull: Pull, source: Source, deadline: float) -> None:
    """Page by page, each written with the place of the next. Raises Pause where the upstream stumbles."""
    pages = source.pages(pull.since, pull.cursor)
    is_due = True  # one page at least, however short the time
    while is_due and not pull.is_listed:
        try:
            page = next(pages)
        except (Unavailable, Nonsense) as setback:
            Pull.objects.filter(pk=pull.pk).update(setbacks=F("setbacks") + 1)
            pull.setbacks += 1
            asked = setback.seconds if isinstance(setback, Busy) else 0
            raise pulling.Pause(max(asked, pulling.pause_after(pull.setbacks)), setback.message) from setback
        listing.write(pull, page)
        pull.pages += 1
        pull.is_listed, is_due = page.cursor is None, time.monotonic() < deadline


def _later_or_never(pull: Pull, pause: pulling.Pause) -> None:
    """An upstream that has not been to be had ten times in a row ends the pull; what is left is for the next one."""
    if pull.setbacks >= MOST_SETBACKS:
        _finish(pull, str(pause))
    else:
        raise tasks.Later(pause.seconds)


# --- ending it -----------------------------------------------------------------------------------------------------
def _finish(pull: Pull, error: str = "") -> None:
    """Write how the pull ended, and the run with its last pull."""
    with transaction.atomic():
        run = SyncRun.objects.select_for_update().get(pk=pull.run_id)
        pull = Pull.objects.select_for_update().get(pk=pull.pk)
        if pull.state not in ACTIVE:
            return
        pull.state, pull.error, pull.finished_at = _state_of(pull, error), error[:1000], timezone.now()
        pull.save(update_fields=["state", "error", "finished_at"])
        states = set(run.pulls.values_list("state", flat=True))
        if not run.is_over and not states & set(ACTIVE):
            run.state = states.pop() if len(states) == 1 else State.PARTIAL
            run.finished_at = pull.finished_at
            run.save(update_fields=["state", "finished_at"])
        counts = {name: getattr(pull, name) for name in ("total", "added", "updated", "skipped", "failed")}
        details = {"upstream": pull.upstream.name, "state": pull.state, **counts}
        auditing.record("sync.ended", str(pull.run_id), SYSTEM, details=details)


def _state_of(pull: Pull, error: str) -> str:
    if not error and not pull.failed:
        return State.SUCCEEDED
    return State.PARTIAL if pull.added + pull.updated + pull.skipped else State.FAILED


@tasks.periodically("sweep")
def start_due() -> int:
    """Start what is due by its schedule; returns how many."""
    now, started = timezone.now(), 0
    for upstream in Upstream.objects.filter(enabled=True, every_hours__isnull=False, due_at__lte=now):
        mine = Upstream.objects.filter(pk=upstream.pk, due_at=upstream.due_at)
        if mine.update(due_at=now + timedelta(hours=upstream.every_hours or 24)):
            with suppress(Conflict):  # the one before is not over yet
                _start([upstream], SYSTEM, is_full=False)
                started += 1
    return started


@tasks.periodically("sweep")
def bury_dead() -> int:
    """End the pulls whose job has died: it will not come back."""
    active = {str(pull.pk): pull for pull in Pull.objects.filter(state__in=ACTIVE).select_related("upstream")}
    dead = Job.objects.filter(kind=JOB, ref__in=active, state=Job.State.DEAD).values_list("ref", "last_error")
    for ref, error in dead:
        logger.error("The pull %s died: %s", ref, error)
        _finish(active[ref], "The pull broke off again and again. The log of the worker says why.")
    return len(dead)


@tasks.periodically("daily")
def cut() -> int:
    """Remove runs that ended more than SYNC_HISTORY_DAYS ago, but not what they took; 0 days keeps them for ever."""
    if not settings.SYNC_HISTORY_DAYS:
        return 0
    old = SyncRun.objects.filter(finished_at__lt=timezone.now() - timedelta(days=settings.SYNC_HISTORY_DAYS))
    return old.delete()[1].get("upstreams.SyncRun", 0)
