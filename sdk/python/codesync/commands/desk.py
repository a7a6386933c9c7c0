"""What every command stands on: the options that all of them take, the portal, two outputs, and how errors end."""

import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any

import typer
from rich.console import Console

from codesync import configuration, rotation
from codesync.answers import IssuedToken
from codesync.client import Client
from codesync.commands import showing
from codesync.configuration import Settings
from codesync.errors import ApiError, CodeSyncError, Exit, Mistake, Unreachable
from codesync.rotation import Held, Life, Rotating

SHARED = "Everywhere"
Show = Callable[[Console], None]


@dataclass(frozen=True)
class Choices:
    """The options that every command takes."""

    as_json: Annotated[
        bool, typer.Option("--json", help="Print the API's own JSON, and nothing else.", rich_help_panel=SHARED)
    ] = False
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print errors only; the exit code tells.", rich_help_panel=SHARED)
    ] = False
    url: Annotated[
        str, typer.Option(help="The portal; else CODESYNC_URL, else as `login` says.", rich_help_panel=SHARED)
    ] = ""
    token: Annotated[
        str, typer.Option(help="Else CODESYNC_TOKEN, which does not show in `ps`.", rich_help_panel=SHARED)
    ] = ""
    project: Annotated[
        str, typer.Option(help="Act for this project; else CODESYNC_PROJECT.", rich_help_panel=SHARED)
    ] = ""
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for an answer.", rich_help_panel=SHARED)] = (
        60.0
    )


class Desk:
    """One run of one command."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        watched = sys.stdout.isatty()  # what a program reads is as wide as it is
        self.out = Console(highlight=False, soft_wrap=not watched, markup=False, width=None if watched else 10_000)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)

    @cached_property
    def settings(self) -> Settings:
        """Command line over environment over file."""
        given = self.choices
        return configuration.effective({"url": given.url, "token": given.token, "project": given.project})

    @cached_property
    def portal(self) -> Client:
        """The portal. A token that `login` stored replaces itself in the file before it ends."""
        settings = self.settings
        keeper: Held | Rotating = Held(settings.token)
        if settings.token_id:
            keeper = Rotating(settings.token, self._keep_successor, life=_life_of(settings))
        return self.client(settings.url, keeper, settings.project)

    def client(self, url: str, keeper: Held | Rotating, project: str = "") -> Client:
        """A portal with the timeout that was asked for."""
        return Client(url, project=project, timeout=self.choices.timeout, keeper=keeper)

    @property
    def is_talkative(self) -> bool:
        """Whether people read along, and want to."""
        return not (self.choices.quiet or self.choices.as_json)

    def answer(self, document: Any, show: Show) -> None:
        """The result: as JSON where that was asked for, else shown to people, or not at all."""
        if self.choices.as_json:
            sys.stdout.write(showing.as_json(document, sys.stdout.isatty()) + "\n")
        elif not self.choices.quiet:
            show(self.out)

    def say(self, text: str) -> None:
        """A remark on the way, which is no result."""
        if self.is_talkative:
            self.err.print(showing.clean(text))

    def fail(self, problem: CodeSyncError) -> Exit:
        """The problem in one line, and as JSON where that was asked for."""
        if self.choices.as_json:
            sys.stdout.write(showing.as_json(problem.as_dict(), sys.stdout.isatty()) + "\n")
        self.err.print(showing.error_line(problem))
        return problem.exit

    def close(self) -> None:
        """Give the connections back, if there were any."""
        if "portal" in self.__dict__:
            self.portal.close()

    def _keep_successor(self, successor: IssuedToken) -> None:
        keep_token(successor)
        self.say(f"The token was replaced; the new one works until {successor['expiresAt'][:10]}.")


def _life_of(settings: Settings) -> Life | None:
    """The life of the stored token; None, so that the portal is asked, where the file does not tell."""
    try:
        begins, ends = (rotation.moment(one) for one in (settings.token_created_at, settings.token_expires_at))
        return Life(settings.token_id, begins, ends) if begins.tzinfo and ends.tzinfo else None
    except ValueError:
        return None


def keep_token(token: IssuedToken) -> None:
    """Put the token in the place of the one that `login` stored."""
    life = {"token_id": token["id"], "token_created_at": token["createdAt"], "token_expires_at": token["expiresAt"]}
    configuration.keep(replace(configuration.stored(), token=token["token"], **life))


def command(app: typer.Typer, name: str) -> Callable[[Callable[..., Exit | None]], Callable[..., Exit | None]]:
    """Make a function a command: its first argument is the desk, its result the exit code (None: done)."""

    def register(function: Callable[..., Exit | None]) -> Callable[..., Exit | None]:
        def run(**given: Any) -> None:
            choices = Choices(**{one: given.pop(one) for one in SHARED_OPTIONS})
            raise typer.Exit(_finish(Desk(choices), function, given))

        own = list(inspect.signature(function).parameters.values())[1:]
        both = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (*own, *SHARED_OPTIONS.values())]
        run.__signature__ = inspect.Signature(both)  # type: ignore[attr-defined]  # Typer reads the options from it
        run.__annotations__ = {one.name: one.annotation for one in both}
        run.__doc__ = function.__doc__
        app.command(name)(run)
        return function

    return register


SHARED_OPTIONS = dict(inspect.signature(Choices).parameters)


def _finish(desk: Desk, function: Callable[..., Exit | None], given: dict[str, Any]) -> int:
    try:
        return int(function(desk, **given) or Exit.DONE)
    except CodeSyncError as problem:
        return int(desk.fail(problem))
    except KeyError as problem:  # JSON of somebody else's, or of a portal that is older or newer than this
        said = f"The answer of {desk.settings.url} has no {problem}: it is no portal, or one of another age."
        return int(desk.fail(Unreachable(f"{said} Check the address, or install the `codesync` that it holds.")))
    except KeyboardInterrupt:
        desk.err.print("Interrupted.")
        return int(Exit.INTERRUPTED)
    except BrokenPipeError:  # `codesync search | head`: nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.DONE)
    except OSError as problem:
        return int(desk.fail(Mistake(f"{problem.filename or 'A file'}: {problem.strerror or problem}.")))
    finally:
        desk.close()


__all__ = ["ApiError", "Choices", "Desk", "command", "keep_token"]
