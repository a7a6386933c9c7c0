"""The text of one file, before and after: read from both archives for a reviewer's eyes, bounded, never executed."""

import difflib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from accounts.actors import Actor
from registry import diffing, downloading
from registry.ecosystems.archives import Opened, Want, Wanted, text_of
from registry.ecosystems.tar_reading import read_tar_gz
from registry.ecosystems.zip_reading import read_zip
from registry.errors import NotFound, TooLarge
from registry.models import Release

LARGEST_ARCHIVE = 64 * 1024 * 1024
LARGEST_TEXT = 256 * 1024
MOST_LINES = 4000
LONGEST_LINE = 400
CONTEXT = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a unified difference: added, removed, same, or the head of a hunk."""

    kind: str
    text: str
    before: int | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True)
class TextDiff:
    """What differs in one file, or in `note` why that cannot be shown."""

    path: str
    lines: tuple[Line, ...] = ()
    note: str = ""


def compare(release: Release, path: str, actor: Actor) -> TextDiff:
    """The difference of one file to the approved version before; needs the scope review.

    Raises NotFound where neither side holds the file, TooLarge for archives over 64 MiB.
    """
    previous = diffing.previous_approved(release)
    after = _text(release, path, actor)
    before = _text(previous, path, actor) if previous else None
    if before is None and after is None:
        raise NotFound("Neither version holds a file of that name.")
    if any(side is not None and b"\x00" in side for side in (before, after)):
        return TextDiff(path, note="This file is not text. Its size and digest are compared, not its content.")
    old, new = _lines(before), _lines(after)
    if len(old) > MOST_LINES or len(new) > MOST_LINES:
        return TextDiff(
            path, note=f"This file has more than {MOST_LINES:,} lines. Download the archive to look at it."
        )
    cut = any(side is not None and len(side) >= LARGEST_TEXT for side in (before, after))
    return TextDiff(path, tuple(_hunks(old, new)), "Only the beginning is compared: the file is large." if cut else "")


def _text(release: Release, path: str, actor: Actor) -> bytes | None:
    """The beginning of the file in the release's primary archive, or None where it holds no such file."""
    download = downloading.reviewable(release, actor)
    if download.artifact.size > LARGEST_ARCHIVE:
        raise TooLarge("This archive is too large to be compared here. Download it to look at it.")
    kind, colon, name = path.partition(": ")
    name = name if colon and kind == download.artifact.kind else path
    with tempfile.NamedTemporaryFile(prefix="review-") as copy:
        with download.open() as source:
            shutil.copyfileobj(source, copy)
        copy.flush()
        opened = _read(Path(copy.name), lambda entry: _want(diffing.versionless(entry, release.version) == name))
    return next(iter(opened.kept.values()), None)


def _want(is_it: bool) -> Want | None:
    return Want(LARGEST_TEXT) if is_it else None


def _read(path: Path, wanted: Wanted) -> Opened:
    with path.open("rb") as file:
        is_zip = file.read(2) == b"PK"
    return read_zip(path, wanted) if is_zip else read_tar_gz(path, wanted)


def _lines(raw: bytes | None) -> list[str]:
    lines = text_of(raw or b"").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _hunks(old: list[str], new: list[str]) -> Iterator[Line]:
    for group in difflib.SequenceMatcher(None, old, new).get_grouped_opcodes(CONTEXT):
        first, last = group[0], group[-1]
        yield Line("hunk", f"@@ −{first[1] + 1},{last[2] - first[1]} +{first[3] + 1},{last[4] - first[3]} @@")
        for tag, start, end, new_start, new_end in group:
            yield from _part(tag, old, new, (start, end, new_start, new_end))


def _part(tag: str, old: list[str], new: list[str], span: tuple[int, int, int, int]) -> Iterator[Line]:
    start, end, new_start, new_end = span
    if tag == "equal":
        for offset in range(end - start):
            yield Line("same", _short(old[start + offset]), start + offset + 1, new_start + offset + 1)
        return
    for number in range(start, end):
        yield Line("removed", _short(old[number]), before=number + 1)
    for number in range(new_start, new_end):
        yield Line("added", _short(new[number]), after=number + 1)


def _short(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}… ({len(line):,} characters)"
