"""Staging: a version that its submitter wants a person to look at first; it stands in the review queue as all do.

It occupies its number from the moment it came, and is approved as every pending version is: by somebody else, over
the same gates. Who staged it may take it back.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet

from accounts.actors import Actor
from registry import approving, downloading
from registry.errors import NotFound
from registry.models import Package, Release

NONE = (
    "There is no staged version of that id that you may see. It may have been decided: npm stage list shows the rest."
)
REJECTED = "A maintainer rejected it with npm stage reject, which takes no reason."


def listed(actor: Actor, name: str, offset: int, limit: int) -> tuple[Sequence[Release], int]:
    """The staged versions that wait and that the actor may decide over or has staged; and how many there are.

    The oldest first; two queries, and one for their files.
    """
    found = _visible(actor).order_by("submitted_at", "pk")
    if name:
        found = found.filter(package__normalized=name.lower())
    return list(found[offset : offset + limit]), found.count()


def find(key: UUID, actor: Actor) -> Release:
    """The staged version; raises NotFound where it does not wait any more, or the actor has no business with it."""
    release = _visible(actor).filter(stage_id=key).first()
    if release is None:
        raise NotFound(NONE)
    return release


def approve(key: UUID, actor: Actor) -> Release:
    """Approve the bytes that are staged, without overruling anything. Raises as `approving.approve`."""
    release = find(key, actor)
    return approving.approve(release, actor, reason="Approved with npm stage.", sha256=release.sha256)


def drop(key: UUID, actor: Actor) -> Release:
    """Reject it as a reviewer, or take it back as its submitter."""
    release = find(key, actor)
    if actor.user is not None and release.submitted_by_id == actor.user.pk:
        return approving.take_back(release, actor)
    return approving.reject(release, actor, reason=REJECTED, sha256=release.sha256)


def open_tarball(key: UUID, actor: Actor) -> downloading.Download:
    """The file, for reviewers."""
    return downloading.reviewable(find(key, actor), actor)


def _visible(actor: Actor) -> QuerySet[Release]:
    """For reviewers all that they may see, for others their own."""
    actor.need("review" if actor.can("review") else "publish")
    waiting = Release.objects.awaiting_decision().filter(stage_id__isnull=False)
    waiting = waiting.select_related("package__project", "project", "submitted_by").prefetch_related("artifacts")
    if actor.bound_to is not None:
        waiting = waiting.filter(package__project=actor.bound_to)
    if actor.is_maintainer:
        return waiting.filter(package__in=Package.objects.visible_to(actor))
    return waiting.filter(submitted_by=actor.user)
