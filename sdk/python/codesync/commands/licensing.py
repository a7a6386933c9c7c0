"""Sold license keys, and facts about licenses."""

from datetime import UTC, datetime, time
from typing import Annotated, Any

import typer
from rich.console import Console

from codesync.answers import LicenseKey, Validity
from codesync.commands import showing
from codesync.commands.desk import Desk, command
from codesync.errors import Exit, Mistake

Id = Annotated[str, typer.Argument(metavar="ID", help="As `codesync license list` shows it.")]


def add_to(app: typer.Typer) -> None:
    """Hang the commands in."""
    command(app, "list")(show_all)
    for function in (verify, create, show, suspend, delete, facts):
        command(app, function.__name__)(function)


def verify(
    desk: Desk,
    key: Annotated[str, typer.Argument(help="The key itself.")],
    package: Annotated[str, typer.Argument(help="Of which package.")],
    version: Annotated[str, typer.Argument(help="Which version it should open.")],
) -> Exit:
    """Whether a license key opens a version. Ends with 8 if it does not."""
    said = desk.portal.licenses.validate(key, package, version)
    desk.answer(said, lambda out: _show_validity(out, said))
    return Exit.DONE if said["valid"] else Exit.NOT_VERIFIED


def show_all(
    desk: Desk,
    since: Annotated[int | None, typer.Option(help="Milliseconds since the epoch.")] = None,
    until: Annotated[int | None, typer.Option(help="Milliseconds since the epoch.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
) -> None:
    """The project's keys, the oldest first."""
    page = desk.portal.licenses.page(since=since, until=until, limit=limit)
    desk.answer(page, lambda out: _show_page(out, page))


def create(
    desk: Desk,
    packages: Annotated[list[str], typer.Argument(help="What it opens.")],
    name: Annotated[str, typer.Option(help="Whose it is.")] = "",
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="It ends with this day, UTC.")] = None,
    fallback: Annotated[bool, typer.Option("--fallback", help="Versions from before the end stay open.")] = False,
    range: Annotated[str, typer.Option(help="It opens these versions only: '<2.0.0'.")] = "",
) -> None:
    """Make a license key, without an end, until a day, or for a range of versions."""
    if until and range:
        raise Mistake("Give --until or --range, not both.")
    constraint: dict[str, Any] = {"type": "none"}
    if until:
        end = datetime.combine(until.date(), time.max, UTC)
        constraint = {"type": "date", "value": int(end.timestamp() * 1000), "perpetualFallback": fallback}
    if range:
        constraint = {"type": "version", "value": range}
    made = desk.portal.licenses.create(packages, constraint, **({"name": name} if name else {}))
    desk.say(f"The key {made['id']} opens {', '.join(made['packages'])}:")
    desk.answer(made, lambda out: showing.line(out, made["key"]))


def show(desk: Desk, id: Id) -> None:
    """One key."""
    one = desk.portal.licenses.get(id)
    desk.answer(one, lambda out: _show_key(out, one))


def suspend(
    desk: Desk, id: Id, lift: Annotated[bool, typer.Option("--lift", help="Let it open things again.")] = False
) -> None:
    """Let a key open nothing until `--lift`."""
    one = desk.portal.licenses.get(id)
    kept = {name: one[name] for name in ("name", "key", "constraint", "meta", "packages")}
    changed = desk.portal.licenses.replace(id, {**kept, "suspended": not lift})
    desk.answer(changed, lambda out: _show_key(out, changed))


def delete(desk: Desk, id: Id) -> None:
    """Delete a key, with all that is kept with it."""
    desk.portal.licenses.delete(id)
    desk.answer({"deleted": id}, lambda out: showing.line(out, f"{id} opens nothing any more."))


def facts(desk: Desk, spdx: Annotated[str, typer.Argument(metavar="SPDX", help="An id or expression.")]) -> None:
    """What is known of a license, and what the portal's policy says to it."""
    found = desk.portal.licenses.facts(spdx)
    desk.answer(found, lambda out: _show_facts(out, found))


def _show_validity(out: Console, said: Validity) -> None:
    showing.line(out, "✓" if said["valid"] else "✗", said["code"])


def _show_page(out: Console, page: dict[str, Any]) -> None:
    rows = [
        (one["id"], one["name"], _terms(one), "suspended" if one["suspended"] else "", ", ".join(one["packages"]))
        for one in page["data"]
    ]
    showing.put(out, showing.table(("id", "name", "terms", "", "packages"), rows))
    if page["pagination"]["next"] is not None:
        showing.line(out, f"There are more: --since {page['pagination']['next']}")


def _show_key(out: Console, one: LicenseKey) -> None:
    about = {"id": one["id"], "name": one["name"], "key": one["key"], "terms": _terms(one)}
    state = "suspended" if one["suspended"] else "works"
    showing.facts(out, {**about, "state": state, "packages": ", ".join(one["packages"])})


def _terms(one: LicenseKey) -> str:
    terms = one["constraint"]
    if terms["type"] == "date":
        return f"until {datetime.fromtimestamp(terms['value'] / 1000, UTC):%Y-%m-%d}"
    return f"versions {terms['value']}" if terms["type"] == "version" else "no end"


def _show_facts(out: Console, found: dict[str, Any]) -> None:
    showing.facts(
        out,
        {
            "license": f"{found['name']} ({found['full_name']})" if found.get("full_name") else found["name"],
            "policy": showing.status(found["status"]),
            "category": found["category"],
            "in return": ", ".join(found.get("obligations") or ()),
            "goes into": ", ".join(found["compatible_with"][:12]),
            "not into": ", ".join(found["incompatible_with"][:12]),
        },
    )
