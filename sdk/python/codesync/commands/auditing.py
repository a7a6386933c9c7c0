"""Which packages of a lockfile are vulnerable."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from codesync import lockfiles
from codesync.answers import Audit, Vulnerability
from codesync.commands import showing
from codesync.commands.desk import Desk, command
from codesync.errors import Exit


class Threshold(StrEnum):
    """From which severity on a finding fails the run."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NEVER = "never"


RANK = {"critical": 4, "high": 3, "medium": 2, "low": 1}
UNRATED = 1  # what nobody has rated yet is no reason to pass it under --fail-on low


def add_to(app: typer.Typer) -> None:
    """Hang the command in."""
    command(app, "audit")(audit)


def audit(
    desk: Desk,
    files: Annotated[list[Path] | None, typer.Argument(help="Lockfiles; else those of this folder.")] = None,
    fail_on: Annotated[Threshold, typer.Option(help="The severity from which on to end with 1.")] = Threshold.LOW,
    license: Annotated[str, typer.Option(help="Of your own work, to see whose licenses clash with it.")] = "",
) -> Exit:
    """Ask what is known against the packages of a lockfile. Waived findings fail nothing.

    Read are package-lock.json, requirements.txt, poetry.lock, uv.lock and CycloneDX SBOMs.
    """
    found = {
        str(file): desk.portal.security.audit_lockfile(lockfiles.text_of(file), lockfiles.format_of(file), license)
        for file in files or lockfiles.found_in(Path())
    }
    desk.answer({"lockfiles": found}, lambda out: _show(out, found))
    fails = [flaw for one in found.values() for flaw in flaws_of(one) if is_at_least(flaw, fail_on)]
    return Exit.FINDINGS if fails else Exit.DONE


def flaws_of(audit: Audit) -> list[Vulnerability]:
    """Every flaw that was found."""
    return [flaw for result in audit["results"] for flaw in result["vulnerabilities"]]


def is_at_least(flaw: Vulnerability, threshold: Threshold) -> bool:
    """Whether the flaw, unless it is waived, reaches the threshold."""
    if flaw["waived"] or threshold is Threshold.NEVER:
        return False
    return RANK.get(flaw["severity"], UNRATED) >= RANK[threshold]


def _show(out: Console, found: dict[str, Audit]) -> None:
    for name, one in found.items():
        rows = [
            (showing.status("waived" if flaw["waived"] else flaw["severity"]), f"{flaw['package']} {flaw['version']}",
             flaw["id"], flaw["fixed_in"] or "no fix yet", flaw["summary"])
            for flaw in flaws_of(one)
        ]  # fmt: skip
        if rows:
            showing.put(out, showing.table(("severity", "package", "advisory", "fixed in", "summary"), rows))
        showing.line(out, _summary(name, one))
        for clash in (one.get("licenses") or {}).get("clashes", ()):  # type: ignore[attr-defined]  # newer than the shape
            showing.line(out, "  license:", ", ".join(f"{key} {value}" for key, value in clash.items() if value))


def _summary(name: str, one: Audit) -> str:
    counts = [f"{count} {severity}" for severity, count in one["summary"].items() if count]
    unknown = sum(result["status"] == "unknown" for result in one["results"])
    rest = f", {unknown} of which nothing is known here" if unknown else ""
    return f"{name}: {len(one['results'])} packages, {', '.join(counts) or 'no known flaw'}{rest}."
