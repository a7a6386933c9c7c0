"""The end of sold keys: it comes by itself, so somebody has to notice it, once."""

from django.db import transaction
from django.utils import timezone

from accounts import auditing
from accounts.actors import SYSTEM
from licensing import telling
from licensing.models import LicenseKey
from registry import tasks

AT_ONCE = 500


@tasks.periodically("sweep")
def tell_ended() -> int:
    """Tell of the keys whose date has passed, each once for each date; returns how many there were."""
    now = timezone.now()
    ended = LicenseKey.objects.filter(untold_end__lte=now).order_by("untold_end")
    return sum(_tell(key) for key in ended.select_related("project")[:AT_ONCE])


def _tell(key: LicenseKey) -> bool:
    """Whether this was the process that told it, of this date and of no later one."""
    with transaction.atomic():
        if not LicenseKey.objects.filter(pk=key.pk, untold_end=key.untold_end).update(untold_end=None):
            return False
        telling.tell("expired", key, key.project)
        auditing.record("license_key.expired", f"license_key:{key.pk}", SYSTEM, project=key.project.slug)
    return True
