"""What scanners found in a version."""

from typing import Annotated

import typer
from rich.console import Console

from codesync import wanted
from codesync.answers import Scan
from codesync.commands import showing
from codesync.commands.desk import Desk, command

Name = Annotated[str, typer.Argument(metavar="PACKAGE", help="name or name@version.")]


def add_to(app: typer.Typer) -> None:
    """Hang the commands in."""
    command(app, "show")(show)
    command(app, "request")(request)


def show(desk: Desk, package: Name) -> None:
    """The latest scan of a version."""
    asked = wanted.read(package)
    scan = desk.portal.security.scan(asked.name, version=asked.version, ecosystem=asked.ecosystem)
    desk.answer(scan, lambda out: _show(out, scan))


def request(desk: Desk, package: Name) -> None:
    """Have a version scanned again."""
    asked = wanted.read(package)
    queued = desk.portal.security.request_scan(asked.name, version=asked.version, ecosystem=asked.ecosystem)
    said = f"{queued['package']} {queued['version']} waits to be scanned; see `codesync scan show`."
    desk.answer(queued, lambda out: showing.line(out, showing.status(queued["status"]), said))


def _show(out: Console, scan: Scan) -> None:
    title = f"{scan['package']} {scan['version']}, scanned {scan['scan_date'] or 'not yet'}"
    showing.line(out, showing.status(scan["status"]), title)
    rows = [
        (
            showing.status("waived" if flaw["waived"] else flaw["severity"]),
            flaw["id"],
            flaw["fixed_in"] or "no fix yet",
            flaw["summary"],
        )
        for flaw in scan["vulnerabilities"]
    ]
    if rows:
        showing.put(out, showing.table(("severity", "finding", "fixed in", "summary"), rows))
    missing = f"; not available: {', '.join(scan['tools_unavailable'])}" if scan["tools_unavailable"] else ""
    showing.line(out, f"Looked: {', '.join(scan['tools_used']) or 'nobody'}{missing}.")
