"""Waiving: a maintainer answers for a finding, for a reason and for a time; when it ends, everything follows."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import auditing
from accounts.actors import Actor
from accounts.errors import Unauthenticated
from registry import ecosystems, tasks
from registry.errors import Conflict, Forbidden, InvalidInput
from registry.models import Job, Package, Release
from scanning import reconsidering
from scanning.models import Advisory, Finding, Waiver
from scanning.models.waivers import WaiverQuerySet

KIND = "waiver-changed"
REASON_LIMIT = 4000
EXACT = {"pypi": "=={}", "maven": "[{}]"}


def give(waiver: Waiver, actor: Actor) -> Waiver:
    """Write down a waiver that was filled in; it is the actor's. Needs the scope review.

    Raises InvalidInput with every field that cannot be so.
    """
    actor.need("review", waiver.project_id)
    if actor.user is None:
        raise Forbidden("A waiver needs a person who answers for it.")
    if problems := objections(waiver):
        raise InvalidInput(next(iter(problems.values()))[0], details=problems)
    with transaction.atomic():
        waiver.owner, waiver.identifier = actor.user, spelled(waiver.identifier)
        waiver.save(force_insert=True)
        _queue(waiver)
        tasks.enqueue(KIND, waiver.pk, dedupe=f"{KIND}:{waiver.pk}:expiry", delay=_left(waiver))
        _note("waiver.given", waiver, actor)
    return waiver


def end(waiver: Waiver, actor: Actor) -> Waiver:
    """End it now, before its time. Needs the scope review; raises Conflict where it holds no longer."""
    actor.need("review", waiver.project_id)
    now = timezone.now()
    with transaction.atomic():
        live = Waiver.objects.live(now).filter(pk=waiver.pk)
        if not live.update(ended_at=now, ended_by=actor.user):
            raise Conflict("This waiver has ended already.", code="waiver_ended")
        waiver.ended_at, waiver.ended_by = now, actor.user
        _queue(waiver)
        _note("waiver.ended", waiver, actor)
    return waiver


def visible_to(actor: Actor) -> WaiverQuerySet:
    """The waivers that the actor may read: those of their projects, for maintainers all."""
    if actor.is_anonymous:
        raise Unauthenticated("Sign in or send an API token to see waivers.")
    every = Waiver.objects.all()
    return every if actor.sees_everything else every.filter(project_id__in=actor.sees_private_of)


def exactly(ecosystem: str, version: str) -> str:
    """The range that holds this one version, as the ecosystem writes it."""
    return EXACT.get(ecosystem, "{}").format(version)


def longest_end() -> datetime:
    """How far the end of a waiver that is given now may lie."""
    return timezone.now() + timedelta(days=settings.WAIVER_MAX_DAYS)


def objections(waiver: Waiver) -> dict[str, list[str]]:
    """What is wrong with it, by field; nothing where it can be given."""
    found = {
        "finding": "Name the finding." if not waiver.identifier.strip() else "",
        "package": "Name the package." if not waiver.package.strip() else "",
        "reason": _about_reason(waiver.reason),
        "expires_at": _about_end(waiver.expires_at),
        "versions": _about_versions(waiver.ecosystem, waiver.version_range.strip()),
    }
    return {field: [said] for field, said in found.items() if said}


def _about_reason(reason: str) -> str:
    if not reason.strip():
        return "Say why: the reason stays with the waiver."
    return f"Keep the reason under {REASON_LIMIT} characters." if len(reason) > REASON_LIMIT else ""


def _about_end(at: datetime) -> str:
    if at <= timezone.now():
        return "The end must be still to come."
    return f"A waiver holds for {settings.WAIVER_MAX_DAYS} days at most." if at > longest_end() else ""


def _about_versions(ecosystem: str, text: str) -> str:
    if not text:
        return "Say which versions; * for every one."
    try:
        if text != "*":
            ecosystems.get(ecosystem).parse_range(text)
    except InvalidInput as refusal:
        return refusal.message
    return ""


def spelled(identifier: str) -> str:
    """The id as advisories write it, whatever its case; one that none goes by as it came."""
    wanted = identifier.strip()
    known = Advisory.objects.named(wanted).values_list("osv_id", "aliases")
    names = (name for osv_id, aliases in known for name in (osv_id, *aliases))
    return next((name for name in names if name.upper() == wanted.upper()), wanted)


def _left(waiver: Waiver) -> float:
    return max((waiver.expires_at - timezone.now()).total_seconds(), 0.001)


def _note(action: str, waiver: Waiver, actor: Actor) -> None:
    details = {
        "waiver": waiver.pk,
        "finding": waiver.identifier,
        "versions": waiver.version_range,
        "until": waiver.expires_at.isoformat(),
    }
    name = f"{waiver.ecosystem}:{waiver.package}"
    auditing.record(action, name, actor, details=details, project=waiver.project.slug)


# --- what follows --------------------------------------------------------------------------------------------------
def _queue(waiver: Waiver) -> None:
    """Now what the waiver touches is judged again; an approval that rests on it holds no longer than it."""
    tasks.enqueue(KIND, waiver.pk)
    if waiver.ended_at is not None:
        resting = touched(waiver).filter(status=Release.Status.APPROVED, stands_until__gt=waiver.ended_at)
        resting.update(stands_until=waiver.ended_at)


def touched(waiver: Waiver) -> QuerySet[Release]:
    """The releases of its package in its project that are not removed and not rejected.

    The finding may be in a package that they bring along, so those in which it was found count, too.
    """
    rules = ecosystems.get(waiver.ecosystem)
    named = Package.objects.filter(ecosystem=waiver.ecosystem, normalized=rules.normalize_name(waiver.package))
    held = Release.objects.filter(project_id=waiver.project_id, purged_at=None)
    found_in = Finding.objects.filter(scan__is_current=True, scan__release__project=waiver.project_id)
    carrying = found_in.filter(ecosystem=waiver.ecosystem, package=waiver.package).values("scan__release")
    return held.filter(Q(package__in=named) | Q(pk__in=carrying)).exclude(status=Release.Status.REJECTED)


@tasks.handles(KIND)
def follow(job: Job) -> None:
    """Judge again what the waiver touches: when it is given, when it is ended, and when it runs out."""
    waiver = Waiver.objects.filter(pk=job.ref).first()
    if waiver is None:
        return
    _come_back_if_early(job, waiver)
    releases = touched(waiver).select_related("package__project", "project").order_by("pk")
    reconsidering.bring_all_in_line(releases, again=job.attempts > 1)


def _come_back_if_early(job: Job, waiver: Waiver) -> None:
    """Clocks of two machines may differ: a job that runs before the waiver's end must not be its last."""
    if job.dedupe_key.endswith(":expiry") and waiver.is_live:
        raise tasks.Later(_left(waiver))
