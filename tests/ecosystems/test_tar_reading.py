import pytest

from registry.ecosystems.archives import Limits, Want
from registry.ecosystems.tar_reading import peek_tar_gz, read_tar_gz
from tests.ecosystems.building import (
    BLOCK,
    END,
    gnu_long_name,
    npm,
    padded,
    pax,
    pax_record,
    tar_file,
    tar_header,
    tgz,
)


def read(path):
    return read_tar_gz(path, lambda name: None)


A, B = tar_file("a/one", b"1"), tar_file("a/two", b"2")


def test_entries_come_with_size_digest_and_mode(stored):
    opened = read(
        stored(tgz(tar_header("a/", kind=b"5"), tar_file("a/run", b"hi", mode=0o755), tar_file("a/b/c", b"")))
    )
    assert opened.folders == ("a",)
    assert [(entry.path, entry.size, entry.executable) for entry in opened.entries] == [
        ("a/run", 2, True),
        ("a/b/c", 0, False),
    ]
    assert opened.entries[0].sha256 == "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4"
    assert opened.unpacked_size == 2
    assert opened.one_root() == "a"


@pytest.mark.parametrize(
    "parts",
    [
        [
            pax({"path": "a/" + "long/" * 30 + "ü.txt", "mtime": "1700000000.25", "SCHILY.dev": "7"}),
            tar_file("a/short", b"1"),
        ],
        [gnu_long_name("a/" + "x" * 120), tar_file("a/" + "x" * 98, b"1", magic=b"ustar  \0")],
        [pax({"comment": "0123456789abcdef"}, kind=b"g"), A],
        [pax({"size": "1"}), A],
        [pax({"size": "+1"}), A],
        [tar_file("one", b"1", prefix=b"a/folder")],
        [tar_file("a/one", b"1", prefix=bytes(131) + b"14252462316\0" + b"14252462316\0")],
        [tar_file("a/old", b"1", kind=b"\0", magic=b"")],
        [tar_file("a/odd", b"1", mode=0o4777)],
        [tar_file("a/spaces", b"1", size=b"         1 \0")],
        [pax({"LIBARCHIVE.xattr.user.x": "AAE", "uid": "4294967295"}), A],
    ],
    ids=[
        "pax",
        "gnu",
        "global comment",
        "pax size",
        "pax plus",
        "prefix",
        "star times",
        "v7",
        "mode",
        "octal",
        "vendor",
    ],
)
def test_what_real_writers_produce_is_accepted(stored, parts):
    assert len(read(stored(tgz(*parts))).entries) == 1


@pytest.mark.parametrize("kind", [b"1", b"2", b"3", b"4", b"6", b"7", b"S", b"K", b"D", b"M", b"V", b"X", b"Z", b"N"])
def test_only_files_and_folders_are_accepted(refused, kind):
    error = refused(read, tgz(A, tar_header("a/evil", kind=kind, link=b"../../etc/passwd")), "archive_entry_type")
    assert "a/evil" in error.message


CHECKSUM = tar_file("a/x", b"1", checksum=1)
HOSTILE = {
    "absolute": (tgz(tar_file("/etc/passwd")), "archive_path"),
    "climbing": (tgz(tar_file("a/../../x")), "archive_path"),
    "backslash": (tgz(tar_file("a\\..\\x")), "archive_path"),
    "twice": (tgz(A, A), "archive_duplicate"),
    "twice in another case": (tgz(A, tar_file("A/ONE")), "archive_duplicate"),
    "file under a file": (tgz(A, tar_file("a/one/x")), "archive_duplicate"),
    "no name": (tgz(tar_file("")), "archive_path"),
    "NUL in the name": (tgz(tar_file(b"a/x\0/../y")), "archive_path"),
    "not UTF-8": (tgz(tar_file(b"a/\xff")), "archive_path"),
    "file named like a folder": (tgz(tar_file("a/b/", b"1")), "archive_path"),
    "folder with data": (tgz(tar_file("a/b", b"1", kind=b"5")), "archive_tar"),
    "link target without a link": (tgz(tar_file("a/b", b"1", link=b"x")), "archive_tar"),
    "wrong checksum": (tgz(CHECKSUM), "archive_tar"),
    "negative size": (tgz(tar_file("a/b", size=b"\xff" * 12)), "archive_tar"),
    "base-256 size": (tgz(tar_file("a/b", b"1", size=b"\x80" + bytes(10) + b"\1")), "archive_tar"),
    "size with a sign": (tgz(tar_file("a/b", b"1", size=b"-0000000001\0")), "archive_tar"),
    "no size": (tgz(tar_file("a/b", size=b"\0" * 12)), "archive_tar"),
    "huge size without data": (tgz(tar_header("a/b", 8 * 2**30 - 1)), "archive_limit"),
    "size without data": (tgz(tar_header("a/b", 100_000), end=b""), "archive_tar"),
    "bytes in the padding": (tgz(tar_header("a/b", 1) + b"1" + b"x" * (BLOCK - 1)), "archive_tar"),
    "no end mark": (tgz(A, end=b""), "archive_tar"),
    "half an end mark": (tgz(A, end=bytes(BLOCK)), "archive_tar"),
    "zeros between entries": (tgz(A, bytes(BLOCK), B), "archive_tar"),
    "entries after the end": (tgz(A, END, B), "archive_tar"),
    "bytes after the end": (tgz(A, end=END + b"x"), "archive_tar"),
    "endless zeros after the end": (tgz(A, end=END + bytes(2**21)), "archive_bomb"),
    "not a tar": (tgz(b"hello world" * 100), "archive_tar"),
    "prefix without magic": (tgz(tar_file("one", prefix=b"a", magic=b"ustar  \0")), "archive_tar"),
    "pax size differs": (tgz(pax({"size": "999"}), A), "archive_pax"),
    "pax size is no number": (tgz(pax({"size": "0x1"}), A), "archive_pax"),
    "pax path climbs": (tgz(pax({"path": "a/../../x"}), A), "archive_path"),
    "pax path with NUL": (tgz(pax({"path": b"a/x\0y"}), A), "archive_pax"),
    "pax path not UTF-8": (tgz(pax({"path": b"a/\xff"}), A), "archive_path"),
    "pax link": (tgz(pax({"linkpath": "/etc"}), A), "archive_pax"),
    "pax sparse": (tgz(pax({"GNU.sparse.size": "1099511627776"}), A), "archive_pax"),
    "pax charset": (tgz(pax({"hdrcharset": "BINARY"}), A), "archive_pax"),
    "pax unknown key": (tgz(pax({"evil": "1"}), A), "archive_pax"),
    "pax bad time": (tgz(pax({"mtime": "1e99999"}), A), "archive_pax"),
    "pax key twice": (
        tgz(tar_file("p", pax_record("path", "a/x") + pax_record("path", "a/y"), kind=b"x"), A),
        "archive_pax",
    ),
    "pax bad length": (tgz(tar_file("p", b"99 path=a\n", kind=b"x"), A), "archive_pax"),
    "pax zero length": (tgz(tar_file("p", b"0 path=a\n", kind=b"x"), A), "archive_pax"),
    "pax no newline": (tgz(tar_file("p", b"10 path=ab", kind=b"x"), A), "archive_pax"),
    "pax empty": (tgz(tar_file("p", b"", kind=b"x"), A), "archive_pax"),
    "pax twice": (tgz(pax({"path": "a/x"}), pax({"path": "a/y"}), A), "archive_tar"),
    "pax for nothing": (tgz(A, pax({"path": "a/x"})), "archive_tar"),
    "pax and gnu": (tgz(pax({"path": "a/x"}), gnu_long_name("a/y"), A), "archive_tar"),
    "gnu twice": (tgz(gnu_long_name("a/x"), gnu_long_name("a/y"), A), "archive_tar"),
    "gnu climbs": (tgz(gnu_long_name("a/../../x"), A), "archive_path"),
    "gnu with NUL": (tgz(gnu_long_name(b"a/x\0../y"), A), "archive_path"),
    "global path": (tgz(pax({"path": "a/x"}, kind=b"g"), A, B), "archive_pax"),
    "global twice": (tgz(pax({"comment": "1"}, kind=b"g"), pax({"comment": "2"}, kind=b"g"), A), "archive_pax"),
    "global in the middle": (tgz(A, pax({"comment": "1"}, kind=b"g"), B), "archive_pax"),
    "global inside pax": (tgz(pax({"path": "a/x"}), pax({"comment": "1"}, kind=b"g"), A), "archive_tar"),
    "huge pax": (tgz(pax({"comment": "x" * 300_000}), A), "archive_limit"),
    "long path": (tgz(pax({"path": "a/" + "x/" * 600}), A), "archive_limit"),
    "deep path": (tgz(pax({"path": "a/" * 60 + "x"}), A), "archive_limit"),
}


@pytest.mark.parametrize("shape", HOSTILE)
def test_a_hostile_tar_is_refused_by_its_rule(refused, shape):
    content, code = HOSTILE[shape]
    refused(read, content, code)


def test_many_empty_entries_are_refused(refused):
    entries = [tar_header(f"a/{number}") for number in range(2_001)]
    error = refused(read, tgz(*entries))
    assert error.code in ("archive_limit", "archive_bomb")


def test_peeking_reads_only_as_far_as_it_is_asked(stored):
    names = peek_tar_gz(stored(tgz(A, tar_header("a/evil", kind=b"2"))))
    assert next(names) == "a/one"


def test_only_what_is_wanted_is_kept_and_only_so_much(stored, refused):
    content = tgz(tar_file("a/README", b"x" * 100), tar_file("a/big", b"y" * 100))
    kept = read_tar_gz(stored(content), lambda name: Want(10) if name == "a/README" else None).kept
    assert kept == {"a/README": b"x" * 10}
    refused(lambda path: read_tar_gz(path, lambda name: Want(10, whole=True)), content, "archive_limit")


def test_kept_members_share_a_budget(stored):
    content = tgz(*(tar_file(f"a/{number}", b"x" * 100) for number in range(10)))
    kept = read_tar_gz(stored(content), lambda name: Want(100), Limits(kept_bytes=250)).kept
    assert sum(map(len, kept.values())) == 250


def test_a_tar_cut_anywhere_is_refused(refused):
    content = npm()
    for end in range(0, len(content), 7):
        refused(read, content[:end])


def test_a_gap_of_whole_blocks_is_no_padding(refused):
    refused(read, tgz(A, padded(b"x"), B), "archive_tar")
