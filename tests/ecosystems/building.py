"""Archives built byte by byte, so that a test can put any lie into any field."""

import base64
import gzip
import hashlib
import json
import struct
import zlib
from dataclasses import dataclass, field

BLOCK = 512


def tar_header(
    name: str | bytes,
    size: int | bytes = 0,
    kind: bytes = b"0",
    *,
    mode: int = 0o644,
    link: bytes = b"",
    magic: bytes = b"ustar\x0000",
    prefix: bytes = b"",
    checksum: int | None = None,
) -> bytes:
    """One header block; `size` may be raw bytes, `checksum` a wrong one."""
    raw = name.encode() if isinstance(name, str) else name
    size_field = size if isinstance(size, bytes) else b"%011o\0" % size
    block = bytearray(BLOCK)
    block[0 : len(raw[:100])] = raw[:100]
    block[100:108] = b"%07o\0" % mode
    block[108:116] = block[116:124] = b"0000000\0"
    block[124:136] = size_field.ljust(12, b"\0")
    block[136:148] = b"00000000000\0"
    block[156:157] = kind
    block[157 : 157 + len(link)] = link
    block[257 : 257 + len(magic)] = magic
    block[345 : 345 + len(prefix)] = prefix
    block[148:156] = b" " * 8
    total = sum(block) if checksum is None else checksum
    block[148:156] = b"%06o\0 " % total
    return bytes(block)


def tar_file(name: str | bytes, data: bytes = b"", **header: object) -> bytes:
    """A header with its data and padding."""
    return tar_header(name, header.pop("size", len(data)), **header) + padded(data)


def padded(data: bytes) -> bytes:
    """Filled up with zeros to whole blocks."""
    return data + bytes(-len(data) % BLOCK)


def pax_record(key: str, value: str | bytes) -> bytes:
    """`length key=value`, where the length counts itself."""
    body = b" " + key.encode() + b"=" + (value.encode() if isinstance(value, str) else value) + b"\n"
    length = len(body)
    while length != len(body) + len(str(length)):
        length = len(body) + len(str(length))
    return str(length).encode() + body


def pax(records: dict[str, str | bytes], kind: bytes = b"x") -> bytes:
    """An extended header for the next entry (or, with `g`, for all that follow)."""
    return tar_file("PaxHeader", b"".join(pax_record(*record) for record in records.items()), kind=kind)


def gnu_long_name(name: str | bytes) -> bytes:
    """A GNU long name for the next entry."""
    raw = name.encode() if isinstance(name, str) else name
    return tar_file("././@LongLink", raw + b"\0", kind=b"L", magic=b"ustar  \0")


END = bytes(2 * BLOCK)


def tgz(*parts: bytes, end: bytes = END) -> bytes:
    """The parts and an end mark, compressed."""
    return gzip.compress(b"".join(parts) + end, 6, mtime=0)


def package_json(name: str = "@acme-utils/core", version: str = "1.2.0", **more: object) -> bytes:
    """A manifest as npm writes it."""
    return json.dumps({"name": name, "version": version, **more}).encode()


def npm(*extra: bytes, manifest: bytes | None = None, root: str = "package") -> bytes:
    """An npm tarball with package.json, index.js and whatever else."""
    manifest = package_json() if manifest is None else manifest
    files = [tar_file(f"{root}/package.json", manifest), tar_file(f"{root}/index.js", b"module.exports = 1\n")]
    return tgz(*files, *extra)


def pkg_info(name: str = "acme-utils", version: str = "1.2.0", *lines: str, body: str = "") -> bytes:
    """Core metadata."""
    head = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines]
    return ("\n".join(head) + "\n\n" + body).encode()


def sdist(*extra: bytes, info: bytes | None = None, root: str = "acme_utils-1.2.0") -> bytes:
    """A source distribution."""
    return tgz(tar_file(f"{root}/PKG-INFO", pkg_info() if info is None else info), *extra)


@dataclass
class ZipEntry:
    """An entry whose local header, data and directory record can each say something else."""

    name: str | bytes
    data: bytes = b""
    method: int = 8
    flags: int = 0
    local: dict[str, object] = field(default_factory=dict)
    central: dict[str, object] = field(default_factory=dict)
    extra: bytes = b""
    central_extra: bytes = b""
    comment: bytes = b""
    attributes: int = 0o100644 << 16
    descriptor: bytes = b""
    packed: bytes | None = None

    def raw_name(self) -> bytes:
        """The name as bytes, flagged as UTF-8 where it has to be."""
        if isinstance(self.name, bytes):
            return self.name
        if not self.name.isascii():
            self.flags |= 0x0800
        return self.name.encode()

    def body(self) -> bytes:
        """The compressed data."""
        if self.packed is not None:
            return self.packed
        if self.method != 8:
            return self.data
        compress = zlib.compressobj(6, zlib.DEFLATED, -15)
        return compress.compress(self.data) + compress.flush()

    def numbers(self, overrides: dict[str, object]) -> dict[str, object]:
        """The fields of a header, with the lies put in."""
        told: dict[str, object] = {
            "name": self.raw_name(),
            "flags": self.flags,
            "method": self.method,
            "crc": zlib.crc32(self.data),
            "packed": len(self.body()),
            "size": len(self.data),
        }
        return told | overrides


def zip_local(entry: ZipEntry) -> bytes:
    """Local header and data."""
    told = entry.numbers(entry.local)
    name = told["name"]
    head = struct.pack(
        "<4s5H3L2H",
        told.get("magic", b"PK\x03\x04"),
        20,
        told["flags"],
        told["method"],
        0,
        0x21,
        told["crc"],
        told["packed"],
        told["size"],
        len(name),
        len(entry.extra),
    )
    return head + name + entry.extra + entry.body() + entry.descriptor


def zip_central(entry: ZipEntry, offset: int) -> bytes:
    """The record of the central directory."""
    told = entry.numbers(entry.central)
    name = told["name"]
    head = struct.pack(
        "<4s4B4HL2L5H2L",
        b"PK\x01\x02",
        20,
        3,
        20,
        0,
        told["flags"],
        told["method"],
        0,
        0x21,
        told["crc"],
        told["packed"],
        told["size"],
        len(name),
        len(entry.central_extra),
        len(entry.comment),
        0,
        0,
        entry.attributes,
        told.get("offset", offset),
    )
    return head + name + entry.central_extra + entry.comment


def zip_end(count: int, size: int, offset: int, comment: bytes = b"") -> bytes:
    """The end record."""
    return struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, size, offset, len(comment)) + comment


def zip_end64(count: int, size: int, offset: int, at: int) -> bytes:
    """The ZIP64 end record, which stands at `at`, and its locator."""
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, offset)
    return record + struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)


def zipped(*entries: ZipEntry | tuple[str, bytes], comment: bytes = b"") -> bytes:
    """A whole zip."""
    body, records = b"", b""
    listed = [entry if isinstance(entry, ZipEntry) else ZipEntry(*entry) for entry in entries]
    for entry in listed:
        records += zip_central(entry, len(body))
        body += zip_local(entry)
    return body + records + zip_end(len(listed), len(records), len(body), comment)


def record_line(path: str, data: bytes) -> str:
    """A row of RECORD."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(data)}"


WHEEL = b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def wheel(
    *extra: tuple[str, bytes],
    info: bytes | None = None,
    folder: str = "acme_utils-1.2.0.dist-info",
    tags: bytes = WHEEL,
    record: bytes | None = None,
    leave_out: tuple[str, ...] = (),
) -> bytes:
    """A wheel whose RECORD is right unless it is given."""
    files = {
        "acme_utils/__init__.py": b"",
        f"{folder}/METADATA": pkg_info() if info is None else info,
        f"{folder}/WHEEL": tags,
        **dict(extra),
    }
    lines = [record_line(path, data) for path, data in files.items()] + [f"{folder}/RECORD,,"]
    files[f"{folder}/RECORD"] = "\n".join(lines).encode() if record is None else record
    return zipped(*(item for item in files.items() if item[0].rpartition("/")[2] not in leave_out))
