"""Deciding over versions: approve, reject, unlist, restore."""

from typing import Annotated

import typer

from codesync import wanted
from codesync.commands import showing
from codesync.commands.desk import Desk, command

Name = Annotated[str, typer.Argument(metavar="PACKAGE", help="name@version.")]


def add_to(app: typer.Typer) -> None:
    """Hang the commands in."""
    for function in (approve, reject, unlist, restore):
        command(app, function.__name__)(function)


def approve(
    desk: Desk,
    package: Name,
    reason: Annotated[str, typer.Option("--reason", "-m", help="Why.")] = "",
    override: Annotated[bool, typer.Option("--override", help="Over a failed check; needs a reason.")] = False,
) -> None:
    """Approve a version that waits or is quarantined."""
    asked = wanted.read(package).needs_version()
    done = desk.portal.packages.approve(
        asked.name, asked.version, reason, override=override, ecosystem=asked.ecosystem
    )
    desk.answer(
        done, lambda out: showing.line(out, showing.status(done["status"]), f"{done['name']} {done['version']}")
    )


def reject(
    desk: Desk, package: Name, reason: Annotated[str, typer.Option("--reason", "-m", help="What its submitter reads.")]
) -> None:
    """Reject a version."""
    asked = wanted.read(package).needs_version()
    done = desk.portal.packages.reject(asked.name, asked.version, reason, ecosystem=asked.ecosystem)
    desk.answer(
        done, lambda out: showing.line(out, showing.status(done["status"]), f"{done['name']} {done['version']}")
    )


def unlist(desk: Desk, package: Name) -> None:
    """Take a version from all lists; its file goes after the grace."""
    asked = wanted.read(package).needs_version()
    done = desk.portal.packages.unlist(asked.name, asked.version, ecosystem=asked.ecosystem)
    said = f"{done['name']} {done['version']} is unlisted. Until {done['purge_at']} `codesync restore` undoes it."
    desk.answer(done, lambda out: showing.line(out, said))


def restore(desk: Desk, package: Name) -> None:
    """Undo an unlisting."""
    asked = wanted.read(package).needs_version()
    done = desk.portal.packages.restore(asked.name, asked.version, ecosystem=asked.ecosystem)
    desk.answer(done, lambda out: showing.line(out, f"{done['name']} {done['version']} is listed again."))
