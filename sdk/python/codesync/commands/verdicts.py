"""What is said about a version: where it stands, why, and what can be done."""

from urllib.parse import quote

from rich.console import Console

from codesync import wanted
from codesync.answers import Explanation, Published, Submitted, Version
from codesync.commands import showing
from codesync.commands.desk import Desk
from codesync.errors import ApiError
from codesync.following import Outcome

SENTENCES = {
    Outcome.APPROVED: "is approved.",
    Outcome.HELD: "is held.",
    Outcome.CHECKING: "is still being checked.",
    Outcome.REJECTED: "was rejected.",
    Outcome.QUARANTINED: "is quarantined.",
}


def page_of(url: str, ecosystem: str, name: str, version: str) -> str:
    """The address of the version's page, which says the same to people."""
    return f"{url}/packages/{ecosystem}/{quote(name, safe='@/')}/versions/{quote(version, safe='+')}"


def explanation_of(desk: Desk, seen: Version) -> Explanation | None:
    """What the gates say; None where the portal does not say it to this caller."""
    try:
        return desk.portal.packages.explain(wanted.purl_of(seen["ecosystem"], seen["name"], seen["version"]))
    except ApiError:
        return None


def show_taken(out: Console, taken: Published | Submitted, url: str) -> None:
    """That it was taken, and where it will be told what becomes of it."""
    page = page_of(url, taken["ecosystem"], taken["name"], taken["version"])
    showing.line(
        out, showing.status(taken["status"]), f"{taken['name']} {taken['version']} was taken. Follow it at {page}"
    )


def show_outcome(out: Console, outcome: Outcome, seen: Version, explanation: Explanation | None, url: str) -> None:
    """The end in one line; what is not approved says why, what can be done, and where more is said."""
    sign = showing.status("pending" if outcome in (Outcome.HELD, Outcome.CHECKING) else outcome.value)
    showing.line(out, sign, f"{seen['name']} {seen['version']} {SENTENCES[outcome]}")
    if outcome is Outcome.APPROVED:
        return
    for reason in reasons_of(seen, explanation):
        showing.line(out, "  why:", reason)
    for remedy in explanation["remedies"] if explanation else ():
        showing.line(out, "  what to do:", remedy)
    showing.line(out, "  more:", page_of(url, seen["ecosystem"], seen["name"], seen["version"]))


def reasons_of(seen: Version, explanation: Explanation | None) -> list[str]:
    """Why it is not approved, each reason once: the decision's and the gates', else what was written down of it.

    The gate that only says that nothing is decided is left out where another one says why.
    """
    found = [seen["decision"]["reason"]] if seen["decision"] else []
    objections = [one for one in (explanation["verdicts"] if explanation else ()) if one["answer"] != "allow"]
    telling = [one for one in objections if one["gate"] != "decision"] or objections
    found += [one["reason"] for one in telling] if telling else [seen["held_because"] or ""]
    return list(dict.fromkeys(reason for reason in found if reason))


def show_explanation(out: Console, said: Explanation) -> None:
    """Every gate's verdict, and what can be done."""
    showing.line(out, showing.status(said["answer"]), said["purl"])
    rows = [(showing.status(one["answer"]), one["gate"], one["reason"]) for one in said["verdicts"]]
    showing.put(out, showing.table(("answer", "gate", "reason"), rows))
    if decision := said["decision"]:
        showing.line(out, f"Decided by {decision['by']} at {decision['at']}: {decision['reason']}")
    for remedy in said["remedies"]:
        showing.line(out, "What to do:", remedy)
