"""Progress as people see it: bytes on their way, and check by check."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from rich.live import Live
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.text import Text

from codesync import following
from codesync.answers import Check, Version
from codesync.commands import showing, verdicts
from codesync.commands.desk import Desk
from codesync.errors import Exit
from codesync.following import OPEN, Outcome
from codesync.transport import Progress as Told

EXITS = {
    Outcome.APPROVED: Exit.DONE,
    Outcome.HELD: Exit.HELD,
    Outcome.CHECKING: Exit.HELD,
    Outcome.REJECTED: Exit.REFUSED,
    Outcome.QUARANTINED: Exit.REFUSED,
}


@contextmanager
def transfer(desk: Desk, title: str, total: int | None) -> Iterator[Told]:
    """A bar of bytes on a terminal, one line elsewhere."""
    if not desk.is_talkative:
        yield lambda _: None
        return
    if not desk.err.is_terminal:
        desk.say(f"{title} ({showing.size(total)})" if total else title)
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=desk.err) as bar:
        task = bar.add_task(showing.clean(title), total=total)
        yield lambda done: bar.update(task, completed=done)


def await_decision(desk: Desk, name: str, version: str, ecosystem: str, patience: float) -> Exit:
    """Follow a version, show check by check, tell the end; its exit code."""
    board = Board(desk)
    with board.shown():
        outcome, seen = following.follow(
            desk.portal.packages, name, version, ecosystem=ecosystem, patience=patience, changed=board.update
        )
    explanation = None if outcome is Outcome.APPROVED else verdicts.explanation_of(desk, seen)
    desk.answer(seen, lambda out: verdicts.show_outcome(out, outcome, seen, explanation, desk.settings.url))
    return EXITS[outcome]


class Board:
    """The checks of a version: drawn anew on a terminal, elsewhere a line for each when it ends."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.told = desk, set[str]()
        self.live = Live(console=desk.err, auto_refresh=False) if desk.err.is_terminal else None

    def shown(self) -> AbstractContextManager[object]:
        """Draw while the block runs, if anybody watches."""
        return self.live if self.live and self.desk.is_talkative else nullcontext()

    def update(self, seen: Version) -> None:
        """Show what has changed."""
        if not self.desk.is_talkative:
            return
        if self.live:
            self.live.update(_drawn(seen["checks"]), refresh=True)
            return
        for check in seen["checks"]:
            if check["status"] not in OPEN and check["name"] not in self.told:
                self.told.add(check["name"])
                self.desk.err.print(_line(check))


def _drawn(checks: list[Check]) -> Text:
    done = sum(check["status"] not in OPEN for check in checks)
    lines = [_line(check) for check in checks]
    return Text("\n").join([Text(f"Checks: {done} of {len(checks)}", style="bold"), *lines])


def _line(check: Check) -> Text:
    sign, style = showing.MARKS.get(check["status"], ("·", ""))
    summary = " ".join(showing.clean(check["summary"]).split()) or check["status"]
    return Text.assemble("  ", (sign, style), f" {showing.clean(check['name']):<16}", summary)
