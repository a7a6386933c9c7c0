"""Pulling from upstreams, and how the regions stand."""

import time
from typing import Annotated, Any

import typer
from rich.console import Console

from codesync.answers import Regions, SyncRun
from codesync.commands import showing
from codesync.commands.desk import Desk, command
from codesync.errors import ApiError, Exit
from codesync.retrying import pause

OPEN = frozenset({"queued", "running"})
Id = Annotated[str, typer.Argument(metavar="ID", help="As `codesync sync status` shows it.")]


def add_to(app: typer.Typer) -> None:
    """Hang the commands in."""
    for function in (status, start, show, cancel):
        command(app, function.__name__)(function)


def status(desk: Desk) -> Exit:
    """How the EU regions stand; with the scope sync, the latest pulls, too. Ends with 7 where no region answers."""
    regions = desk.portal.syncs.regions()
    runs = _runs(desk)
    desk.answer({**regions, "runs": runs}, lambda out: _show_status(out, regions, runs))
    return Exit.UNREACHABLE if regions["status"] == "down" else Exit.DONE


def start(
    desk: Desk,
    upstream: Annotated[str, typer.Argument(help="Its name; else every enabled one.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Follow it to its end.")] = False,
    patience: Annotated[float, typer.Option(min=0, help="Seconds to follow it at most.")] = 3600.0,
) -> Exit:
    """Pull from one upstream, or from every enabled one."""
    run = desk.portal.syncs.start(upstream)
    if not wait:
        said = f"{run['id']} is queued; see `codesync sync show {run['id']}`."
        desk.answer(run, lambda out: showing.line(out, said))
        return Exit.DONE
    done = _follow(desk, run["id"], patience)
    desk.answer(done, lambda out: _show_run(out, done))
    return _exit_of(done)


def show(desk: Desk, id: Id) -> Exit:
    """How a pull stands. Ends with 4 where it failed, or some of it did."""
    run = desk.portal.syncs.get(id)
    desk.answer(run, lambda out: _show_run(out, run))
    return _exit_of(run)


def cancel(desk: Desk, id: Id) -> None:
    """End a pull; what it has taken stays."""
    run = desk.portal.syncs.cancel(id)
    desk.answer(run, lambda out: _show_run(out, run))


def _exit_of(run: SyncRun) -> Exit:
    return Exit.REFUSED if run["status"] in ("failed", "partial") else Exit.DONE


def _runs(desk: Desk) -> list[SyncRun] | None:
    """The latest pulls, for those who may see them."""
    try:
        return desk.portal.syncs.latest(5)["runs"]
    except ApiError as problem:
        if problem.status not in (401, 403):
            raise
        return None


def _follow(desk: Desk, id: str, patience: float) -> SyncRun:
    until, every, told = time.monotonic() + patience, 0.5, -1
    while (run := desk.portal.syncs.get(id))["status"] in OPEN and time.monotonic() < until:
        if run["progress"]["done"] != told:
            told = run["progress"]["done"]
            desk.say(f"{told} of {run['progress']['total']}")
        pause(every)
        every = min(every * 1.3, 5.0)
    return run


def _show_status(out: Console, regions: Regions, runs: list[SyncRun] | None) -> None:
    showing.line(out, showing.status(regions["status"]), f"{regions['pending']} packages on their way")
    rows = [
        (one["region"], one["city"], one["country"], showing.status(one["status"]), _ms(one["latency_ms"]),
         one["lag_seconds"], one["pending"], one["failed_packages"])
        for one in regions["regions"]
    ]  # fmt: skip
    columns = ("region", "city", "", "status", "p50 ms", "lag s", "pending", "failed")
    if rows:
        showing.put(out, showing.table(columns, rows, right=columns[4:]))
    pulls = [
        (one["id"], ", ".join(one["upstreams"]), showing.status(one["status"]), (one["startedAt"] or "")[:19],
         one["added"], one["skipped"], one["failed"])
        for one in runs or ()
    ]  # fmt: skip
    heads = ("pull", "upstream", "status", "started", "added", "skipped", "failed")
    if pulls:
        showing.put(out, showing.table(heads, pulls, right=heads[4:]))


def _ms(latency: dict[str, Any]) -> str:
    return "" if latency["p50"] is None else f"{latency['p50']:.1f}"


def _show_run(out: Console, run: SyncRun) -> None:
    counts = ", ".join(f"{run[name]} {name}" for name in ("added", "updated", "skipped", "failed"))
    showing.line(out, showing.status(run["status"]), f"{', '.join(run['upstreams'])}: {counts}")
    for one in run["errors"]:
        showing.line(out, " ", f"{one['package']}: {one['error']}")
