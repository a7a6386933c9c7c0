"""A progress bar where there is a terminal, a line per item where there is none."""

from collections.abc import Callable, Iterator, Sequence
from io import TextIOBase
from typing import IO, TypeVar, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

Item = TypeVar("Item")


def bar(items: Sequence[Item], out: TextIOBase, title: Callable[[Item], str]) -> Iterator[Item]:
    """The items, one by one, telling `out` which one is at hand."""
    if not out.isatty():
        for number, item in enumerate(items, 1):
            out.write(f"  demo     {number}/{len(items)} {title(item)}\n")
            yield item
        return
    columns = (TextColumn("  demo    "), BarColumn(30), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(file=cast(IO[str], out)), transient=True) as progress:
        task = progress.add_task("", total=len(items))
        for item in items:
            progress.update(task, description=title(item))
            yield item
            progress.advance(task)
