"""The waivers that a person answers for, the policies they set, and the news they were sent."""

from typing import Any

from django.db.models import Q

from accounts.models import User
from accounts.privacy import Identity
from registry.personal_data import retell, telling
from scanning.models import Notice, RecallLetter, ScanPolicy, Waiver


def export(user: User) -> dict[str, Any]:
    """What the person waived or ended and why, which policies they changed last, and what they were told."""
    waived = (
        "identifier", "ecosystem", "package", "version_range", "reason", "expires_at", "created_at", "ended_at",
    )  # fmt: skip
    return {
        "waivers": list(Waiver.objects.filter(Q(owner=user) | Q(ended_by=user)).order_by("pk").values(*waived)),
        "policies": list(
            ScanPolicy.objects.filter(changed_by=user).order_by("pk").values("project__slug", "changed_at")
        ),
        "recalls": list(
            RecallLetter.objects.filter(user=user)
            .order_by("pk")
            .values("advisory__osv_id", "release__package__name", "release__version", "through", "told_at")
        ),
        "notices": list(
            Notice.objects.filter(user=user).order_by("pk").values("title", "text", "created_at", "sent_at")
        ),
    }


def erase(person: Identity) -> None:
    """Waivers stay with the pseudonym; their reasons lose the name. News for the person go."""
    retell(Waiver.objects.all(), telling(person), "reason")
    Notice.objects.filter(user=person.user).delete()
    RecallLetter.objects.filter(user=person.user).delete()
    retell(Notice.objects.all(), telling(person), "text")
