"""Changing the policy: each change is signed and audited, in force at once, and what it touches is judged again."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import auditing
from accounts.actors import Actor
from licensing.models import LicensePolicy
from registry import tasks

CHANGED = "license-policy-changed"


def write(line: LicensePolicy, actor: Actor) -> None:
    """Save the line, note who changed what, and queue what it touches, and what it touched before."""
    with transaction.atomic():
        before = LicensePolicy.objects.filter(pk=line.pk).select_related("project").first() if line.pk else None
        line.changed_by, line.changed_at = actor.user, timezone.now()
        line.save()
        if before and _about(before) != _about(line):
            enqueue(*_about(before))
        _changed(line, actor, {"from": _said(before), "to": _said(line)})


def drop(line: LicensePolicy, actor: Actor) -> None:
    """Take the line away: what is said of the license elsewhere, or of its category, counts again."""
    with transaction.atomic():
        said, about = _said(line), _about(line)
        LicensePolicy.objects.filter(pk=line.pk).delete()
        _changed(line, actor, {"from": said, "to": {}}, about)


def _changed(
    line: LicensePolicy, actor: Actor, details: dict[str, Any], about: tuple[str, str, int] | None = None
) -> None:
    enqueue(*(about or _about(line)))
    slug = line.project.slug if line.project else ""
    auditing.record("license_policy.changed", f"{line.kind}:{line.key}", actor, details=details, project=slug)


def _about(line: LicensePolicy) -> tuple[str, str, int]:
    return line.kind, line.key, line.project_id or 0


def _said(line: LicensePolicy | None) -> dict[str, str]:
    if line is None:
        return {}
    whose = line.project.slug if line.project else ""
    return {"project": whose, "kind": line.kind, "key": line.key, "status": line.status, "note": line.note}


def enqueue(kind: str, key: str, project_id: int, after: int = 0) -> None:
    """Queue the releases that a line decides over and that come after; see reconsidering.follow_policy."""
    payload = {"kind": kind, "key": key, "project": project_id, "after": after}
    about = f"{kind}:{key}:{project_id}:{after}"
    tasks.enqueue(CHANGED, key, dedupe=f"{CHANGED}:{about}", payload=payload)
