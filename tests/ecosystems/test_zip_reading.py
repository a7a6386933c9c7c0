import struct
import zlib

import pytest

from registry.ecosystems.zip_reading import peek_zip, read_zip
from tests.ecosystems.building import (
    ZipEntry,
    zip_central,
    zip_end,
    zip_end64,
    zip_local,
    zipped,
)


def read(path):
    return read_zip(path, lambda name: None)


def extra(kind, data):
    return struct.pack("<2H", kind, len(data)) + data


def descriptor(data, packed, *, signed=True, crc=None, wide=False):
    numbers = struct.pack("<L2Q" if wide else "<3L", zlib.crc32(data) if crc is None else crc, packed, len(data))
    return (b"PK\x07\x08" if signed else b"") + numbers


def streamed(name="a/x", data=b"hello" * 9, *, method=8, **how):
    packed = len(ZipEntry(name, data, method).body())
    late = {"crc": 0, "packed": 0, "size": 0}
    return ZipEntry(name, data, method, flags=8, local=late, descriptor=descriptor(data, packed, **how))


def with_zip64(*entries, count=None, offset=None, keep_plain=True):
    body = b"".join(map(zip_local, entries))
    places = [sum(len(zip_local(one)) for one in entries[:index]) for index in range(len(entries))]
    records = b"".join(zip_central(one, place) for one, place in zip(entries, places, strict=True))
    number = len(entries) if count is None else count
    at = len(body) + len(records)
    end64 = zip_end64(number, len(records), len(body) if offset is None else offset, at)
    plain = zip_end(len(entries), len(records), len(body)) if keep_plain else zip_end(0xFFFF, 2**32 - 1, 2**32 - 1)
    return body + records + end64 + plain


A, B = ZipEntry("a/one", b"1"), ZipEntry("a/two", b"22")
WIDE = {"packed": 2**32 - 1, "size": 2**32 - 1}
SIZES = extra(1, struct.pack("<2Q", 1, len(A.body())))


@pytest.mark.parametrize(
    "content",
    [
        zipped(A, B),
        zipped(ZipEntry("a/one", b"1", method=0)),
        zipped(ZipEntry("a/", method=0, attributes=0o40755 << 16 | 16), A),
        zipped(ZipEntry("a/", method=0, attributes=0), A),
        zipped(A, comment=b"made by a tool"),
        zipped(ZipEntry("a/ü", b"1")),
        zipped(streamed()),
        zipped(streamed(signed=False)),
        zipped(streamed(wide=True)),
        with_zip64(A, B),
        with_zip64(A, keep_plain=False),
        zipped(ZipEntry("a/one", b"1", local=WIDE, extra=SIZES)),
        zipped(ZipEntry("a/one", b"1", extra=extra(0x5455, b"\1" + bytes(4)), central_extra=extra(0xCAFE, b""))),
    ],
    ids=[
        "deflated",
        "stored",
        "folder",
        "plain folder",
        "comment",
        "UTF-8",
        "streamed",
        "unsigned",
        "wide descriptor",
        "zip64",
        "zip64 only",
        "zip64 sizes",
        "extra fields",
    ],
)
def test_what_real_writers_produce_is_accepted(stored, content):
    opened = read(stored(content))
    assert opened.entries
    assert [entry.path for entry in opened.entries] == [name for name in peek_zip(stored(content)) if name[-1] != "/"]


def test_the_executable_bit_is_read(stored):
    opened = read(stored(zipped(ZipEntry("a/run", b"1", attributes=0o100755 << 16), A)))
    assert [entry.executable for entry in opened.entries] == [True, False]


def test_an_empty_zip_has_no_entries(stored):
    assert read(stored(zipped())).entries == ()


GOOD = zipped(A, B)
QUOTED = ZipEntry("a/in", zip_local(ZipEntry("a/in2", b"x" * 50)), method=0)
LYING = zlib.compressobj(6, zlib.DEFLATED, -15)
LYING_BODY = LYING.compress(b"x" * 100_000) + LYING.flush()
HOSTILE = {
    "empty": b"",
    "not a zip": b"hello" * 50,
    "end record only in part": zip_end(0, 0, 0)[:-1],
    "prefix": b"MZ" + GOOD,
    "suffix": GOOD + b"x",
    "second end record": GOOD + zip_end(0, 0, 0),
    "end record in the comment": zipped(A, comment=b"xx" + zip_end(0, 0, 0)),
    "zip64 locator in the comment": zipped(A, comment=b"PK\x06\x07"),
    "several disks": GOOD[:-18] + b"\1" + GOOD[-17:],
    "count too small": GOOD.replace(zip_end(2, 0, 0)[8:12], zip_end(1, 0, 0)[8:12]),
    "count too large": GOOD.replace(zip_end(2, 0, 0)[8:12], zip_end(3, 0, 0)[8:12]),
    "zip64 count differs": with_zip64(A, B, count=1),
    "zip64 offset differs": with_zip64(A, B, offset=0),
    "zip64 missing": zipped(A)[:-14] + b"\xff" * 12 + bytes(2),
    "local name differs": zipped(ZipEntry("a/one", b"1", local={"name": b"a/two"})),
    "local method differs": zipped(ZipEntry("a/one", b"1", local={"method": 0})),
    "local flags differ": zipped(ZipEntry("a/one", b"1", local={"flags": 2})),
    "local size differs": zipped(ZipEntry("a/one", b"1", local={"size": 2})),
    "local checksum differs": zipped(ZipEntry("a/one", b"1", local={"crc": 2})),
    "local signature": zipped(ZipEntry("a/one", b"1", local={"magic": b"PK\x03\x05"})),
    "same data twice": zipped(A, ZipEntry("a/two", b"1", central={"offset": 0})),
    "overlap": zipped(QUOTED, ZipEntry("a/in2", b"x" * 50, central={"offset": 34})),
    "offset beyond": zipped(ZipEntry("a/one", b"1", central={"offset": 10_000})),
    "gap": zipped(ZipEntry("a/one", b"1", descriptor=b"hidden"), B),
    "hidden entry": zip_local(B) + zipped(A),
    "duplicate": zipped(A, A),
    "duplicate in another case": zipped(A, ZipEntry("A/ONE", b"1")),
    "climbing": zipped(ZipEntry("a/../../x", b"1")),
    "absolute": zipped(ZipEntry("/x", b"1")),
    "backslash": zipped(ZipEntry("a\\x", b"1")),
    "NUL in the name": zipped(ZipEntry(b"a/x\0.py", b"1")),
    "no name": zipped(ZipEntry("", b"1")),
    "slash only": zipped(ZipEntry("/", method=0)),
    "not UTF-8": zipped(ZipEntry(b"a/\xff", b"1", flags=0x0800)),
    "not flagged as UTF-8": zipped(ZipEntry("a/ü".encode(), b"1")),
    "link": zipped(ZipEntry("a/l", b"/etc/passwd", attributes=0o120777 << 16)),
    "device": zipped(ZipEntry("a/d", b"", attributes=0o20666 << 16)),
    "folder without a slash": zipped(ZipEntry("a/d", b"", attributes=16)),
    "folder with data": zipped(ZipEntry("a/d/", b"1", attributes=16)),
    "encrypted": zipped(ZipEntry("a/x", b"1", flags=1)),
    "strongly encrypted": zipped(ZipEntry("a/x", b"1", flags=0x41)),
    "masked": zipped(ZipEntry("a/x", b"1", flags=0x2000)),
    "bzip2": zipped(ZipEntry("a/x", b"1", method=12)),
    "lzma": zipped(ZipEntry("a/x", b"1", method=14)),
    "zstd": zipped(ZipEntry("a/x", b"1", method=93)),
    "aes": zipped(ZipEntry("a/x", b"1", method=99)),
    "record comment": zipped(ZipEntry("a/x", b"1", comment=b"hidden")),
    "extra cut": zipped(ZipEntry("a/x", b"1", central_extra=b"\1\0\2")),
    "extra too long": zipped(ZipEntry("a/x", b"1", extra=b"\1\x99\xff\0")),
    "extra twice": zipped(ZipEntry("a/x", b"1", extra=extra(9, b"") * 2)),
    "second name": zipped(ZipEntry("a/x", b"1", extra=extra(0x7075, b"\1" + bytes(4) + b"a/y"))),
    "zip64 for nothing": zipped(ZipEntry("a/x", b"1", central_extra=extra(1, bytes(16)))),
    "zip64 too short": zipped(ZipEntry("a/one", b"1", local=WIDE, extra=extra(1, bytes(8)))),
    "zip64 lies": zipped(ZipEntry("a/one", b"1", local=WIDE, extra=extra(1, struct.pack("<2Q", 5, 5)))),
    "declared too small": zipped(ZipEntry("a/x", b"x" * 10, packed=LYING_BODY)),
    "declared too large": zipped(ZipEntry("a/x", b"12", local={"size": 3}, central={"size": 3})),
    "wrong checksum": zipped(ZipEntry("a/x", b"12", local={"crc": 3}, central={"crc": 3})),
    "corrupt deflate": zipped(ZipEntry("a/x", b"12", packed=b"\xff\xff\xff")),
    "cut deflate": zipped(ZipEntry("a/x", b"1" * 99, packed=ZipEntry("x", b"1" * 99).body()[:-1])),
    "bytes after deflate": zipped(ZipEntry("a/x", b"12", packed=ZipEntry("x", b"12").body() + b"hidden")),
    "stored sizes differ": zipped(ZipEntry("a/x", b"12", method=0, packed=b"123")),
    "stored with descriptor": zipped(streamed(method=0)),
    "descriptor with another checksum": zipped(streamed(crc=7)),
    "descriptor missing": zipped(ZipEntry("a/x", b"12", flags=8)),
    "bomb": zipped(ZipEntry("a/x", bytes(2**22))),
    "declared 4 GiB": zipped(ZipEntry("a/x", b"1", local={"size": 2**32 - 2}, central={"size": 2**32 - 2})),
}


@pytest.mark.parametrize("shape", HOSTILE)
def test_a_hostile_zip_is_refused(refused, shape):
    refused(read, HOSTILE[shape])


def test_quoted_local_headers_make_no_second_entry(refused):
    refused(read, HOSTILE["overlap"], "archive_zip")
    refused(read, HOSTILE["same data twice"], "archive_zip")


def test_too_many_entries_are_refused_before_the_directory_is_read(refused):
    refused(read, zip_end(20_001, 0, 0), "archive_limit")
    empties = zipped(*(ZipEntry(str(number), b"", method=0) for number in range(2_001)))
    refused(read, empties, "archive_limit")


def test_a_zip_cut_anywhere_is_refused(refused):
    content = zipped(A, B, streamed())
    for end in range(len(content)):
        refused(read, content[:end])
