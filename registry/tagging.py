"""Tagging: dist-tags moved and taken away by hand. A tag leads only to what may be had, and is never a range."""

from django.db import transaction
from django.utils import timezone

from accounts import auditing
from accounts.actors import Actor
from registry import documents, publishing, resolving
from registry.errors import Conflict, InvalidInput, NotFound
from registry.models import DistTag, Package, Release


def put(package: Package, tag: str, version: str, actor: Actor) -> Release:
    """Let the tag lead to the version, which must be approved and listed; needs `publish` and a say in the project.

    Raises InvalidInput (no tag), NotFound (no such version), Conflict (it may not be had).
    """
    publishing.need_say(package, actor)
    publishing.check_tag(tag, package.ecosystem)
    release = resolving.find_release(package, version, actor)
    with transaction.atomic():
        documents.hold(package.pk)
        release.refresh_from_db(fields=["status", "unlisted_at", "purged_at"])
        if not release.is_served or release.is_unlisted:
            word = "unlisted" if release.is_unlisted else release.status
            raise Conflict(f"A tag leads to approved versions only; {version} is {word}.", code="not_approved")
        now = timezone.now()
        DistTag.objects.update_or_create(package=package, tag=tag, defaults={"release": release, "updated_at": now})
        _write_down(package, "tag.put", tag, release.version, actor)
    return release


def remove(package: Package, tag: str, actor: Actor) -> None:
    """Take the tag away; `latest` stays. Needs the same. Raises InvalidInput, NotFound."""
    publishing.need_say(package, actor)
    if tag == "latest":
        raise InvalidInput("The tag latest cannot be removed. Put it on another version.", details={"tag": ["latest"]})
    with transaction.atomic():
        documents.hold(package.pk)
        if not DistTag.objects.filter(package=package, tag=tag[:65]).delete()[0]:
            raise NotFound(f"{package.name} has no tag {tag[:64]}.")
        _write_down(package, "tag.removed", tag, "", actor)


def _write_down(package: Package, action: str, tag: str, version: str, actor: Actor) -> None:
    details = {"tag": tag, "version": version} if version else {"tag": tag}
    name = f"{package.ecosystem}:{package.name}"
    auditing.record(action, name, actor, details=details, project=package.project.slug)
    documents.rebuild(package, "tagged")
