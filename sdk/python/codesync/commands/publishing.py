"""Publishing: pack, sign, upload, and follow the checks until something is decided."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from codesync import packing, signing
from codesync.commands import progress, sending, showing, verdicts
from codesync.commands.desk import Desk, command
from codesync.errors import Exit, Mistake, NotSignedIn


def add_to(app: typer.Typer) -> None:
    """Hang the command in."""
    command(app, "publish")(publish)


def publish(
    desk: Desk,
    what: Annotated[
        list[Path] | None,
        typer.Argument(
            help="A folder (npm, Python), an archive, or the Python files of one version; else this folder."
        ),
    ] = None,
    key: Annotated[str, typer.Option(help="Sign with this SSH key; else CODESYNC_SIGNING_KEY, else ~/.ssh.")] = "",
    signature: Annotated[Path | None, typer.Option(help="A signature made before, instead of signing now.")] = None,
    sign: Annotated[bool, typer.Option(help="Sign; some projects take unsigned archives.")] = True,
    tag: Annotated[str, typer.Option(help="The dist-tag that will point at it.")] = "",
    access: Annotated[str, typer.Option(help="public or private, for a new name.")] = "",
    category: Annotated[str, typer.Option(help="The category of the package.")] = "",
    wait: Annotated[bool, typer.Option(help="Follow the checks until it is decided or held.")] = True,
    patience: Annotated[float, typer.Option(min=0, help="Seconds to follow the checks at most.")] = 300.0,
) -> Exit:
    """Pack, sign, upload, and follow the checks. Ends with 0 approved, 3 held, 4 rejected or refused."""
    if "Authorization" not in desk.portal.transport.credentials():  # said before anything is built
        raise NotSignedIn("No token is set. Run `codesync login`, or set CODESYNC_TOKEN.")
    named = what or [Path()]
    with tempfile.TemporaryDirectory(prefix="codesync-") as name:
        archives = _archives(desk, named, Path(name))
        armored = _signature(desk, archives[0], key, signature, sign)
        wishes = {"tag": tag, "access": access, "category": category}
        taken = sending.send(desk, archives, armored, wishes, are_chosen=archives == named)
    if not wait:
        desk.answer(taken, lambda out: verdicts.show_taken(out, taken, desk.settings.url))
        return Exit.DONE
    return progress.await_decision(desk, taken["name"], taken["version"], taken["ecosystem"], patience)


def _archives(desk: Desk, named: list[Path], target: Path) -> list[Path]:
    """What is to be sent, the file that stands for the version first: of Python's the wheel."""
    if len(named) > 1:
        if strangers := [one for one in named if not (one.is_file() and sending.is_python_file(one))]:
            raise Mistake(f"{strangers[0]} is no Python file. Of Python's alone several go at once.")
        if len({sending.version_of(one) for one in named}) > 1:
            raise Mistake("These files are of several versions. Publish one version at a time.")
        return sorted(named, key=lambda one: one.suffix != ".whl")
    archives = packing.pack(named[0], target)
    if named[0].is_dir() and archives[0].suffix == ".whl" and len(archives) == 1:
        desk.say("Only the wheel was built. For the sdist, too: `pip install build`.")
    return archives


def _signature(desk: Desk, archive: Path, key: str, given: Path | None, wanted: bool) -> str:
    if given:
        if not given.is_file():
            raise Mistake(f"There is no signature {given}.")
        return given.read_text(errors="replace")
    if not wanted:
        return ""
    chosen = signing.choose_key(key or desk.settings.signing_key)
    made = signing.sign(archive, chosen)
    desk.say(f"Signed {archive.name} with {showing.place(chosen)}")
    return made
