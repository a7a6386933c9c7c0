"""How long it is kept what webhooks were told."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from registry import tasks
from registry.models import Job
from registry.webhooks.announcing import JOB
from registry.webhooks.models import Delivery, Message

AT_ONCE = 500


@tasks.periodically("daily")
def bury() -> int:
    """Give up what no worker could send without breaking, so that it can be seen and sent again; returns how many."""
    dead = Job.objects.filter(kind=JOB, state=Job.State.DEAD).values_list("ref", flat=True)
    given_up = Delivery.objects.filter(pk__in=[int(ref) for ref in dead], state=Delivery.State.PENDING)
    error = "Sending it broke off every time; the job says why."
    return given_up.update(state=Delivery.State.FAILED, next_at=None, error=error)


@tasks.periodically("daily")
def cut() -> int:
    """Remove messages older than WEBHOOK_HISTORY_DAYS that nobody waits for, their deliveries and jobs with them.

    Returns how many messages; 0 days keeps them for ever.
    """
    if not settings.WEBHOOK_HISTORY_DAYS:
        return 0
    before, total = timezone.now() - timedelta(days=settings.WEBHOOK_HISTORY_DAYS), 0
    waiting = Delivery.objects.filter(state=Delivery.State.PENDING).values("message")
    old = Message.objects.filter(created_at__lt=before).exclude(pk__in=waiting)
    while ids := list(old.order_by("created_at").values_list("pk", flat=True)[:AT_ONCE]):
        sent = Delivery.objects.filter(message__in=ids).values_list("pk", flat=True)
        Job.objects.filter(kind=JOB, ref__in=[str(pk) for pk in sent]).delete()
        total += len(ids)
        Message.objects.filter(pk__in=ids).delete()
    return total
