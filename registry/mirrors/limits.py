"""Time limits for what may hang, and the end of what was given up: it must not come after what has overtaken it.

A system call on a dead file system cannot be cut short, so it runs in a thread that is given up on. The thread learns
of it before it goes on.
"""

import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

Answer = TypeVar("Answer")
_over: ContextVar[threading.Event | None] = ContextVar("over", default=None)


class GivenUp(TimeoutError):
    """Nobody waits for it any more."""


def within(seconds: float, what: str, ask: Callable[[], Answer]) -> Answer:
    """What `ask` returns or raises; TimeoutError, which is an OSError, when it takes longer."""
    ended: list[Answer] = []
    failed: list[BaseException] = []
    over = threading.Event()

    def run() -> None:
        _over.set(over)
        try:
            ended.append(ask())
        except BaseException as problem:
            failed.append(problem)

    thread = threading.Thread(target=run, name=what, daemon=True)
    thread.start()
    thread.join(seconds)
    over.set()
    if failed:
        raise failed[0]
    if not ended:
        raise TimeoutError(f"The region did not {what} within {seconds:.0f} s")
    return ended[0]


def go_on() -> None:
    """Raise GivenUp in a thread that is not waited for any more; between steps, and before what cannot be undone."""
    over = _over.get()
    if over is not None and over.is_set():
        raise GivenUp("It took too long, and was given up")
