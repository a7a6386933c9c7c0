import gzip
import struct
import zlib

import pytest

from registry.ecosystems.tar_reading import read_tar_gz
from tests.ecosystems.building import END, npm, tar_file, tgz

TAR = tar_file("a/one", b"1") + END


def read(path):
    return read_tar_gz(path, lambda name: None)


def member(payload=TAR, *, flags=0, fields=b"", crc=None, size=None, method=8):
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = deflate.compress(payload) + deflate.flush()
    head = b"\x1f\x8b" + bytes([method, flags]) + bytes(6) + fields
    crc = zlib.crc32(payload) if crc is None else crc
    return head + body + struct.pack("<2L", crc, len(payload) if size is None else size)


def with_header_checksum(name=b"x.tar\0"):
    head = b"\x1f\x8b\x08" + bytes([8 | 2]) + bytes(6) + name
    return struct.pack("<H", zlib.crc32(head) & 0xFFFF)


def test_the_header_may_name_the_file_and_carry_a_checksum(stored):
    assert read(stored(member(flags=8, fields=b"x.tar\0"))).entries
    assert read(stored(member(flags=8 | 2, fields=b"x.tar\0" + with_header_checksum()))).entries


HOSTILE = {
    "empty": b"",
    "too short": b"\x1f\x8b\x08",
    "html": b"<html>" * 100,
    "a zip": b"PK\x03\x04" * 100,
    "bytes after the end": member() + b"x",
    "zeros after the end": member() + bytes(512),
    "second member": member() + member(),
    "wrong checksum": member(crc=1),
    "wrong length": member(size=1),
    "reserved flag": member(flags=0x20),
    "unknown method": member(method=7),
    "extra field": member(flags=4, fields=b"\x04\0evil"),
    "comment": member(flags=16, fields=b"evil\0"),
    "endless name": member(flags=8, fields=b"x" * 5000),
    "wrong header checksum": member(flags=2, fields=b"\0\0"),
    "corrupt deflate": b"\x1f\x8b\x08" + bytes(7) + b"\xff" * 100,
    "gzip in gzip": gzip.compress(gzip.compress(gzip.compress(TAR))),
    "nothing in it": gzip.compress(b""),
}


@pytest.mark.parametrize("shape", HOSTILE)
def test_a_hostile_gzip_is_refused(refused, shape):
    refused(read, HOSTILE[shape])


def test_a_bomb_is_refused_long_before_it_is_unpacked(refused):
    error = refused(read, tgz(tar_file("a/zeros", bytes(2**24))), "archive_bomb")
    assert "200 times" in error.message


def test_every_flipped_byte_of_the_trailer_is_noticed(refused):
    content = npm()
    for at in range(len(content) - 8, len(content)):
        refused(read, content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :], "archive_gzip")
