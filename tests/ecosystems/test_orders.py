"""Properties that hold for versions nobody thought of."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from registry import ecosystems
from registry.ecosystems import sort_texts
from registry.errors import InvalidInput

FEW = settings(max_examples=120, deadline=None)
NUMBERS = st.lists(st.sampled_from(["0", "1", "2", "10", "007"]), min_size=1, max_size=4).map(".".join)
WORDS = st.sampled_from(
    ["", "-alpha", "-alpha.1", "-rc1", ".rc2", "rc1", ".post1", ".dev3", "-SNAPSHOT", ".Final", "-jre", "-sp-2"]
)
TAILS = st.sampled_from(["", "", "", "+build", "-1", ".1"])
VERSIONS = st.builds(lambda numbers, word, tail: numbers + word + tail, NUMBERS, WORDS, TAILS)
TEXTS = st.one_of(VERSIONS, st.text(max_size=40), st.text("0123456789.-+xX*<>=~^|[](), abrcv", max_size=60))


@pytest.fixture(params=ecosystems.ALL, ids=lambda one: one.slug, scope="module")
def ecosystem(request):
    return request.param


@FEW
@given(left=TEXTS, right=TEXTS)
def test_exactly_one_of_less_equal_greater(ecosystem, left, right):
    low, high = ecosystem.sort_key(left), ecosystem.sort_key(right)
    assert (low < high) + (low == high) + (low > high) == 1


@FEW
@given(one=VERSIONS, two=VERSIONS, three=VERSIONS)
@example(one="1.0.Final.1", two="1.0-alpha", three="1.0")
def test_order_is_transitive(ecosystem, one, two, three):
    low, middle, high = sorted([one, two, three], key=ecosystem.sort_key)
    assert ecosystem.sort_key(low) <= ecosystem.sort_key(middle) <= ecosystem.sort_key(high)
    assert ecosystem.sort_key(low) <= ecosystem.sort_key(high)


@FEW
@given(left=VERSIONS, right=VERSIONS)
def test_the_canonical_spelling_is_shared_by_equal_versions_only(ecosystem, left, right):
    try:
        spellings = ecosystem.canonical_version(left), ecosystem.canonical_version(right)
    except InvalidInput:
        return
    assert (spellings[0] == spellings[1]) is (ecosystem.sort_key(left) == ecosystem.sort_key(right))
    assert ecosystem.canonical_version(spellings[0]) == spellings[0]


@settings(max_examples=200, deadline=None)
@given(left=VERSIONS, right=VERSIONS)
@example(left="1.0-0-alpha", right="1.0")
@example(left="1.0-ga-1", right="1.0-sp")
@example(left="1-0.1", right="1-ga1")
def test_texts_sort_as_keys(ecosystem, left, right):
    try:
        low, high = (ecosystem.sort_text(ecosystem.canonical_version(one)) for one in (left, right))
    except InvalidInput:
        return
    if low is None or high is None:
        return
    keys = ecosystem.sort_key(left), ecosystem.sort_key(right)
    assert ((low < high), (low == high)) == ((keys[0] < keys[1]), (keys[0] == keys[1]))
    if keys[0] < keys[1]:
        assert low + sort_texts.LAST < high


@FEW
@given(text=TEXTS, version=TEXTS)
def test_ranges_raise_nothing_but_invalid_input(ecosystem, text, version):
    try:
        reading = ecosystem.parse_range(text)
    except InvalidInput:
        return
    assert reading.contains(version) in (True, False)
    assert reading.contains(version, prerelease=True) in (True, False)


@FEW
@given(text=TEXTS, versions=st.lists(VERSIONS, max_size=6))
def test_the_best_is_one_of_those_that_the_range_holds(ecosystem, text, versions):
    try:
        chosen = ecosystem.best(versions, text)
    except InvalidInput:
        return
    assert chosen is None or chosen in versions
    if chosen is not None:
        assert ecosystem.parse_range(text).contains(chosen, prerelease=True)


@FEW
@given(name=st.text(max_size=60))
def test_names_raise_nothing_but_invalid_input(ecosystem, name):
    ecosystem.purl(ecosystem.normalize_name(name), "1.0")
    try:
        ecosystem.check_name(name)
    except InvalidInput:
        return
    assert name.isascii()
    assert ".." not in name.split("/")
