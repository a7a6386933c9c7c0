"""What a person changed in the policy."""

from typing import Any

from accounts.models import User
from accounts.privacy import Identity
from licensing.models import LicensePolicy
from registry.personal_data import retell, telling


def export(user: User) -> dict[str, Any]:
    """The lines of the policy that the person changed last."""
    fields = ("kind", "key", "status", "note", "changed_at")
    return {"policy": list(LicensePolicy.objects.filter(changed_by=user).order_by("pk").values(*fields))}


def erase(person: Identity) -> None:
    """The policy stays; its notes lose the name."""
    retell(LicensePolicy.objects.all(), telling(person), "note")
