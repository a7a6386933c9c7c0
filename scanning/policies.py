"""The policy in force: the project's word where it has one, else the instance's, else what ships."""

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import auditing
from accounts.actors import Actor
from accounts.models import Project
from registry import tasks
from registry.models import Release
from scanning.models import Answer, Breach, Finding, Kind, ScanPolicy, Unfixed

CHANGED = "scan-policy-changed"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the policy says; these defaults are what ships."""

    critical: str = Answer.BLOCK
    high: str = Answer.BLOCK
    medium: str = Answer.WARN
    low: str = Answer.WARN
    unknown: str = Answer.WARN
    unfixed: str = Unfixed.BLOCK
    breach: str = Breach.QUARANTINE
    cooldown_days: int = 0

    def answer(self, finding: Finding) -> str:
        """What the finding does: block, warn or ignore. A license warns at most; the policy about those is another's.

        That nothing fixes it makes a flaw milder where the policy has it so, never malware or a secret.
        """
        said = str(getattr(self, finding.severity))
        is_unfixed = finding.kind == Kind.VULNERABILITY and not finding.fixed_in
        is_milder = finding.kind == Kind.LICENSE or (is_unfixed and self.unfixed == Unfixed.WARN)
        return Answer.WARN if said == Answer.BLOCK and is_milder else said

    def old_enough_at(self, release: Release) -> datetime | None:
        """The end of the release's cooldown, counted from `age_counts_from`; None where there is none."""
        return release.age_counts_from + timedelta(days=self.cooldown_days) if self.cooldown_days else None


NAMES = tuple(one.name for one in fields(Rules))


def rules_for(project_id: int | None) -> Rules:
    """The rules of the project, or of the instance; one query."""
    rows = ScanPolicy.objects.filter(Q(project=None) | Q(project_id=project_id))
    rules = Rules()
    for row in sorted(rows, key=lambda row: row.project_id is not None):
        rules = replace(rules, **stated(row))
    return rules


def stated(row: ScanPolicy) -> dict[str, Any]:
    """What the row does not leave open."""
    return {name: getattr(row, name) for name in NAMES if getattr(row, name) not in ("", None)}


def write(row: ScanPolicy, actor: Actor) -> None:
    """Save the row, note who changed what, and have everything under it judged again."""
    with transaction.atomic():
        before = ScanPolicy.objects.filter(pk=row.pk).first()
        row.changed_by, row.changed_at = actor.user, timezone.now()
        row.save()
        _changed(row.project, actor, {"from": stated(before) if before else {}, "to": stated(row)})


def drop(row: ScanPolicy, actor: Actor) -> None:
    """Take a project's row away: the instance's policy counts there again."""
    with transaction.atomic():
        project, said = row.project, stated(row)
        row.delete()
        _changed(project, actor, {"from": said, "to": {}})


def _changed(project: Project | None, actor: Actor, details: dict[str, object]) -> None:
    enqueue(project.pk if project else 0)
    slug = project.slug if project else ""
    auditing.record("scan_policy.changed", slug or "instance", actor, details=details, project=slug)


def enqueue(project_id: int, after: int = 0) -> None:
    """Queue the releases of the project (0: all) whose keys come after; see reconsidering.follow_policy."""
    payload = {"project": project_id, "after": after}
    tasks.enqueue(CHANGED, project_id, dedupe=f"{CHANGED}:{project_id}:{after}", payload=payload)
