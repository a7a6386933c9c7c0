"""What things may be called, and what no tracked file may say."""

import re

import pytest

from tests.architecture.sources import PRODUCT, modules, name_of, text_of, tracked

pytestmark = pytest.mark.once
DRAWERS = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "services",
    "service",
    "misc",
    "base_utils",
    "shared",
    "core",
}
LARGEST_FILE = 1024 * 1024

# put together from pieces, so that this file does not say them either
HOSTS = [
    "npmjs" + ".org", "npmjs" + ".com", "npmmirror" + ".com", "yarnpkg" + ".com",
    "pypi" + ".org", "pythonhosted" + ".org", "deb" + ".debian", "debian" + ".org",
]  # fmt: skip
PLACES = ["/wo" + "rk/main", "/wo" + "rk/shared", "/ro" + "ot/", "/ho" + "me/"]
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|HA" r"CK|XX" r"X)\b")
STUBS = re.compile(r"raise NotImplemented" r"Error|assert Tr" r"ue\b|pytest\.mark\.xf" r"ail")


def saying(words: list[str]) -> list[str]:
    """Where tracked text says one of the words, in any case."""
    pattern = re.compile("|".join(re.escape(word) for word in words), re.IGNORECASE)
    return [
        f"{name_of(path)}: {found[0]}"
        for path in tracked()
        if (text := text_of(path)) and (found := pattern.search(text))
    ]


def matching(pattern: re.Pattern[str]) -> list[str]:
    """Where code says something that matches."""
    return [
        f"{name_of(path)}:{number} {line.strip()}"
        for path in modules(*PRODUCT, "tests", "benchmarks")
        for number, line in enumerate((text_of(path) or "").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_module_is_a_drawer():
    parts = {
        name_of(path)
        for path in modules(*PRODUCT, "tests", "benchmarks")
        if DRAWERS & {part.removesuffix(".py") for part in path.parts}
    }
    assert parts == set()


def test_no_tracked_text_names_a_registry_host():
    assert saying(HOSTS) == []


def test_no_tracked_text_names_a_place_on_somebodys_machine():
    assert saying(PLACES) == []


def test_nothing_is_left_unfinished():
    assert matching(UNFINISHED) == []
    assert matching(STUBS) == []


def test_exceptions_to_the_rules_carry_their_reason():
    exceptions = matching(re.compile(r"#\s*(no" r"qa|type:\s*ig" r"nore)"))
    assert [line for line in exceptions if not re.search(r"#\s*(no" r"qa|type:).*#\s*\w", line)] == []


def test_nothing_sleeps():
    assert [line for line in matching(re.compile(r"\btime\.sl" r"eep\(")) if not line.startswith("benchmarks/")] == []


def test_no_tracked_file_is_big():
    assert [name_of(path) for path in tracked() if path.stat().st_size > LARGEST_FILE] == []


def test_no_generated_or_private_file_is_tracked():
    suspects = re.compile(
        r"(^|/)(\.venv|var|__pycache__|\.env|node_modules)(/|$)|\.(pyc|sqlite3|pem|key)$|(^|/)id_[a-z0-9]+$"
    )
    assert [name_of(path) for path in tracked() if suspects.search(name_of(path))] == []
