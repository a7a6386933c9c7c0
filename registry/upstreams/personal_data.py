"""The runs that a person started."""

from typing import Any

from accounts.models import User
from accounts.privacy import Identity
from registry.upstreams.models import SyncRun


def export(user: User) -> dict[str, Any]:
    """Each of them, and how it ended."""
    fields = ("id", "state", "created_at", "started_at", "finished_at")
    return {"sync_runs": list(SyncRun.objects.filter(asked_by=user).order_by("created_at").values(*fields))}


def erase(person: Identity) -> None:
    """The runs stay; nobody started them."""
    SyncRun.objects.filter(asked_by=person.user).update(asked_by=None)
