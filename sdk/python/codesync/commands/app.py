"""The command line as a whole: its table of contents."""

from typing import Annotated

import typer

from codesync import __version__
from codesync.commands import (
    auditing,
    deciding,
    downloading,
    finding,
    licensing,
    publishing,
    scanning,
    signing_in,
    submitting,
    syncing,
    tokening,
)

EXITS = (
    "Exit codes: 0 done or approved · 1 findings · 2 wrong use · 3 held for a person · 4 rejected or refused · "
    "5 not signed in · 6 not found · 7 portal not reachable or busy · 8 not verified · 130 interrupted"
)

app = typer.Typer(
    help="Publish, find, check and decide packages of a CodeSync Registry.",
    epilog=EXITS,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"codesync {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Tell the version and end.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """Publish, find, check and decide packages of a CodeSync Registry."""


for room in (signing_in, publishing, submitting, finding, downloading, auditing, deciding):
    room.add_to(app)
for name, room, about in (
    ("scan", scanning, "What scanners found in a version, and scanning again."),
    ("token", tokening, "Your API tokens."),
    ("license", licensing, "Sold license keys, and facts about licenses."),
    ("sync", syncing, "Pulling from upstreams, and how the regions stand."),
):
    group = typer.Typer(help=about, no_args_is_help=True, rich_markup_mode=None)
    room.add_to(group)
    app.add_typer(group, name=name)
