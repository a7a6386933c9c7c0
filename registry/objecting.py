"""What verdicts mean for a status that stands: which objections are new, whether it may return, how long it holds."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from accounts.actors import SYSTEM
from registry.gates import Verdict
from registry.models import Decision, Release

STATUS = Release.Status
FLAGGED = "FLAGGED"


def new_objections(release: Release, verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Denials that no person has overruled yet.

    An override covers the grounds that its record names, under every name that they went by, and nothing that came
    later; a denial that names no grounds is known by its reason.
    """
    denials = [verdict for verdict in verdicts if verdict.answer == "deny"]
    return [verdict for verdict in denials if not _is_overruled(verdict, _overruling(release))] if denials else []


def flag(release: Release, verdicts: Iterable[Verdict]) -> Verdict | None:
    """The verdict that lets an approved version stay and wants it marked, unless a person has overruled it."""
    marked = next((verdict for verdict in verdicts if verdict.code == FLAGGED), None)
    return None if marked is None or _is_overruled(marked, _overruling(release)) else marked


def may_return(release: Release, verdicts: Sequence[Verdict]) -> bool:
    """Whether a quarantined version is approved again: policy put it there, and nothing new stands against it now.

    What a person decided is theirs to change. A hold that the earlier approval knew of is no reason to wait, and
    neither is the review, which has taken place.
    """
    decided = release.decisions.filter(answer__in=(STATUS.APPROVED, STATUS.REJECTED, STATUS.QUARANTINED))
    last = decided.first()
    if last is None or last.answer != STATUS.QUARANTINED or last.pseudonym != SYSTEM.pseudonym:
        return False
    if new_objections(release, verdicts):
        return False
    approval = decided.filter(answer=STATUS.APPROVED, sha256=release.reviewed_sha256).first()
    known = {(one["gate"], one["code"]) for one in approval.verdicts} if approval else set()
    holds = [verdict for verdict in verdicts if verdict.answer == "hold" and verdict.gate != "review"]
    return all((verdict.gate, verdict.code) in known for verdict in holds)


def until(verdicts: Iterable[Verdict], *, approved: bool) -> datetime | None:
    """When the first of the verdicts changes by itself; an approval does not rest on a wait that was cut short."""
    ends = (verdict.until for verdict in verdicts if verdict.answer != "hold" or not approved)
    return min((end for end in ends if end is not None), default=None)


def _overruling(release: Release) -> Decision | None:
    """The newest approval by a person, if it was given over objections."""
    approvals = release.decisions.filter(answer=STATUS.APPROVED).exclude(pseudonym=SYSTEM.pseudonym)
    standing = approvals.first()
    return standing if standing is not None and standing.override else None


def _is_overruled(verdict: Verdict, overruling: Decision | None) -> bool:
    if overruling is None:
        return False
    same = [one for one in overruling.verdicts if one["gate"] == verdict.gate]
    if not verdict.grounds:
        return any(one["reason"] == verdict.reason for one in same)
    known = {name for one in same for names in one.get("grounds", ()) for name in names}
    return all(known & set(names) for names in verdict.grounds)
