"""The waivers that a person answers for."""

from typing import Any

from accounts.models import User
from accounts.privacy import Identity
from registry.personal_data import retell, telling
from scanning.models import Waiver


def export(user: User) -> dict[str, Any]:
    """What the person waived, and why."""
    fields = ("identifier", "ecosystem", "package", "version_range", "reason", "expires_at", "created_at")
    return {"waivers": list(Waiver.objects.filter(owner=user).order_by("pk").values(*fields))}


def erase(person: Identity) -> None:
    """Waivers stay with the pseudonym; their reasons lose the name."""
    retell(Waiver.objects.all(), telling(person), "reason")
