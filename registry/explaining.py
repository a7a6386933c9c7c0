"""Explaining: may I have this, and why not? One answer, the same words on every page, in the API and the installer."""

from dataclasses import dataclass, field
from typing import Any

from accounts.actors import SYSTEM, Actor
from registry import covering, gates
from registry.models import Decision, Release


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer, the verdicts it is made of, the standing decision, and what the caller can do."""

    answer: str
    verdicts: tuple[gates.Verdict, ...]
    decision: Decision | None
    remedies: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The reason in one sentence."""
        objection = gates.first_objection(self.verdicts) if self.answer != "allow" else None
        return objection.reason if objection else "You may use this version."

    def decision_row(self) -> dict[str, Any] | None:
        """The decision in the contract's shape."""
        one = self.decision
        if one is None:
            return None
        return {"by": one.by_name, "at": one.at, "reason": one.reason, "sha256": one.sha256, "override": one.override}


def explain(release: Release, actor: Actor) -> Explanation:
    """What every gate says of the release for this actor: those asked at approval, then those asked at download.

    Once a decision stands, the approval verdicts are those it was made on, so that they read the same for ever.
    """
    decision = standing_decision(release)
    downloading = gates.ask("downloading", release, actor)
    approving = _recorded(decision) if decision else gates.ask("approving", release, SYSTEM)
    answer = gates.worst(downloading)
    verdicts = (*downloading, *approving)
    return Explanation(answer, verdicts, decision, _remedies(release, actor, verdicts if answer != "allow" else ()))


def standing_decision(release: Release) -> Decision | None:
    """The newest decision that set the status, or None while it is pending."""
    if release.status == Release.Status.PENDING:
        return None
    return release.decisions.filter(answer=release.status).select_related("by").first()


def _recorded(decision: Decision) -> list[gates.Verdict]:
    return [gates.Verdict(**verdict) for verdict in decision.verdicts]


def _remedies(release: Release, actor: Actor, verdicts: tuple[gates.Verdict, ...]) -> list[str]:
    """What can be done about the objections, each said once."""
    found = [verdict.remedy for verdict in verdicts if verdict.answer != "allow" and verdict.remedy]
    if verdicts and actor.is_anonymous:
        found.append("Sign in, if you are a member of the project.")
    others = Release.objects.approved().filter(package=release.package).exclude(pk=release.pk)
    if verdicts and not covering.is_restricted(release.package, actor) and others.exists():
        found.append(f"Use {release.package.latest_version}, the latest approved version.")
    return list(dict.fromkeys(found))
