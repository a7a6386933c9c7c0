"""One tar header block and its PAX records (POSIX ustar, pax), read so strictly that all parsers must agree."""

import re
from dataclasses import dataclass

from registry.ecosystems.archives import refuse, refuse_whole
from registry.ecosystems.naming import shorten

BLOCK = 512

FILE, OLD_FILE, FOLDER, PAX, GLOBAL_PAX, LONG_NAME = b"0", b"\0", b"5", b"x", b"g", b"L"

_KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a named pipe",
    b"7": "a contiguous file",
    b"K": "a long link name",
    b"S": "a sparse file",
    b"D": "a folder dump",
    b"M": "a multi-volume part",
    b"V": "a volume label",
}
_OCTAL = re.compile(rb" *([0-7]+)[ \0]*")
_STAR_TIMES = re.compile(rb"\0(?:[0-7]{11}[\0 ]){2}")  # star and old node-tar: times in the last bytes of the prefix
_RECORD = re.compile(rb"([1-9][0-9]{0,6}) ([^=\0]+)=")
_TIME = re.compile(rb"-?[0-9]{1,12}(?:\.[0-9]{1,12})?")
_SIZE = re.compile(rb"\+?([0-9]{1,15})")
_FREE_KEYS = frozenset({"uid", "gid", "uname", "gname", "comment"})
_VENDORS = ("SCHILY.", "LIBARCHIVE.", "NODETAR.")


@dataclass(frozen=True, slots=True)
class Header:
    """What one header block says."""

    name: str
    kind: bytes
    size: int
    executable: bool


def parse(block: bytes) -> Header:
    """Read a block of 512 bytes; raises Refused where a field leaves room for two readings."""
    _verify_checksum(block)
    kind = block[156:157]
    if kind not in (FILE, OLD_FILE, FOLDER, PAX, GLOBAL_PAX, LONG_NAME):
        shown = block[:100].partition(b"\0")[0].decode("utf-8", "replace")
        what = _KINDS.get(kind, "of an unknown type")
        raise refuse("archive_entry_type", shown, f"is {what}; only files and folders are accepted.")
    name = _name(block)
    size = _octal(block[124:136])
    if size is None:
        raise refuse("archive_tar", name, "has a size that is not plain octal.")
    if kind == FOLDER and size:
        raise refuse("archive_tar", name, "is a folder with data.")
    if block[157:257].strip(b"\0 "):
        raise refuse("archive_tar", name, "names a link target without being a link.")
    mode = _octal(block[100:108])
    return Header(name, kind, size, bool(mode and mode & 0o111))


def _verify_checksum(block: bytes) -> None:
    declared = _octal(block[148:156])
    if declared != sum(block[:148]) + sum(block[156:]) + 8 * 32:
        raise refuse_whole("archive_tar", "a tar header has a wrong checksum.")


def _octal(raw: bytes) -> int | None:
    match = _OCTAL.fullmatch(raw)
    return int(match[1], 8) if match else None


def _name(block: bytes) -> str:
    name = text(block[:100])
    magic = block[257:265]
    prefix = text(block[345:476] if _STAR_TIMES.fullmatch(block[475:500]) else block[345:500])
    if prefix and magic != b"ustar\x0000":
        raise refuse("archive_tar", name, "has a name prefix that parsers read in different ways.")
    return f"{prefix}/{name}" if prefix else name


def text(field: bytes) -> str:
    """A NUL-terminated field as UTF-8; raises Refused for bytes after the NUL or another encoding."""
    raw, _, rest = field.partition(b"\0")
    if rest.strip(b"\0"):
        raise refuse("archive_path", raw.decode("utf-8", "replace"), "has a NUL inside its name.")
    return decode(raw)


def decode(raw: bytes) -> str:
    """A name as UTF-8; raises Refused for any other encoding."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise refuse("archive_path", raw.decode("utf-8", "replace"), "has a name that is not UTF-8.") from error


def pax_records(payload: bytes, name: str) -> dict[str, bytes]:
    """The records of the extended header `name`; raises Refused for an unknown or repeated key or a bad length."""
    records: dict[str, bytes] = {}
    position = 0
    while position < len(payload):
        match = _RECORD.match(payload, position)
        end = position + int(match[1]) if match else 0
        if match is None or not match.end() < end <= len(payload) or payload[end - 1 : end] != b"\n":
            raise refuse("archive_pax", name, "holds a malformed PAX record.")
        key = decode(match[2])
        if key in records:
            raise refuse("archive_pax", name, f"gives the PAX key “{shorten(key, 40)}” twice for one entry.")
        records[key] = payload[match.end() : end - 1]
        _check_record(key, records[key], name)
        position = end
    if not records:
        raise refuse("archive_pax", name, "is an empty PAX header.")
    return records


def _check_record(key: str, value: bytes, name: str) -> None:
    if key in ("path", "size") or key in _FREE_KEYS:
        good = b"\0" not in value
    elif key in ("mtime", "atime", "ctime"):
        good = _TIME.fullmatch(value) is not None
    else:
        good = key.startswith(_VENDORS)
    if not good:
        sentence = f"has the PAX record “{shorten(key, 40)}”, which is not allowed, or has a value it cannot have."
        raise refuse("archive_pax", name, sentence)


def apply_pax(header: Header, records: dict[str, bytes]) -> Header:
    """The header with its long name; raises Refused where the records contradict the block."""
    size = records.get("size")
    if size is not None:
        match = _SIZE.fullmatch(size)
        if match is None or int(match[1]) != header.size:
            raise refuse("archive_pax", header.name, "has a PAX size that differs from its header.")
    path = records.get("path")
    return header if path is None else Header(decode(path), header.kind, header.size, header.executable)
