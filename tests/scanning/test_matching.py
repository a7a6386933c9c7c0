"""OSV's evaluation, in every ecosystem's own order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry import ecosystems
from scanning import matching
from tests.scanning.conftest import sample

pytestmark = pytest.mark.once


def between(*events: tuple[str, str], type: str = "ECOSYSTEM") -> list[dict[str, Any]]:
    return [{"type": type, "events": [{kind: bound} for kind, bound in events]}]


def hits(slug: str, version: str, ranges: list[dict[str, Any]], versions: list[str] | None = None) -> bool:
    return matching.match(slug, version, ranges, versions or []) is not None


@pytest.mark.parametrize(
    ("slug", "version", "expected"),
    [
        ("npm", "1.0.0", True),
        ("npm", "1.2.3-rc.1", True),
        ("npm", "1.2.3", False),
        ("npm", "1.10.0", False),
        ("npm", "0.9.9", False),
        ("npm", "1.0.0-alpha", False),
        ("pypi", "1.0", True),
        ("pypi", "1.2.3rc1", True),
        ("pypi", "1.2.3.post1", False),
        ("pypi", "1.0.dev1", False),
        ("maven", "1.2.3-SNAPSHOT", True),
        ("maven", "1.2.3", False),
    ],
)
def test_a_fixed_range_ends_before_the_fix(slug: str, version: str, expected: bool):
    assert hits(slug, version, between(("introduced", "1.0.0"), ("fixed", "1.2.3"))) is expected


@pytest.mark.parametrize(("version", "expected"), [("1.2.3", True), ("1.2.4", False), ("0.0.1", True)])
def test_the_last_affected_version_is_affected(version: str, expected: bool):
    assert hits("npm", version, between(("introduced", "0"), ("last_affected", "1.2.3"))) is expected


def test_a_flaw_may_come_back():
    twice = between(("introduced", "1.0.0"), ("fixed", "1.1.0"), ("introduced", "2.0.0"), ("fixed", "2.0.5"))
    found = [hits("npm", version, twice) for version in ("1.0.5", "1.5.0", "2.0.0", "2.0.5")]
    assert found == [True, False, True, False]


def test_events_are_read_in_version_order_whatever_their_order():
    shuffled = between(("fixed", "2.0.5"), ("introduced", "2.0.0"), ("fixed", "1.1.0"), ("introduced", "1.0.0"))
    assert [hits("npm", version, shuffled) for version in ("1.0.5", "1.5.0", "2.0.1")] == [True, False, True]


def test_a_limit_ends_what_is_affected():
    limited = between(("introduced", "0"), ("limit", "2.0.0"))
    assert [hits("npm", version, limited) for version in ("1.9.9", "2.0.0")] == [True, False]


def test_listed_versions_count_beside_ranges_in_any_spelling():
    assert hits("pypi", "3.0", between(("introduced", "1.0"), ("fixed", "2.0")), ["3.0.0"])
    assert hits("npm", "3.0.0", [], ["3.0.0"])
    assert not hits("npm", "3.0.1", [], ["3.0.0"])


def test_commits_say_nothing_about_versions():
    assert not hits("npm", "1.0.0", between(("introduced", "0"), type="GIT"))


def test_a_bound_that_is_no_version_leaves_the_listed_versions_to_decide():
    broken = between(("introduced", "0"), ("fixed", "https://example.com/commit/abc.patch"))
    assert not hits("pypi", "9.9", broken, ["1.0", "1.1"])
    assert hits("pypi", "1.0", broken, ["1.0", "1.1"])


def test_a_bound_that_is_no_version_matches_rather_too_much_where_nothing_is_listed():
    broken = between(("introduced", "0"), ("fixed", "https://example.com/commit/abc.patch"))
    assert hits("pypi", "9.9", broken)


def test_bounds_may_be_shorter_than_npm_versions_are():
    assert hits("npm", "4.5.0", between(("introduced", "4"), ("fixed", "5.1")))
    assert not hits("npm", "5.1.0", between(("introduced", "4"), ("fixed", "5.1")))


def test_the_next_fix_is_named():
    twice = between(("introduced", "0"), ("fixed", "1.1.0"), ("introduced", "2.0.0"), ("fixed", "2.0.5"))
    assert matching.match("npm", "1.0.0", twice, []).fixed_in == "1.1.0"
    assert matching.match("npm", "2.0.1", twice, []).fixed_in == "2.0.5"
    assert matching.match("npm", "2.0.1", between(("introduced", "0")), []).fixed_in == ""


@pytest.mark.parametrize(
    ("id", "slug", "version", "fixed_in"),
    [
        ("GHSA-35jh-r3h4-6jhm", "npm", "4.17.15", "4.17.21"),
        ("GHSA-xvch-5gv4-984h", "npm", "1.2.5", "1.2.6"),
        ("GHSA-xvch-5gv4-984h", "npm", "0.2.3", "0.2.4"),
        ("PYSEC-2021-66", "pypi", "2.11.2", "2.11.3"),
        ("PYSEC-2018-28", "pypi", "2.19.1", "2.20.0"),
    ],
)
def test_real_advisories_touch_real_versions(id: str, slug: str, version: str, fixed_in: str):
    rules = ecosystems.get(slug)
    entries = [one for one in sample(id)["affected"] if one["package"]["ecosystem"] == rules.osv_name]
    found = [matching.match(slug, version, one["ranges"], one.get("versions", [])) for one in entries]
    assert fixed_in in {match.fixed_in for match in found if match}
    fixed = [matching.match(slug, fixed_in, one["ranges"], one.get("versions", [])) for one in entries]
    assert not any(fixed)


@given(
    st.text(max_size=20),
    st.lists(st.tuples(st.sampled_from(["introduced", "fixed", "last_affected", "limit", "x"]), st.text(max_size=12))),
)
def test_no_document_breaks_the_matcher(version: str, events: list[tuple[str, str]]):
    for slug in ("npm", "pypi", "maven"):
        matching.match(slug, version, between(*events), [version[:3]])
