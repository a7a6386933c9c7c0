"""A second opinion: the standard library must list exactly what the strict readers listed.

Installers use these parsers; an archive that they read otherwise is refused, whoever of the two is right.
"""

import io
import tarfile
import zipfile
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from registry.ecosystems.archives import Place, refuse_whole
from registry.ecosystems.base import Entry
from registry.errors import Refused

_Listing = set[tuple[str, bool, int]]


class HeaderTape(io.RawIOBase):
    """The headers of a tar at their offsets, with zeros where the data was, so that a parser can seek through them."""

    def __init__(self) -> None:
        self._offsets: list[int] = []
        self._blocks: list[bytes] = []
        self._position = 0
        self._end = 0

    def record(self, offset: int, block: bytes) -> None:
        """Remember bytes of the archive; offsets must ascend."""
        self._offsets.append(offset)
        self._blocks.append(block)
        self._end = offset + len(block)

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The offset of the next byte."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to an offset."""
        self._position = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._end}[whence] + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        """The recorded bytes, with zeros between them."""
        end = self._end if size < 0 else min(self._end, self._position + size)
        parts: list[bytes] = []
        while self._position < end:
            parts.append(self._piece(end))
            self._position += len(parts[-1])
        return b"".join(parts)

    def _piece(self, end: int) -> bytes:
        index = bisect_right(self._offsets, self._position) - 1
        start = self._position - self._offsets[index]
        if index >= 0 and start < len(self._blocks[index]):
            return self._blocks[index][start : start + end - self._position]
        upto = self._offsets[index + 1] if index + 1 < len(self._offsets) else end
        return bytes(min(upto, end) - self._position)


def _ours(entries: Iterable[Entry], folders: Iterable[str]) -> _Listing:
    listing = {(entry.path, False, entry.size) for entry in entries}
    return listing | {(folder, True, 0) for folder in folders}


def _disagree(reader: str, entry: str = "") -> Refused:
    sentence = f"parsers disagree about what is in it ({reader} reads it otherwise)."
    return refuse_whole("archive_parsers_disagree", sentence, Place(entry))


def _compare(reader: str, theirs: list[tuple[str, bool, int]], ours: _Listing) -> None:
    """Raise Refused, naming the first entry that only one of the two lists, or that is listed twice."""
    unlike = sorted(ours.symmetric_difference(theirs)) or sorted(
        one for one, times in Counter(theirs).items() if times > 1
    )
    if unlike:
        raise _disagree(reader, unlike[0][0])


def compare_tar(tape: HeaderTape, entries: Iterable[Entry], folders: Iterable[str]) -> None:
    """Raise Refused unless `tarfile` lists the same names, types and sizes."""
    tape.seek(0)
    try:
        with tarfile.open(fileobj=tape, mode="r:", errorlevel=2) as archive:
            members = archive.getmembers()
    except (tarfile.TarError, ValueError, OverflowError, EOFError) as error:
        raise _disagree("tarfile") from error
    for member in members:
        if not (member.isreg() or member.isdir()):
            raise _disagree("tarfile", member.name)
    theirs = [(member.name, member.isdir(), 0 if member.isdir() else member.size) for member in members]
    _compare("tarfile", theirs, _ours(entries, folders))


def compare_zip(path: Path, entries: Iterable[Entry], folders: Iterable[str]) -> None:
    """Raise Refused unless `zipfile` lists the same names, types and sizes."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, EOFError) as error:
        raise _disagree("zipfile") from error
    theirs = [(info.filename.removesuffix("/"), info.is_dir(), info.file_size) for info in infos]
    _compare("zipfile", theirs, _ours(entries, folders))
