"""What is drawn when an advisory comes answers exactly as the plain evaluation does."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from registry import ecosystems
from scanning import charting, matching, redrawing
from scanning.charting import Charts
from scanning.evaluating import Entry, Package
from scanning.models import AffectedPackage
from tests.scanning.conftest import SAMPLES, load, osv, sample

NUMBERS = st.lists(st.sampled_from(["0", "1", "2", "10", "007"]), min_size=1, max_size=4).map(".".join)
WORDS = "-alpha -alpha.1 a1 rc1 -rc1 .post1 .dev3 +x.1 -SNAPSHOT .Final -jre8 -sp -ga-1 -1 -- -0-alpha .M2 !1"
TAILS = st.sampled_from(["", "", "", *WORDS.split()])
VERSIONS = st.one_of(
    st.builds(str.__add__, NUMBERS, TAILS), st.sampled_from(["0", "r09", "", "*", "no version", "\ud800", "v1.0"])
)
EVENTS = st.tuples(st.sampled_from(["introduced", "fixed", "last_affected", "limit", "unheard-of"]), VERSIONS)
RANGES = st.lists(
    st.lists(EVENTS, max_size=6).map(lambda events: {"type": "ECOSYSTEM", "events": [{k: b} for k, b in events]}),
    max_size=3,
)
ENTRIES = st.lists(st.tuples(st.integers(1, 3), RANGES, st.lists(VERSIONS, max_size=4)), min_size=1, max_size=4)
ONE = [{"type": "ECOSYSTEM", "events": [{"introduced": "1.0"}, {"last_affected": "2.0"}]}]
slugs = pytest.mark.parametrize("slug", [one.slug for one in ecosystems.ALL])


@pytest.mark.once
@slugs
@settings(max_examples=100, deadline=None)
@given(entries=ENTRIES, asked=st.lists(VERSIONS, min_size=1, max_size=8))
@example(entries=[(1, ONE, ["2.0", "2.0.1", "r09"])], asked=["2", "2.0.0", "2.0.1", "r09", "2-sp", "1-rc1"])
def test_charts_answer_as_the_plain_evaluation(slug: str, entries: list[Any], asked: list[str]):
    drawn = [(advisory, charting.draw(slug, ranges, versions)) for advisory, ranges, versions in entries]
    if not all(chart for _, chart in drawn):
        return  # such rows are evaluated plainly
    charts = Charts(slug, drawn)
    plain = Package(slug, [(advisory, Entry(slug, ranges, versions)) for advisory, ranges, versions in entries])
    for version in asked:
        if charting.can_ask(slug, version):
            told, expected = charts.matches(version), plain.matches(version)
            assert list(told.items()) == list(expected.items()), version


@pytest.mark.once
@pytest.mark.parametrize("slug", ["npm", "pypi", "maven"])
def test_what_is_real_is_charted(slug: str):
    osv_name = ecosystems.get(slug).osv_name
    entries = [one for path in SAMPLES.glob("*.json") for one in sample(path.stem)["affected"]]
    mine = [one for one in entries if one["package"]["ecosystem"] == osv_name]
    assert all(charting.draw(slug, one.get("ranges", []), one.get("versions", [])) for one in mine)
    assert all(charting.can_ask(slug, version) for one in mine for version in one.get("versions", []))
    assert charting.draw(slug, ONE, ["3.0.0"])


@pytest.mark.once
def test_a_hostile_entry_is_not_drawn():
    events = [{kind: f"{number}.0.0"} for number in range(charting.MOST_CUTS) for kind in ("introduced", "fixed")]
    assert charting.draw("npm", [{"type": "SEMVER", "events": events}], []) == ""


@pytest.mark.once
def test_whoever_changes_what_is_drawn_changes_the_scheme():
    """Stored charts of this scheme look like this: where one differs, FORM or sort_texts.SCHEME goes up."""
    assert charting.SCHEME == 101
    bounds = {
        "npm": ("1.0.0-rc.1", "2.0.0"),
        "pypi": ("1!1.0rc1.post2.dev3+a.1", "1!1.10"),
        "maven": ("1.0-alpha-2", "1.10-jre8.0-1"),
    }
    drawn = {
        slug: charting.draw(
            slug, [{"type": "ECOSYSTEM", "events": [{"introduced": a}, {"last_affected": b}]}], ["7.0"]
        )
        for slug, (a, b) in bounds.items()
    }
    assert drawn == {
        "npm": '[null,["0100001rc!001","020000~!",""],{"7.0.0":""}]',
        "pypi": '[null,["0110103011020030a!101","0110111100401!",""],{"7":""}]',
        "maven": '[null,["4011001022","4014110307jre!10840034012!",""],{"7":""}]',
    }


def asking(*wanted: tuple[str, str, str]) -> dict[tuple[str, str, str], list[tuple[str, str]]]:
    matching.forget()
    found = matching.match_many(wanted)
    return {one: [(hit.advisory.osv_id, hit.match.fixed_in) for hit in hits] for one, hits in found.items()}


def test_rows_without_a_chart_of_now_answer_the_same_and_are_drawn_in_time(db):
    maven = [{"type": "ECOSYSTEM", "events": [{"introduced": "r03"}, {"fixed": "r09"}]}]
    load(osv(), osv(id="GHSA-0001"), osv(id="GHSA-0002", name="a:b", ecosystem="Maven", ranges=maven))
    wanted = [("npm", "left-pad", "1.5.0"), ("npm", "left-pad", "2.0.0"), ("maven", "a:b", "r05")]
    expected = asking(*wanted)
    assert expected == {
        wanted[0]: [("GHSA-0000", "2.0.0"), ("GHSA-0001", "2.0.0")],
        wanted[2]: [("GHSA-0002", "r09")],
    }
    charts = dict(AffectedPackage.objects.values_list("pk", "chart"))
    AffectedPackage.objects.filter(advisory__osv_id="GHSA-0000").update(chart="[null,[],{}]", chart_scheme=1)
    AffectedPackage.objects.exclude(advisory__osv_id="GHSA-0000").update(chart="", chart_scheme=0)
    assert asking(*wanted) == expected
    assert (redrawing.redraw(), redrawing.redraw()) == (3, 0)
    assert dict(AffectedPackage.objects.values_list("pk", "chart")) == charts
    assert asking(*wanted) == expected


def test_versions_that_no_chart_knows_are_evaluated_plainly(db):
    load(osv(id="A-1", name="a:b", ecosystem="Maven", versions=["1.5"]))
    wanted = [("maven", "a:b", version) for version in ("1.0", "r09", "1.0-0-alpha", "2.0")]
    found = asking(*wanted)
    entry = AffectedPackage.objects.get()
    plainly = [one for one in wanted if matching.match("maven", one[2], entry.ranges, entry.versions)]
    assert entry.chart
    assert list(found) == plainly
    assert asking(*wanted[1:2]).keys() | asking(*wanted[:1]).keys() == found.keys() - {wanted[2]}
