import pytest

from registry.ecosystems.archives import LIMITS, Ledger, Limits, check_path
from registry.errors import Refused

GOOD = [
    "package/index.js",
    "a/b.c/d-e_f",
    "ümlaut/日本語.txt",
    "a/My File.txt",
    "a/[id].tsx",
    ".npmignore",
    "a/.gitignore",
    "a/~b",
]
GOOD += [
    "a/node_modules/b/package.json",
    "a/💙.md",
    "a/constants.js",
    "a/com10",
    "a/nulls.c",
    "a/@scope/b",
    "a/..b",
    "a/b..c",
]
BAD = [
    "",
    "/a",
    "//a",
    "../a",
    "a/../b",
    "a/..",
    "./a",
    "a/./b",
    "a//b",
    "a/",
    "a\\b",
    "C:\\a",
    "C:a",
    "a:stream",
    "a/b.",
]
BAD += [
    "a/b ",
    "a\x00b",
    "a\nb",
    "a\x1b[31m",
    "a\x7f",
    "a\u202eb",
    "a\u200bb",
    "a\ufeffb",
    "a\u2028b",
    "u\u0308",
    "a\ud800",
]
BAD += [
    "con",
    "a/CON",
    "a/con.txt",
    "a/nul",
    "aux.js",
    "COM1",
    "lpt9.log",
    "a/com¹",
    "CONIN$",
    "a/.git/hooks/x",
    "a/.GIT",
    "GIT~1/x",
]
BAD += ["a/" * 40 + "b", "x" * 256, "é" * 128, "/".join(["x" * 200] * 6)]


@pytest.mark.parametrize("path", GOOD)
def test_ordinary_paths_pass(path):
    check_path(path)


@pytest.mark.parametrize("path", BAD, ids=lambda path: ascii(path[:16]))
def test_a_path_that_means_something_else_somewhere_is_refused(path):
    with pytest.raises(Refused) as caught:
        check_path(path)
    assert caught.value.message.isprintable()
    assert caught.value.code in ("archive_path", "archive_limit")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a/b", "a/b"),
        ("a/README", "a/readme"),
        ("a/ß", "a/SS"),
        ("a/ﬁ", "a/fi"),
        ("A/b", "a/B"),
        ("a/K", "a/K"),
        ("a", "a/b"),
        ("a/b", "a"),
        ("A", "a/b"),
        ("a/ſ", "a/S"),
    ],
)
def test_two_entries_never_share_a_place(first, second):
    ledger = Ledger()
    ledger.admit(first, is_folder=False, size=1)
    with pytest.raises(Refused) as caught:
        ledger.admit(second, is_folder=False, size=1)
    assert caught.value.code == "archive_duplicate"


def test_a_folder_may_be_named_once_before_or_after_its_files():
    ledger = Ledger()
    ledger.admit("a", is_folder=True, size=0)
    ledger.admit("a/b", is_folder=False, size=1)
    ledger.admit("c/d", is_folder=False, size=1)
    ledger.admit("c", is_folder=True, size=0)
    for again in ("a", "A", "c"):
        with pytest.raises(Refused):
            ledger.admit(again, is_folder=True, size=0)


def test_the_number_and_the_length_of_paths_is_limited():
    few = Ledger(Limits(entries=2))
    few.admit("a", is_folder=False, size=1)
    few.admit("b", is_folder=False, size=1)
    with pytest.raises(Refused):
        few.admit("c", is_folder=False, size=1)
    short = Ledger(Limits(all_path_bytes=10))
    short.admit("a" * 9, is_folder=False, size=1)
    with pytest.raises(Refused):
        short.admit("bb", is_folder=False, size=1)
    deep = Ledger(Limits(folders=2))
    deep.admit("a/b/c/d", is_folder=False, size=1)
    with pytest.raises(Refused):
        deep.admit("a/b/c/e", is_folder=False, size=1)


def test_a_flood_of_empty_files_is_refused_but_a_package_of_empty_modules_is_not():
    flood, package = Ledger(), Ledger()
    for number in range(LIMITS.empty_entries):
        flood.admit(f"a/{number}", is_folder=False, size=0)
        package.admit(f"a{number}/__init__.py", is_folder=False, size=0)
        package.admit(f"a{number}/code.py", is_folder=False, size=9)
    package.admit("b/__init__.py", is_folder=False, size=0)
    with pytest.raises(Refused):
        flood.admit("a/last", is_folder=False, size=0)


def test_a_single_huge_member_is_refused_by_what_it_declares():
    with pytest.raises(Refused):
        Ledger().admit("a", is_folder=False, size=LIMITS.member_bytes + 1)


@pytest.mark.parametrize(
    ("unpacked", "packed", "good"), [(2**18, 1, True), (2**18 + 200, 1, False), (2**20, 2**13, True)]
)
def test_the_ratio_counts_beyond_a_floor(unpacked, packed, good):
    if good:
        LIMITS.check_ratio(unpacked, packed)
    else:
        with pytest.raises(Refused) as caught:
            LIMITS.check_ratio(unpacked, packed)
        assert caught.value.code == "archive_bomb"


def test_large_archives_may_be_packed_less():
    LIMITS.check_ratio(300 * 2**20, 8 * 2**20)
    with pytest.raises(Refused):
        LIMITS.check_ratio(300 * 2**20, 7 * 2**20)
    with pytest.raises(Refused):
        LIMITS.check_ratio(LIMITS.unpacked_bytes + 1, LIMITS.unpacked_bytes)
