import itertools

import pytest

from registry import ecosystems
from registry.errors import InvalidInput
from tests.ecosystems.vectors import comparisons, holds, table

MAVEN = ecosystems.get("maven")
ORDER = table("maven-comparable-version.json")
RANGES = table("maven-version-ranges.json")
# the advisories' table is older than Maven 3.9, which changed the place of .X against -X (MNG-7644)
OLDER_MAVEN = {("1-1.foo-bar-1-baz-0.1", "1-1.foo-bar1baz-.1"), ("1-1", "1-ga-1"), ("2.9.0-1", "2.9.0.RC1")}
OLDER_MAVEN |= {("1.1.46.sec10", "1.1.46_noneautotype"), ("1.2.8.sec10_noneautotype", "1.2.8_noneautotype")}


@pytest.mark.parametrize("chain", ORDER["ascending_chains"], ids=lambda chain: chain["name"])
def test_chains_ascend(chain):
    for low, high in itertools.combinations(chain["ascending"], 2):
        assert MAVEN.sort_key(low) < MAVEN.sort_key(high), (low, high)
        assert MAVEN.sort_key(high) > MAVEN.sort_key(low), (low, high)


def test_equal_versions_share_one_place_and_one_spelling():
    for left, right in ORDER["equal"] + ORDER["same_order_but_not_equal"]:
        assert MAVEN.sort_key(left) == MAVEN.sort_key(right), (left, right)
        if left.isascii() and right.isascii():
            assert MAVEN.canonical_version(left) == MAVEN.canonical_version(right), (left, right)


def test_pairs_are_in_order():
    for low, high in ORDER["less_than"]:
        assert MAVEN.sort_key(low) < MAVEN.sort_key(high), (low, high)


@pytest.mark.parametrize("name", ["osv-maven-versions.txt", "osv-maven-versions-generated.txt"])
def test_versions_stand_in_the_order_of_the_advisories(name):
    for left, sign, right in comparisons(name):
        if (left, right) not in OLDER_MAVEN:
            assert holds(MAVEN.sort_key(left), sign, MAVEN.sort_key(right)), (left, sign, right)


def test_ranges_hold_what_maven_says():
    for case in RANGES["contains"]:
        assert MAVEN.parse_range(case["range"]).contains(case["version"]) is case["contains"], case


@pytest.mark.parametrize(
    "text", [*(text for text in RANGES["invalid"] if text != "1.0"), "", ",", "[1.0,", "[,]x", "^1.2", "[1],"]
)
def test_what_is_no_range_is_refused(text):
    with pytest.raises(InvalidInput):
        MAVEN.parse_range(text)


def test_a_soft_requirement_forbids_nothing_and_chooses_its_own_version():
    assert MAVEN.parse_range("1.0").contains("2.0")
    assert MAVEN.best(["0.9", "1.0.0", "2.0"], "1.0") == "1.0.0"
    assert MAVEN.best(["0.9", "2.0"], "1.0") is None


def test_sets_choose_the_highest():
    assert MAVEN.best(["1.0", "1.5", "1.10", "2.0"], "[1.0,2.0)") == "1.10"
    assert MAVEN.best(["1.0", "1.5", "3.0"], "(,1.0],[3.0,)") == "3.0"


@pytest.mark.parametrize(
    ("version", "answer"),
    [
        ("1.0-SNAPSHOT", True),
        ("1.0-rc1", True),
        ("1.0.M2", True),
        ("1.0b3", True),
        ("1.0", False),
        ("1.0-jre", False),
        ("1.0.Final", False),
        ("1.0-android", False),
        ("1.0-macos", False),
    ],
)
def test_prereleases_are_known_by_their_qualifier(version, answer):
    assert MAVEN.is_prerelease(version) is answer


@pytest.mark.parametrize(
    "name", ["core", "org.acme", "org.acme:", ":core", "a:b:c", "org/acme:core", "a..b:c", "ä:b", "a:b\n", "..:.."]
)
def test_a_name_is_a_group_and_an_artifact(name):
    MAVEN.check_name("org.acme.utils:core-api_2.13")
    with pytest.raises(InvalidInput):
        MAVEN.check_name(name)


@pytest.mark.parametrize("version", ["", "..", ".", "1/2", "1 2", "é", "1:2", "1" * 257])
def test_a_version_may_stand_in_a_path(version):
    with pytest.raises(InvalidInput):
        MAVEN.canonical_version(version)
