"""The records of a zip, parsed so strictly that a streaming and a seeking parser must agree (APPNOTE 6.3)."""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from registry.ecosystems.archives import MIB, Limits, Place, locating, refuse, refuse_whole
from registry.errors import Refused

STORED, DEFLATED = 0, 8
DESCRIPTOR, UTF8 = 0x0008, 0x0800

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_MAX_DIRECTORY = 16 * MIB
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_FLAGS = 0x0006 | DESCRIPTOR | UTF8
_ZIP64, _SECOND_NAME = 0x0001, 0x7075


def fault(sentence: str, entry: str = "") -> Refused:
    """The refusal of a zip whose records are not in order."""
    return refuse("archive_zip", entry, sentence) if entry else refuse_whole("archive_zip", sentence)


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the central directory lies, and how many entries it has."""

    offset: int
    size: int
    count: int


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of the central directory."""

    raw_name: bytes
    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    attributes: int
    made_on_unix: bool

    @property
    def is_folder(self) -> bool:
        """A name that ends in a slash."""
        return self.name.endswith("/")


def find_directory(file: BinaryIO, length: int, limits: Limits) -> Directory:
    """Locate the one end record (with its ZIP64 companion); it must end the file, and the directory must end at it."""
    tail_start = max(0, length - _END.size - _FULL16)
    file.seek(tail_start)
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06", 0, max(0, len(tail) - _END.size + 4))
    if at < 0:
        raise fault("it has no end record; it is no zip, or is cut off.")
    _, disk, first_disk, here, count, size, offset, comment = _END.unpack_from(tail, at)
    if at + _END.size + comment != len(tail):
        raise fault("there are bytes after its end record.")
    if any(mark in tail[at + 4 :] for mark in (b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07")):
        raise fault("a second end record hides in its comment.")
    end = tail_start + at
    plain = Directory(offset, size, count)
    if disk or first_disk or here != count:
        raise fault("it claims to be one of several disks.")
    directory, end = _with_zip64(file, plain, end)
    if directory.count > limits.entries:
        raise refuse_whole("archive_limit", f"it holds more than {limits.entries:,} entries.")
    if directory.size > _MAX_DIRECTORY:
        raise refuse_whole("archive_limit", "its directory is too large.")
    if directory.offset + directory.size != end:
        raise fault("its directory does not end where its end record begins.")
    return directory


def _with_zip64(file: BinaryIO, plain: Directory, end: int) -> tuple[Directory, int]:
    """The directory by the ZIP64 records, if there are any; they must agree with the plain record and touch it."""
    needs = _FULL32 in (plain.offset, plain.size) or plain.count == _FULL16
    at = end - _LOCATOR.size
    file.seek(max(0, at))
    locator = file.read(_LOCATOR.size) if at >= 0 else b""
    if not locator.startswith(b"PK\x06\x07"):
        if needs:
            raise fault("its ZIP64 end record is missing.")
        return plain, end
    _, disk, start, disks = _LOCATOR.unpack(locator)
    if disk or disks != 1 or start != at - _END64.size:
        raise fault("its ZIP64 locator does not point at the record before it.")
    file.seek(start)
    magic, size, _made, _needed, disk, first, here, count, extent, offset = _END64.unpack(file.read(_END64.size))
    if magic != b"PK\x06\x06" or size != _END64.size - 12 or disk or first or here != count:
        raise fault("its ZIP64 end record is malformed or carries extra data.")
    agrees = plain.count in (count, _FULL16) and plain.size in (extent, _FULL32) and plain.offset in (offset, _FULL32)
    if not agrees:
        raise fault("its two end records contradict each other.")
    return Directory(offset, extent, count), start


def read_directory(file: BinaryIO, directory: Directory) -> list[Record]:
    """Every record of the central directory, which must fill its space exactly."""
    file.seek(directory.offset)
    data = file.read(directory.size)
    records: list[Record] = []
    position = 0
    place = Place(is_after=True)
    with locating(place):
        while position < len(data):
            if len(records) == directory.count or position + _CENTRAL.size > len(data):
                raise fault("its directory holds more than its end record says.")
            record, position = _central(data, position)
            records.append(record)
            place.entry = record.name or place.entry
        if len(records) != directory.count or position != directory.size:
            raise fault("its directory holds less than its end record says.")
    return records


def _central(data: bytes, position: int) -> tuple[Record, int]:
    fields = _CENTRAL.unpack_from(data, position)
    (magic, _, system, needed, _, flags, method, _, _, crc, packed, size) = fields[:12]
    (name_length, extra_length, comment_length, disk, _, attributes, offset) = fields[12:]
    if magic != b"PK\x01\x02":
        raise fault("a record of its directory has a wrong signature.")
    start = position + _CENTRAL.size
    end = start + name_length + extra_length + comment_length
    if end > len(data):
        raise fault("a record of its directory is cut off.")
    raw_name = data[start : start + name_length]
    name = decode_name(raw_name, flags)
    if comment_length or disk not in (0, _FULL16) or needed > 63:
        raise fault("has a comment, a disk number or a version in the directory that no package needs.", name)
    check_method(name, flags, method)
    extra = data[start + name_length : start + name_length + extra_length]
    size, packed, offset = wide_numbers(name, extra, size, packed, offset)
    return Record(raw_name, name, flags, method, crc, packed, size, offset, attributes, system == 3), end


def decode_name(raw: bytes, flags: int) -> str:
    """The name: UTF-8 where flagged so, else ASCII; raises Refused for what readers decode in different ways."""
    try:
        return raw.decode("utf-8" if flags & UTF8 else "ascii")
    except UnicodeDecodeError as error:
        shown = raw.decode("utf-8", "replace")
        raise refuse("archive_path", shown, "has a name that is not UTF-8, or is not flagged as such.") from error


def check_method(name: str, flags: int, method: int) -> None:
    """Raise Refused for encryption, patches, and compression that not every reader knows."""
    if flags & ~_FLAGS:
        raise fault("is encrypted, or has flags that no package needs.", name)
    if method not in (STORED, DEFLATED):
        raise fault("is compressed by a method other than “stored” and “deflate”.", name)
    if method == STORED and flags & DESCRIPTOR:
        raise fault("is stored with a data descriptor, so that its end cannot be known for sure.", name)


def wide_numbers(name: str, extra: bytes, size: int, packed: int, offset: int | None) -> tuple[int, int, int]:
    """Sizes and offset, taken from the ZIP64 field where the plain ones are saturated; the fields must be in order."""
    fields: dict[int, bytes] = {}
    position = 0
    while position < len(extra):
        kind, length = struct.unpack_from("<2H", extra, position) if position + 4 <= len(extra) else (0, _FULL16)
        if position + 4 + length > len(extra) or kind in fields:
            raise fault("has a malformed or repeated extra field.", name)
        fields[kind] = extra[position + 4 : position + 4 + length]
        position += 4 + length
    if _SECOND_NAME in fields:
        raise fault("has a second name in an extra field.", name)
    return _widen(name, fields.get(_ZIP64), [size, packed, offset])


def _widen(name: str, field: bytes | None, numbers: list[int | None]) -> tuple[int, int, int]:
    saturated = [index for index, number in enumerate(numbers) if number == _FULL32]
    if (field is None and saturated) or (field is not None and len(field) != 8 * len(saturated)):
        raise fault("has a ZIP64 field that does not fit its header.", name)
    for index, place in enumerate(saturated):
        numbers[place] = int.from_bytes((field or b"")[8 * index : 8 * index + 8], "little")
    size, packed, offset = numbers
    return size or 0, packed or 0, offset or 0


def check_local(file: BinaryIO, record: Record) -> int:
    """Compare the local header with the directory; the offset where the data begins."""
    file.seek(record.offset)
    block = file.read(_LOCAL.size)
    if len(block) != _LOCAL.size or not block.startswith(b"PK\x03\x04"):
        raise fault("has no local header where the directory points.", record.name)
    _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack(block)
    rest = file.read(name_length + extra_length)
    if len(rest) != name_length + extra_length:
        raise fault("has a local header that is cut off.", record.name)
    if rest[:name_length] != record.raw_name or flags != record.flags or method != record.method:
        raise fault("has another name, flag or method in its local header than in the directory.", record.name)
    size, packed, _ = wide_numbers(record.name, rest[name_length:], size, packed, None)
    later = (0,) if flags & DESCRIPTOR else ()  # told only after the data
    pairs = ((crc, record.crc), (packed, record.packed), (size, record.size))
    if any(told != true and told not in later for told, true in pairs):
        raise fault("has another size or checksum in its local header than in the directory.", record.name)
    return record.offset + _LOCAL.size + name_length + extra_length


def skip_descriptor(file: BinaryIO, record: Record, position: int) -> int:
    """The offset after the data descriptor, if the entry has one; it must repeat the directory's numbers."""
    if not record.flags & DESCRIPTOR:
        return position
    file.seek(position)
    data = file.read(24)
    for layout in ("<4s3L", "<4sL2Q", "<3L", "<L2Q"):
        form = struct.Struct(layout)
        if len(data) < form.size:
            continue
        values = form.unpack_from(data)
        if values[0] == b"PK\x07\x08":
            values = values[1:]
        if values == (record.crc, record.packed, record.size):
            return position + form.size
    raise fault("has a data descriptor that differs from the directory.", record.name)
