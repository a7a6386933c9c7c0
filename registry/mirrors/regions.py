"""What an operator does with a region: pause, resume, verify, rebuild. Each leaves an audit event."""

from django.db import transaction
from django.utils import timezone

from accounts import auditing
from accounts.actors import Actor
from registry import tasks
from registry.errors import Conflict
from registry.mirrors.models import Debt, Mirror, Replica


def pause(mirror: Mirror, actor: Actor) -> None:
    """Let the region receive nothing until it is resumed. Needs admin; raises Conflict when it is paused already."""
    actor.need("admin")
    with transaction.atomic():
        if not Mirror.objects.filter(pk=mirror.pk, paused_at__isnull=True).update(paused_at=timezone.now()):
            raise Conflict("This region is paused already.", code="already_paused")
        auditing.record("mirror.paused", f"mirror:{mirror.region}", actor)


def resume(mirror: Mirror, actor: Actor) -> None:
    """Let a paused region catch up. Needs admin; raises Conflict when it is not paused."""
    actor.need("admin")
    with transaction.atomic():
        if not Mirror.objects.filter(pk=mirror.pk, paused_at__isnull=False).update(paused_at=None):
            raise Conflict("This region is not paused.", code="not_paused")
        tasks.enqueue("replicate", mirror.pk)
        auditing.record("mirror.resumed", f"mirror:{mirror.region}", actor)


def verify(mirror: Mirror, actor: Actor) -> None:
    """Ask for a full comparison: every file read back and hashed, drift mended and reported. Needs admin."""
    actor.need("admin")
    with transaction.atomic():
        tasks.enqueue("compare", mirror.pk)
        auditing.record("mirror.verified", f"mirror:{mirror.region}", actor)


def rebuild(mirror: Mirror, actor: Actor) -> None:
    """Believe in nothing that stands there and copy all that should, from the first change on. Needs admin.

    What may stand there stays noted, so that it is withdrawn when it has to go meanwhile.
    """
    actor.need("admin")
    with transaction.atomic():
        Replica.objects.filter(mirror=mirror, state=Replica.State.PRESENT).update(state=Replica.State.PENDING)
        Debt.objects.filter(mirror=mirror).delete()
        Mirror.objects.filter(pk=mirror.pk).update(applied_seq=0)
        tasks.enqueue("rebuild", mirror.pk)
        auditing.record("mirror.rebuilt", f"mirror:{mirror.region}", actor)
