"""Signing in and out, and who one is."""

import os
import sys
from dataclasses import replace
from typing import Annotated

import typer
from rich.console import Console
from rich.prompt import Prompt

from codesync import configuration, rotation
from codesync.answers import Me
from codesync.commands import showing
from codesync.commands.desk import Desk, command
from codesync.configuration import Settings
from codesync.errors import Exit, Mistake
from codesync.rotation import Held
from codesync.transport import address_of


def add_to(app: typer.Typer) -> None:
    """Hang the commands in."""
    command(app, "login")(login)
    command(app, "logout")(logout)
    command(app, "whoami")(whoami)


def login(
    desk: Desk,
    key: Annotated[str, typer.Option(help="The SSH key that signs what you publish.")] = "",
) -> None:
    """Remember a portal and a token (made in your profile there), after trying them."""
    before = configuration.stored()
    url = desk.choices.url or os.environ.get("CODESYNC_URL", "") or _asked(desk, "Address of the portal", before.url)
    token = desk.choices.token or os.environ.get("CODESYNC_TOKEN", "") or _asked_secretly(desk)
    url = address_of(url)
    signing_key = key or before.signing_key
    with desk.client(url, Held(token)) as portal:
        me, life = portal.me(), rotation.learn(portal.transport, token)
    kept = Settings(url, token, desk.choices.project, signing_key)
    if life:
        begins, ends = life.begins.isoformat(), life.ends.isoformat()
        kept = replace(kept, token_id=life.id, token_created_at=begins, token_expires_at=ends)
    where = configuration.keep(kept)
    if url.startswith("http://") and not url.startswith(("http://127.0.0.1", "http://localhost", "http://[::1]")):
        desk.say(
            "This address is not encrypted: whoever listens on the way reads your token. Use https:// if you can."
        )
    desk.answer(
        me, lambda out: showing.line(out, f"Signed in to {url} as {_name(me)}. Kept in {showing.place(where)}.")
    )


def logout(desk: Desk) -> None:
    """Forget the portal and the token. The token itself works on: revoke it with `codesync token revoke`."""
    there = configuration.forget()
    said = "Forgotten." if there else "Nothing was kept."
    desk.answer({"forgotten": there}, lambda out: showing.line(out, said))


def whoami(desk: Desk) -> Exit | None:
    """Who the portal takes you for, and what you may do."""
    me = desk.portal.me()
    desk.answer(me, lambda out: _show(out, me, desk.settings))
    return None


def _show(out: Console, me: Me, settings: Settings) -> None:
    showing.facts(
        out,
        {
            "user": _name(me),
            "role": me["role"],
            "portal": settings.url,
            "project": me["project"],
            "may": ", ".join(me["scopes"]),
            "by": me["credential"]["kind"],
            "until": me["credential"]["expiresAt"],
        },
    )


def _name(me: Me) -> str:
    return me["username"] or f"the holder of a {me['credential']['kind']} key"


def _asked(desk: Desk, question: str, default: str) -> str:
    if not sys.stdin.isatty():
        raise Mistake("There is no terminal to ask on. Give --url and --token, or CODESYNC_URL and CODESYNC_TOKEN.")
    return Prompt.ask(question, console=desk.err, default=default or None) or ""


def _asked_secretly(desk: Desk) -> str:
    if not sys.stdin.isatty():
        piped = sys.stdin.readline().strip()
        if piped:
            return piped
        raise Mistake("There is no terminal to ask on. Give --token or CODESYNC_TOKEN, or pipe the token in.")
    return Prompt.ask("Token (from your profile)", console=desk.err, password=True).strip()
