"""Telling those whose webhook it is that the portal has switched it off."""

import logging
from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone

from accounts.models import Membership, User
from registry import tasks
from registry.models import Job
from registry.webhooks.models import Webhook

logger = logging.getLogger(__name__)
JOB = "webhook-letter"
PAUSE, PATIENCE = 300, timedelta(days=7)


def queue(hook: Webhook) -> None:
    """Have the letters written; inside the caller's transaction."""
    tasks.enqueue(JOB, hook.pk)


@tasks.handles(JOB)
def write(job: Job) -> None:
    """One letter to all of them, unless it is switched on again. A mail server may be away for a week."""
    hook = Webhook.objects.select_related("project", "created_by").filter(pk=job.ref, is_enabled=False).first()
    addresses = sorted({one.email for one in _people(hook)}) if hook else []
    if hook is None or not addresses:
        return
    try:
        EmailMessage(f"The webhook to {hook.host} is switched off", _text(hook), bcc=addresses).send()
    except (OSError, SMTPException) as problem:
        logger.warning("The letter about webhook %s could not be sent (%s).", hook.pk, type(problem).__name__)
        if timezone.now() - job.created_at > PATIENCE:
            raise
        raise tasks.Later(PAUSE) from problem


def _people(hook: Webhook) -> list[User]:
    """The owners of its project; of the instance's, the admins."""
    people = User.objects.filter(is_active=True).exclude(email="")
    if hook.project_id is None:
        return list(people.filter(role=User.Role.ADMIN))
    owning = Membership.objects.filter(project=hook.project_id, role=Membership.Role.OWNER)
    return list(people.filter(pk__in=owning.values("user")))


def _text(hook: Webhook) -> str:
    place = f"/profile/webhooks/{hook.pk}" if hook.project_id else f"/admin/webhooks/webhook/{hook.pk}/change/"
    whose = f"of the project {hook.project.slug}" if hook.project else "of this portal"
    return "\n\n".join(
        [
            "Hello,",
            f"the webhook to {hook.host} {whose} is told nothing any more.",
            hook.note,
            f"Once the receiver works, switch it on again: {settings.PUBLIC_URL}{place}",
            "What was not delivered can be sent again from that page.\n",
        ]
    )
