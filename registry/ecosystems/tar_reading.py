"""Reads a tar.gz in one pass over its headers and data, then asks the standard library whether it agrees."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from registry.ecosystems import tar_headers
from registry.ecosystems.archives import (
    LIMITS,
    Keeper,
    Ledger,
    Limits,
    Opened,
    Place,
    Shelf,
    Wanted,
    locating,
    refuse,
    refuse_whole,
)
from registry.ecosystems.base import Entry
from registry.ecosystems.cross_checking import HeaderTape, compare_tar
from registry.ecosystems.gzip_reading import GzipStream
from registry.ecosystems.tar_headers import BLOCK, Header

_TAIL_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Member:
    """A file or folder whose data is next in the stream."""

    path: str
    size: int
    is_folder: bool
    executable: bool


class TarWalk:
    """The members of a tar, one after the other; the data of each must be taken before the next is asked for."""

    def __init__(self, stream: GzipStream, tape: HeaderTape | None = None, limits: Limits = LIMITS) -> None:
        self._stream = stream
        self._limits = limits
        self._tape = tape or HeaderTape()
        self._position = 0
        self._globals = 0
        self._extended = 0
        self._first = True
        self.place = Place()

    def members(self) -> Iterator[Member]:
        """Yield until the end mark; raises Refused at the first entry that breaks a rule."""
        while (header := self._entry()) is not None:
            member = _member(header)
            self.place.reach(member.path)
            yield member
            self.place.is_after = True
        self._check_tail()

    def _block(self) -> bytes:
        block = self._stream.read(BLOCK)
        if len(block) != BLOCK:
            raise refuse_whole("archive_tar", "it ends without an end mark.")
        self._tape.record(self._position, block)
        self._position += BLOCK
        return block

    def _entry(self) -> Header | None:
        """The next file or folder with its extended headers applied; None at the end mark."""
        records: dict[str, bytes] | None = None
        long_name: str | None = None
        while True:
            block = self._block()
            if not any(block):
                if records is not None or long_name is not None:
                    raise refuse_whole("archive_tar", "it ends with an extended header that belongs to no entry.")
                return None
            header = tar_headers.parse(block)
            self.place.reach(header.name)
            if header.kind == tar_headers.GLOBAL_PAX and records is None and long_name is None:
                self._global_comment(header)
            elif header.kind == tar_headers.PAX and records is None and long_name is None:
                records = tar_headers.pax_records(self._payload(header), header.name)
            elif header.kind == tar_headers.LONG_NAME and records is None and long_name is None:
                long_name = tar_headers.text(self._payload(header))
            elif header.kind in (tar_headers.PAX, tar_headers.GLOBAL_PAX, tar_headers.LONG_NAME):
                raise refuse("archive_tar", header.name, "follows another extended header: two for one entry.")
            else:
                self._first = False
                return _named(header, records, long_name)

    def _global_comment(self, header: Header) -> None:
        self._globals += 1
        records = tar_headers.pax_records(self._payload(header), header.name)
        if set(records) != {"comment"} or self._globals > 1 or not self._first:
            raise refuse("archive_pax", header.name, "is a global PAX header other than one comment at the beginning.")

    def _payload(self, header: Header) -> bytes:
        if header.size > self._limits.pax_bytes:
            raise refuse("archive_limit", header.name, f"is an extended header over {self._limits.pax_bytes:,} bytes.")
        self._extended += header.size
        if self._extended > self._limits.all_pax_bytes:
            raise refuse_whole(
                "archive_limit", "its extended headers are too large taken together.", Place(header.name)
            )
        payload = b"".join(self._stream.chunks(header.size))
        self._tape.record(self._position, payload)
        self._position += header.size
        self._skip_padding(header.size)
        return payload

    def data(self, member: Member) -> Iterator[bytes]:
        """The bytes of the member just yielded."""
        yield from self._stream.chunks(member.size)
        self._position += member.size
        self._skip_padding(member.size)

    def _skip_padding(self, size: int) -> None:
        padding = -size % BLOCK
        if self._stream.read(padding).strip(b"\0"):
            raise refuse_whole("archive_tar", "bytes hide in the padding between two entries.")
        self._position += padding

    def _check_tail(self) -> None:
        if any(self._block()):
            raise refuse_whole("archive_tar", "a header of zeros stands between its entries.")
        tail = 0
        while chunk := self._stream.read(64 * 1024):
            tail += len(chunk)
            if any(chunk) or tail > _TAIL_LIMIT:
                raise refuse_whole("archive_tar", "there is data after the end mark.")
        self._stream.finish()


def _named(header: Header, records: dict[str, bytes] | None, long_name: str | None) -> Header:
    if records is not None:
        return tar_headers.apply_pax(header, records)
    if long_name is not None:
        return Header(long_name, header.kind, header.size, header.executable)
    return header


def _member(header: Header) -> Member:
    is_folder = header.kind == tar_headers.FOLDER
    path = header.name.removesuffix("/") if is_folder else header.name
    return Member(path, header.size, is_folder, header.executable)


def read_tar_gz(path: Path, wanted: Wanted, limits: Limits = LIMITS) -> Opened:
    """Read the whole archive; raises Refused naming the entry and the rule it breaks."""
    ledger, tape = Ledger(limits), HeaderTape()
    entries: list[Entry] = []
    folders: list[str] = []
    shelf = Shelf(wanted, limits)
    with path.open("rb") as file:
        walk = TarWalk(GzipStream(file, limits), tape, limits)
        with locating(walk.place):
            for member in walk.members():
                ledger.admit(member.path, is_folder=member.is_folder, size=member.size)
                if member.is_folder:
                    folders.append(member.path)
                    continue
                keeper = Keeper(member.path, shelf)
                for chunk in walk.data(member):
                    keeper.feed(chunk)
                entries.append(keeper.close(member.size, member.executable))
    compare_tar(tape, entries, folders)
    return Opened("tar.gz", tuple(entries), tuple(folders), sum(entry.size for entry in entries), shelf.kept)


def peek_tar_gz(path: Path, limits: Limits = LIMITS) -> Iterator[str]:
    """The paths of the files, read only as far as the caller asks; raises Refused like the reader."""
    ledger = Ledger(limits)
    with path.open("rb") as file:
        walk = TarWalk(GzipStream(file, limits), limits=limits)
        with locating(walk.place):
            for member in walk.members():
                ledger.admit(member.path, is_folder=member.is_folder, size=member.size)
                if not member.is_folder:
                    yield member.path
                    for _chunk in walk.data(member):
                        pass
