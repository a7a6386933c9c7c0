"""What an operator has done before its time: a version brought once more, an upstream asked anew."""

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import auditing
from accounts.actors import Actor
from registry import tasks
from registry.models import Job
from registry.upstreams.models import Errand, Shelf
from registry.upstreams.through.errands import KIND


def bring(chosen: QuerySet[Errand], actor: Actor) -> int:
    """Begin failed errands anew, and those that have lost their job; returns how many. Needs admin."""
    actor.need("admin")
    return sum(_begin(errand, actor) for errand in chosen.exclude(state=Errand.State.DONE))


def _begin(errand: Errand, actor: Actor) -> bool:
    """By one conditional update: a client that comes now may be quicker."""
    if Job.objects.filter(dedupe_key=f"{KIND}:{errand.pk}", state=Job.State.OPEN).exists():
        return False
    same = Errand.objects.filter(pk=errand.pk, state=errand.state, opened_at=errand.opened_at)
    fresh = {"state": Errand.State.OPEN, "code": "", "error": "", "again_at": None, "opened_at": timezone.now()}
    with transaction.atomic():
        if not same.update(**fresh):
            return False
        tasks.enqueue(KIND, errand.pk)
        what = f"{errand.ecosystem}:{errand.name}@{errand.version}"
        auditing.record("upstream.asked_again", what, actor, details={"errand": errand.pk})
    return True


def ask(chosen: QuerySet[Shelf], actor: Actor) -> int:
    """Let the next client who wants to know have the upstream asked; returns of how many names. Needs admin."""
    actor.need("admin")
    now = timezone.now()
    with transaction.atomic():
        waiting = chosen.filter(Q(lease_until=None) | Q(lease_until__lt=now), due_at__gt=now)
        count = Shelf.objects.filter(pk__in=list(waiting.values_list("pk", flat=True))).update(due_at=now)
        if count:
            auditing.record("upstream.asked_again", "shelves", actor, details={"names": count})
    return count
