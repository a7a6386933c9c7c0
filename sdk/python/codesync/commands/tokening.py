"""API tokens: list, create, rotate, revoke."""

from typing import Annotated

import typer
from rich.table import Table

from codesync import configuration
from codesync.answers import IssuedToken, Token
from codesync.commands import showing
from codesync.commands.desk import Desk, command, keep_token
from codesync.errors import Mistake

Id = Annotated[str, typer.Argument(metavar="ID", help="As `codesync token list` shows it.")]


def add_to(app: typer.Typer) -> None:
    """Hang the commands in."""
    command(app, "list")(show)
    for function in (create, rotate, revoke):
        command(app, function.__name__)(function)


def show(desk: Desk) -> None:
    """Your tokens, without their values."""
    found = desk.portal.tokens.all()
    desk.answer(found, lambda out: showing.put(out, _table(found["tokens"])))


def create(
    desk: Desk,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[list[str], typer.Option(help="read, publish, review, licenses, sync or admin; repeatable.")],
    days: Annotated[int, typer.Option(min=1, max=365, help="How long it works.")] = 90,
    bind: Annotated[str, typer.Option(help="Bind it to this project.")] = "",
) -> None:
    """Make a token (needs one with the scope admin). Its value is printed this once, alone on stdout."""
    made = desk.portal.tokens.create(name, scope, days=days, project=bind)
    desk.say(f"{made['name']} may {', '.join(made['scopes'])} until {made['expiresAt'][:10]}. Its value, this once:")
    desk.answer(made, lambda out: showing.line(out, made["token"]))


def rotate(
    desk: Desk,
    id: Annotated[str, typer.Argument(metavar="ID", help="Of a token of yours; else the one in use.")] = "",
    overlap: Annotated[int, typer.Option(min=0, max=168, help="Hours that the old one works on.")] = 24,
) -> None:
    """Replace a token by a successor. That of `login` is replaced in the file, any other is printed."""
    me = desk.portal.me() if not id else None
    chosen = id or (me["credential"]["id"] if me and me["credential"]["kind"] == "token" else "")
    if not chosen:
        raise Mistake("The credential in use is no API token. Name the token: `codesync token list`.")
    made = desk.portal.tokens.rotate(chosen, overlap_hours=overlap)
    kept = _keep(desk, chosen, made)
    ends = made["expiresAt"][:10]
    if kept:
        desk.answer(
            made,
            lambda out: showing.line(
                out, f"The new token, until {ends}, is kept in {showing.place(configuration.file())}."
            ),
        )
        return
    desk.say(f"{made['name']} has a successor until {ends}. Its value, this once:")
    desk.answer(made, lambda out: showing.line(out, made["token"]))


def revoke(desk: Desk, id: Id) -> None:
    """Revoke a token, at once and everywhere."""
    desk.portal.tokens.revoke(id)
    desk.answer({"revoked": id}, lambda out: showing.line(out, f"{id} opens nothing any more."))


def _keep(desk: Desk, old: str, made: IssuedToken) -> bool:
    """Put the successor in the place of the stored token, if it is that one's."""
    if configuration.stored().token_id != old:
        return False
    keep_token(made)
    return True


def _table(tokens: list[Token]) -> Table:
    columns = ("id", "name", "begins", "scopes", "project", "until", "last used")
    return showing.table(
        columns,
        [
            (one["id"], one["name"], one["prefix"], ", ".join(one["scopes"]), one["project"], one["expiresAt"][:10],
             (one["lastUsedAt"] or "never")[:10])
            for one in tokens
        ],
    )  # fmt: skip
