"""The gates of licensing: may a release under this license be used here, and does a sold key open it?"""

from typing import Any

from accounts.actors import Actor
from licensing.checks import judge
from licensing.judging import Policy
from registry import covering
from registry.gates import Verdict
from registry.models import Check, Release

GATE = "license"
ANSWERS = {"approved": "allow", "review": "hold", "denied": "deny"}
CODES = {"approved": "LICENSE_APPROVED", "review": "LICENSE_NEEDS_REVIEW", "denied": "LICENSE_DENIED"}
REMEDIES = {
    "review": "Ask a maintainer to look at the license, or choose a version under another one.",
    "denied": "Choose a package under another license, or ask an admin about the policy.",
}


def license_is_allowed(release: Release, actor: Actor) -> Verdict:
    """The policy as it stands now, over what the check found; a license denied since the check is denied here.

    Our own projects need no license to use their own code: a published release that declares none, or reserves all
    rights, passes. Third-party releases of that kind are held for a look.
    """
    check = next((check for check in release.checks.all() if check.name == GATE), None)
    if check is None or check.status in (*Check.OPEN, Check.Status.ERRORED):
        return Verdict(GATE, "hold", "LICENSE_UNCHECKED", "The license has not been checked yet.", remedy="Wait.")
    return _judged(release, check.details)


def _judged(release: Release, details: dict[str, Any]) -> Verdict:
    own = release.origin == Release.Origin.PUBLISHED
    judgement = judge(details, Policy.load(release.project_id))
    if own and (judgement is None or (details.get("proprietary") and not details.get("undeclared"))):
        return Verdict(GATE, "allow", "LICENSE_OWN", "The code is your project's own; it needs no license here.")
    if judgement is None:
        return Verdict(
            GATE,
            "hold",
            "LICENSE_UNKNOWN",
            "No license is declared and none was found, so nobody may rely on being allowed to use it.",
            remedy="Ask its authors for a license, or a maintainer to decide.",
        )
    return Verdict(
        GATE,
        ANSWERS[judgement.status],
        CODES[judgement.status],
        judgement.sentence,
        remedy=REMEDIES.get(judgement.status, ""),
    )


def is_covered(release: Release, actor: Actor) -> Verdict:
    """Whether the actor's licence key opens a private release; who needs none, and who shows none, passes here."""
    objection = covering.objection_to(release, actor)
    if objection is not None:
        remedy = "Use a version that your licence covers, or ask whoever sold it to you."
        return Verdict("entitlement", "deny", objection.code, objection.reason, remedy=remedy)
    if covering.is_restricted(release.package, actor):
        return Verdict("entitlement", "allow", "COVERED", "Your licence key covers this version.")
    return Verdict("entitlement", "allow", "NO_KEY_NEEDED", "No licence key is asked of you.")
