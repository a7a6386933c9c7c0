"""The license check: what is declared, what the files hold, and what this instance's policy says to it."""

from collections.abc import Mapping
from typing import Any

from licensing import declarations, spdx
from licensing.declarations import Declaration
from licensing.judging import Judgement, Policy, worst
from registry.checking import Result
from registry.models import Release

NOTHING: dict[str, Any] = {
    "expression": "", "declared": "", "detected": [], "undeclared": [], "candidates": [], "proprietary": False
}  # fmt: skip
STATUS = {"approved": "passed", "review": "warned", "denied": "failed"}


def check_license(release: Release) -> Result:
    """Passed where policy approves what is declared and the files agree; failed where it denies it; else warned."""
    policy = Policy.load(release.project_id)
    return report(_facts(declarations.gather(release)), policy)


def report(details: dict[str, Any], policy: Policy) -> Result:
    """What the check says under the policy, of facts that were read before; reads nothing itself."""
    details = NOTHING | details
    judgement = judge(details, policy)
    objection = _objection(details) or _also_found(details, policy)
    status = STATUS[judgement.status] if judgement else "warned"
    if objection and status == "passed":
        status = "warned"
    summary = " ".join(filter(None, [objection, judgement.sentence if judgement else ""]))
    return Result(status, summary, {**details, **_verdict(details, judgement)})


def judge(details: Mapping[str, Any], policy: Policy) -> Judgement | None:
    """The policy's word on the facts of a check; None where nothing is declared and nothing was found.

    Texts that nobody declared count too: the worse of both decides.
    """
    judgements = [_declared(details, policy)]
    if undeclared := details.get("undeclared"):
        judgements.append(policy.judge_candidates(undeclared))
    known = [judgement for judgement in judgements if judgement]
    return worst(known) if known else None


def _declared(details: Mapping[str, Any], policy: Policy) -> Judgement | None:
    if details.get("expression"):
        return policy.judge(spdx.parse(details["expression"]))
    declared = _short(details.get("declared", ""))
    if details.get("proprietary"):
        return policy.judge_category("proprietary", f"“{declared}”")
    if details.get("candidates"):
        return policy.judge_candidates(details["candidates"])
    return policy.judge_category("unknown", f"“{declared}”") if declared else None


def _objection(details: Mapping[str, Any]) -> str:
    """What does not fit together, before the policy is asked."""
    expression, declared, found = details["expression"], details["declared"], " and ".join(details["detected"])
    said = f"“{_short(declared)}”"
    if details["detected"] and details["undeclared"] == details["detected"]:
        return f"It declares {expression or said}, but its files hold {found}."
    if not details.get("stated", bool(declared)):
        return (
            f"No license is declared; its files hold {found}."
            if found
            else "No license is declared and none is found."
        )
    if details["proprietary"]:
        return f"It declares {said}: all rights are reserved."
    if details.get("classified"):
        return f"It declares {expression}, but its classifiers say {details['classified']}."
    if not expression and details["candidates"]:
        return f"{said} may mean {' or '.join(details['candidates'])}, and no file says which."
    return "" if expression else f"{said} is no license that is known here."


def _also_found(details: Mapping[str, Any], policy: Policy) -> str:
    """Undeclared texts beside declared ones: bundled notices are common, so only unapproved ones count."""
    undeclared = details["undeclared"]
    if not undeclared or policy.judge_candidates(undeclared).status == "approved":
        return ""
    return f"Its files also hold {' and '.join(undeclared)}, which it does not declare."


def _facts(declaration: Declaration) -> dict[str, Any]:
    return {
        "expression": str(declaration.expression or ""),
        "declared": _short(declaration.text, 2000),
        "detected": declaration.detected,
        "undeclared": declaration.undeclared,
        "files": declaration.files,
        "candidates": list(declaration.reading.candidates),
        "proprietary": declaration.reading.proprietary,
        "stated": bool(declaration.text) or declaration.reading.says_something,
        "classified": str(declaration.classified or ""),
    }


def _verdict(details: Mapping[str, Any], judgement: Judgement | None) -> dict[str, str]:
    understood = details["expression"] or details["candidates"] or details["proprietary"]
    return {
        "policy": judgement.status if judgement and understood else "unknown",
        "category": judgement.category if judgement else "unknown",
        "note": judgement.note if judgement else "",
    }


def _short(text: str, limit: int = 80) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
