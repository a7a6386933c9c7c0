"""Reads a zip record by record in the order of its bytes, then asks the standard library whether it agrees."""

import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from registry.ecosystems import zip_records
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
from registry.ecosystems.cross_checking import compare_zip
from registry.ecosystems.zip_records import Record, fault
from registry.errors import Refused

_STEP = 128 * 1024


def read_zip(path: Path, wanted: Wanted, limits: Limits = LIMITS) -> Opened:
    """Read the whole archive; raises Refused naming the entry and the rule it breaks."""
    entries: list[Entry] = []
    folders: list[str] = []
    shelf = Shelf(wanted, limits)
    with path.open("rb") as file:
        records, end = _directory(file, path, limits)
        position = 0
        for record in records:
            if record.offset != position:
                raise fault("overlaps another entry, or leaves a gap before it.", record.name)
            start = zip_records.check_local(file, record)
            keeper = Keeper(record.name, shelf)
            for chunk in _inflated(file, record, start):
                keeper.feed(chunk)
            position = zip_records.skip_descriptor(file, record, start + record.packed)
            if record.is_folder:
                folders.append(record.name.removesuffix("/"))
            else:
                entries.append(keeper.close(record.size, _is_executable(record)))
        if position != end:
            raise _stray_bytes(records)
    compare_zip(path, entries, folders)
    return Opened("zip", tuple(entries), tuple(folders), sum(entry.size for entry in entries), shelf.kept)


def peek_zip(path: Path, limits: Limits = LIMITS) -> list[str]:
    """The names in the directory, after the checks that need no data; raises Refused like the reader."""
    with path.open("rb") as file:
        return [record.name for record in _directory(file, path, limits)[0]]


def _directory(file: BinaryIO, path: Path, limits: Limits) -> tuple[list[Record], int]:
    """The admitted records in the order of their bytes, and the offset where the directory begins."""
    length = path.stat().st_size
    directory = zip_records.find_directory(file, length, limits)
    records = zip_records.read_directory(file, directory)
    total = sum(record.size for record in records)
    with locating(_largest(records)):
        limits.check_ratio(total, length)
    ledger = Ledger(limits)
    for record in records:
        _check_kind(record)
        ledger.admit(record.name.removesuffix("/"), is_folder=record.is_folder, size=record.size)
    return sorted(records, key=lambda record: record.offset), directory.offset


def _largest(records: list[Record]) -> Place:
    """The entry that says it unpacks to the most: where a bomb is."""
    return Place(max(records, key=lambda record: record.size).name if records else "")


def _stray_bytes(records: list[Record]) -> Refused:
    sentence = "there are bytes before its directory that belong to no entry."
    return refuse_whole("archive_zip", sentence, Place(records[-1].name if records else "", is_after=True))


def _check_kind(record: Record) -> None:
    mode = stat.S_IFMT(record.attributes >> 16)
    expected = stat.S_IFDIR if record.is_folder else stat.S_IFREG
    if mode not in (0, expected):
        raise refuse(
            "archive_entry_type",
            record.name,
            "is a link or a device, or is labelled as one; only files and folders are accepted.",
        )
    if bool(record.attributes & 0x10) and not record.is_folder:
        raise refuse("archive_entry_type", record.name, "is marked as a folder without being named as one.")
    if record.is_folder and record.size:
        raise refuse("archive_entry_type", record.name, "is a folder with data.")


def _is_executable(record: Record) -> bool:
    return record.made_on_unix and bool(record.attributes >> 16 & 0o111)


def _inflated(file: BinaryIO, record: Record, start: int) -> Iterator[bytes]:
    """The data of an entry, with its size and checksum verified at the end."""
    file.seek(start)
    chunks = _stored(file, record) if record.method == zip_records.STORED else _deflated(file, record)
    crc, size = 0, 0
    for chunk in chunks:
        crc, size = zlib.crc32(chunk, crc), size + len(chunk)
        if size > record.size:
            raise fault("holds more data than it declares.", record.name)
        yield chunk
    if (crc, size) != (record.crc, record.size):
        raise fault("has another size or checksum than it declares.", record.name)


def _stored(file: BinaryIO, record: Record) -> Iterator[bytes]:
    if record.packed != record.size:
        raise fault("is stored, but its two sizes differ.", record.name)
    left = record.packed
    while left and (chunk := file.read(min(left, _STEP))):
        left -= len(chunk)
        yield chunk


def _deflated(file: BinaryIO, record: Record) -> Iterator[bytes]:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    left, data = record.packed, b""
    try:
        while not inflate.eof:
            if not data:
                data = file.read(min(left, _STEP))
                left -= len(data)
            if not data:
                raise fault("has compressed data that is cut off.", record.name)
            yield inflate.decompress(data, _STEP)
            data = inflate.unconsumed_tail
    except zlib.error as error:
        raise fault("has compressed data that is corrupt.", record.name) from error
    if left or inflate.unused_data:
        raise fault("has bytes after the end of its compressed data.", record.name)
