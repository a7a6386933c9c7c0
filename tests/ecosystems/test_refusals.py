"""Every refusal of an archive names the entry and the rule, in the same two fields."""

from pathlib import Path

import pytest

from registry import ecosystems
from registry.ecosystems.archives import ARCHIVE, Limits
from registry.ecosystems.tar_reading import read_tar_gz
from registry.ecosystems.zip_reading import read_zip
from registry.errors import Refused
from tests.ecosystems.building import (
    BLOCK,
    END,
    ZipEntry,
    npm,
    pax,
    tar_file,
    tar_header,
    tgz,
    wheel,
    zip_local,
    zipped,
)
from tests.ecosystems.test_gzip_reading import member

SAMPLES = Path(__file__).parent.parent / "samples" / "archives"
FILES = sorted(path for path in SAMPLES.rglob("*") if path.is_file() and path.name != "SOURCE.txt")

A, B = tar_file("a/one", b"1"), tar_file("a/two", b"2")
ONE, TWO = ZipEntry("a/one", b"1"), ZipEntry("a/two", b"22")
PLACES = {
    "compressed too well": (tgz(A, tar_file("a/zeros", bytes(2**24))), "a/zeros", "archive_bomb"),
    "no end mark": (tgz(A, B, end=b""), "a/two", "archive_tar"),
    "data after the end mark": (tgz(A, B, END, B), "a/two", "archive_tar"),
    "a header of zeros": (tgz(A, bytes(BLOCK), B), "a/one", "archive_tar"),
    "a wrong checksum": (tgz(A, tar_header("a/two", checksum=1)), "a/one", "archive_tar"),
    "bytes in the padding": (tgz(A, tar_header("a/two", 1) + b"2" * BLOCK), "a/two", "archive_tar"),
    "cut off": (tgz(A, tar_header("a/two", 9_000), end=b""), "a/two", "archive_tar"),
    "a second member": (member() + member(), "a/one", "archive_gzip"),
    "a wrong length": (member(size=1), "a/one", "archive_gzip"),
    "a wrong sum": (member(crc=1), "a/one", "archive_gzip"),
    "an unknown PAX key": (tgz(A, pax({"evil": "1"}), B), "PaxHeader", "archive_pax"),
    "a damaged PAX record": (tgz(A, tar_file("a/px", b"99 path=a\n", kind=b"x"), B), "a/px", "archive_pax"),
    "a second global header": (tgz(A, pax({"comment": "1"}, kind=b"g"), B), "PaxHeader", "archive_pax"),
    "no name": (tgz(A, tar_file("")), "a/one", "archive_path"),
    "a flood": (tgz(*(tar_header(f"a/{number}") for number in range(2_001))), "a/2000", "archive_limit"),
    "a zipped bomb": (zipped(ONE, ZipEntry("a/zeros", bytes(2**22))), "a/zeros", "archive_bomb"),
    "a hidden file": (zipped(ZipEntry("a/one", b"1", descriptor=zip_local(TWO))), "a/one", "archive_zip"),
    "no archive": (b"hello" * 99, ARCHIVE, ""),
    "no gzip header": (member(flags=0x20), ARCHIVE, "archive_gzip"),
    "no end record": (zipped(ONE)[:-1], ARCHIVE, "archive_zip"),
}  # fmt: skip


def read(path: Path) -> None:
    """By whichever reader the bytes are for."""
    reader = read_zip if path.read_bytes().startswith(b"PK") else read_tar_gz
    reader(path, lambda name: None)


def both_named(refusal: Refused) -> tuple[str, str]:
    """The entry and the rule of a refusal, which tells of both in its sentence, too."""
    [entry], [rule] = refusal.details["entry"], refusal.details["rule"]
    assert refusal.code != Refused.code
    assert entry
    assert rule.endswith(".")
    assert rule in refusal.message
    assert entry == ARCHIVE or entry[:100] in refusal.message
    return entry, rule


@pytest.mark.parametrize("shape", PLACES)
def test_what_is_wrong_with_the_whole_is_placed_where_it_was_found(refused, shape):
    content, entry, code = PLACES[shape]
    assert both_named(refused(read, content, code))[0] == entry


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_refusal_of_a_hostile_file_names_the_entry_and_the_rule(path: Path):
    with pytest.raises(Refused) as caught:
        ecosystems.read_package(path, path.name)
    both_named(caught.value)
    try:
        read(path)
    except Refused as refusal:  # else it is a good archive, and only no good package
        both_named(refusal)


def test_a_limit_in_the_directory_of_a_zip_names_the_entry_that_breaks_it(stored):
    with pytest.raises(Refused) as caught:
        read_zip(stored(zipped(ONE, TWO)), lambda name: None, Limits(all_path_bytes=6))
    assert both_named(caught.value)[0] == "a/two"


@pytest.mark.parametrize(
    ("content", "entry"),
    [
        (npm(tar_file("loose", b"1")), "loose"),
        (npm(tar_file("other/x", b"1")), "other/x"),
        (tgz(tar_file("package/x", b"1")), ARCHIVE),
        (npm(manifest=b"{"), "package.json"),
        (wheel(record=b"x,y"), "RECORD"),
        (wheel(("other-1.0.dist-info/x", b"1")), "other-1.0.dist-info"),
    ],
)
def test_a_package_that_is_no_package_names_both(refused, content, entry):
    assert both_named(refused(ecosystems.read_package, content))[0] == entry
