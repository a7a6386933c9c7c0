"""Asking for a third-party version."""

from typing import Annotated

import typer

from codesync import wanted
from codesync.commands import progress, verdicts
from codesync.commands.desk import Desk, command
from codesync.errors import Exit, Mistake


def add_to(app: typer.Typer) -> None:
    """Hang the command in."""
    command(app, "submit")(submit)


def submit(
    desk: Desk,
    package: Annotated[str, typer.Argument(help="ecosystem:name@version, such as pypi:rich@13.7.1.")],
    note: Annotated[str, typer.Option(help="Why it is needed, for the maintainer who decides.")] = "",
    license: Annotated[str, typer.Option(help="Its license as you know it, SPDX.")] = "",
    category: Annotated[str, typer.Option(help="Its category.")] = "",
    wait: Annotated[bool, typer.Option(help="Follow the checks; exit code as of publish.")] = False,
    patience: Annotated[float, typer.Option(min=0, help="Seconds to follow the checks at most.")] = 300.0,
) -> Exit:
    """Ask for a third-party version; machines check it, a maintainer decides."""
    asked = wanted.read(package).needs_version()
    if not asked.ecosystem:
        raise Mistake(f"Name the ecosystem, too: npm:{asked} or pypi:{asked}.")
    texts = {"note": note, "license": license, "category": category}
    given = {name: text for name, text in texts.items() if text}
    taken = desk.portal.packages.submit(asked.ecosystem, asked.name, asked.version, **given)
    if wait:
        return progress.await_decision(desk, taken["name"], taken["version"], taken["ecosystem"], patience)
    desk.answer(taken, lambda out: verdicts.show_taken(out, taken, desk.settings.url))
    return Exit.DONE
