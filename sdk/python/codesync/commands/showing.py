"""How answers look to people. Nothing that a package says reaches the terminal as a control sequence."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from codesync.errors import ApiError, CodeSyncError

# C0 and C1 but tab and newline, and what turns the direction of text round
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
MARKS = {
    "approved": ("✓", "green"), "passed": ("✓", "green"), "healthy": ("✓", "green"), "succeeded": ("✓", "green"),
    "allow": ("✓", "green"), "clean": ("✓", "green"),
    "pending": ("…", "yellow"), "running": ("…", "yellow"), "queued": ("…", "yellow"), "hold": ("…", "yellow"),
    "warned": ("!", "yellow"), "degraded": ("!", "yellow"), "partial": ("!", "yellow"), "waived": ("!", "yellow"),
    "rejected": ("✗", "red"), "failed": ("✗", "red"), "errored": ("✗", "red"), "down": ("✗", "red"),
    "deny": ("✗", "red"), "vulnerable": ("✗", "red"), "denied": ("✗", "red"),
    "quarantined": ("■", "magenta"), "skipped": ("–", "dim"), "unknown": ("?", "dim"),
    "critical": ("✗", "bold red"), "high": ("✗", "red"), "medium": ("!", "yellow"), "low": ("!", "dim"),
}  # fmt: skip
REMEDIES = {
    401: "Run `codesync login`, or set CODESYNC_TOKEN.",
    429: "Wait, or ask for a higher limit.",
}


def clean(text: object) -> str:
    """The text on one line's worth of characters that a terminal only shows."""
    return UNSAFE.sub("�", str(text))


def as_json(document: Any, for_people: bool) -> str:
    """The document; indented on a terminal, one line elsewhere. C1 controls are escaped as JSON escapes C0."""
    text = json.dumps(document, ensure_ascii=False, indent=2 if for_people else None)
    return re.sub("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]", lambda found: f"\\u{ord(found[0]):04x}", text)


def error_line(problem: CodeSyncError) -> Text:
    """What happened and what to do, in one line."""
    said = " ".join(clean(problem.message).split())
    remedies: list[str] = []
    if isinstance(problem, ApiError):
        told = problem.details.get("remedies")
        remedies = [clean(one) for one in told] if isinstance(told, list) else []
        remedies += [REMEDIES[problem.status]] if problem.status in REMEDIES else []
        if "X-Project-ID" in said:
            remedies.append("Here it is --project, or CODESYNC_PROJECT.")
        if "decision" in _gates(problem):
            remedies.append("Run `codesync explain` on it for what can be done.")
        if problem.retry_after:
            remedies.append(f"Try again in {problem.retry_after:.0f} s.")
    more = [one for one in remedies if one not in said]
    return Text.assemble(("Error: ", "bold red"), " ".join([said, *more]).replace("\n", " "))


def _gates(problem: ApiError) -> set[str]:
    """The gates that were asked."""
    told = problem.details.get("verdicts")
    return {str(one.get("gate")) for one in told if isinstance(one, dict)} if isinstance(told, list) else set()


def status(word: str) -> Text:
    """A status as sign, word and colour."""
    sign, style = MARKS.get(word, ("·", ""))
    return Text(f"{sign} {clean(word)}", style=style)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], right: Iterable[str] = ()) -> Table:
    """Rows under headings; folded, never cut off."""
    made = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        made.add_column(column, overflow="fold", justify="right" if column in set(right) else "left")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(clean("" if cell is None else cell)) for cell in row))
    return made


def facts(console: Console, about: Mapping[str, object]) -> None:
    """Name and value, one a line; what is empty is left out."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in about.items():
        if value not in (None, "", [], {}):
            grid.add_row(name, value if isinstance(value, Text) else Text(clean(value)))
    put(console, grid)


def put(console: Console, what: Any) -> None:
    """Print it, without the blanks at the ends of lines where nobody watches."""
    if console.is_terminal:
        console.print(what)
        return
    with console.capture() as caught:
        console.print(what)
    for line in caught.get().splitlines():
        console.file.write(line.rstrip() + "\n")


def line(console: Console, *parts: object) -> None:
    """One line of plain and marked parts."""
    pieces = [part if isinstance(part, Text) else Text(clean(part)) for part in parts]
    console.print(Text(" ").join(pieces))


def place(path: Path) -> str:
    """The path as people write it."""
    return f"~/{path.relative_to(Path.home())}" if path.is_relative_to(Path.home()) else str(path)


def size(count: int | None) -> str:
    """Bytes as people say them."""
    if count is None:
        return ""
    if count < 1000:
        return f"{count} B"
    power = 1 if count < 999_950 else 2 if count < 999_950_000 else 3
    return f"{count / 1000**power:.1f} {('kB', 'MB', 'GB')[power - 1]}"
