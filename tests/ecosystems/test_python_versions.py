import pytest

from registry import ecosystems
from registry.errors import InvalidInput
from tests.ecosystems.vectors import comparisons, holds, table

PYPI = ecosystems.get("pypi")


def test_versions_stand_in_the_order_of_pep_440():
    ordered = table("pep440-versions-ordered.json")
    assert sorted(set(ordered), key=PYPI.sort_key) == ordered


@pytest.mark.parametrize("name", ["osv-pypi-versions.txt", "osv-pypi-versions-generated.txt"])
def test_versions_stand_in_the_order_of_the_advisories(name):
    wrong = [case for case in comparisons(name) if not holds(PYPI.sort_key(case[0]), case[1], PYPI.sort_key(case[2]))]
    assert not wrong


def test_specifiers_hold_what_pep_440_says():
    for case in table("pep440-contains.json"):
        reading = PYPI.parse_range(case["specifier"])
        assert reading.contains(case["version"], prerelease=True) is case["expected"], case


def test_names_are_looked_up_by_pep_503():
    for name, normal in table("pep503-names.json"):
        assert PYPI.normalize_name(name) == normal


def test_equal_versions_share_one_spelling():
    assert PYPI.canonical_version("1.0") == PYPI.canonical_version("v1.0.0") == "1"
    assert PYPI.canonical_version("1.0RC1") == PYPI.canonical_version("1.0-c.1")
    assert PYPI.canonical_version("1.0+Ubuntu-1") == "1+ubuntu.1"


def test_pip_takes_a_prerelease_only_if_there_is_nothing_else():
    assert PYPI.best(["1.0", "2.0rc1"], "") == "1.0"
    assert PYPI.best(["1.0", "2.0rc1"], ">=1", prerelease=True) == "2.0rc1"
    assert PYPI.best(["2.0rc1", "2.0.dev3"], "") == "2.0rc1"
    assert PYPI.best(["1.0", "2.0rc1"], ">=2.0rc1") == "2.0rc1"
    assert PYPI.best(["1.0"], ">=2") is None
    assert PYPI.best(["no version"], "") is None


@pytest.mark.parametrize("text", ["^1.2", "1.0", ">=", "latest", ">=1;python", "==1." + "9" * 300])
def test_what_is_no_specifier_is_refused(text):
    with pytest.raises(InvalidInput):
        PYPI.parse_range(text)


@pytest.mark.parametrize("name", ["", "-a", "a-", "a b", "a/b", "ä", "a\n", "Publish", "a" * 201, ".."])
def test_bad_names_are_refused(name):
    with pytest.raises(InvalidInput):
        PYPI.check_name(name)


@pytest.mark.parametrize("version", ["", "one", "1.0.x", "2010i", "1" * 5000, "1!!2"])
def test_what_is_no_version_is_refused_and_sorts_first(version):
    with pytest.raises(InvalidInput):
        PYPI.canonical_version(version)
    assert PYPI.sort_key(version) < PYPI.sort_key("0.dev0")


def test_a_prerelease_satisfies_a_range_only_if_it_is_named_or_asked_for():
    assert not PYPI.parse_range(">=1").contains("2.0rc1")
    assert PYPI.parse_range(">=1").contains("2.0rc1", prerelease=True)
    assert PYPI.parse_range(">=2.0rc1").contains("2.0rc1")
