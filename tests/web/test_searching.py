"""Searching: who finds what, in which order, and how many."""

import pytest

from accounts.actors import ANONYMOUS, SYSTEM
from registry import documents, search_index, searching
from registry.errors import InvalidInput
from registry.models import Change
from registry.searching import Query
from tests import builders

HOSTILE = [
    '"', "'", "*", "a*", '"a', "a OR", "AND", "NOT a", "NEAR(a b)", "name:a", "{a b}:c", "^a", "a + b", "(", ")))",
    "-", "--", "a:*", "a & b | !c", "'; DROP TABLE registry_search; --", "\x00", "a\x00b", "%", "_", "\\", "\ud800",
    "🦀", "ａ", "é", " ", "\t\n", "a" * 10_000, "a " * 5_000, '" ' * 5_000, "@", "@acme/", "٣", "ß", "İ",
]  # fmt: skip


@pytest.fixture
def shelf(acme):
    """Six packages of several kinds, indexed."""

    def stand(name, version="1.0.0", status="approved", **fields):
        package = builders.package(acme, name, **fields)
        builders.release(package, version, status, license=fields.get("license", "MIT"))
        documents.rebuild(package)
        return package

    return [
        stand("left-pad", description="String left pad", category="TEXT", keywords=["string", "pad"], downloads=10),
        stand("pad", description="Pads things", category="TEXT", downloads=1),
        stand("@acme-utils/core", description="Core of everything, with a pad", license="Apache-2.0", downloads=500),
        stand("requests", description="HTTP for humans", ecosystem="pypi", category="WEB", license="Apache-2.0"),
        stand("secret-plans", description="Internal pad", visibility="private", status="pending"),
        stand("dual", description="Two licenses", license="MIT OR Apache-2.0", status="rejected"),
    ]


def names(query, actor=ANONYMOUS):
    return [package.name for package in searching.search(query, actor)]


def test_an_exact_name_comes_before_names_that_begin_so_and_those_before_mentions(shelf):
    assert names(Query(search="pad")) == ["pad", "left-pad", "@acme-utils/core"]


def test_words_are_found_in_name_keywords_and_description(shelf):
    assert names(Query(search="string")) == ["left-pad"]
    assert names(Query(search="humans")) == ["requests"]
    assert names(Query(search="utils core")) == ["@acme-utils/core"]


def test_the_beginning_of_a_word_finds_it_and_so_do_other_spellings(shelf):
    assert names(Query(search="reque")) == ["requests"]
    assert names(Query(search="REQUESTS")) == ["requests"]
    assert names(Query(search="leftpad")) == ["left-pad"]
    assert names(Query(search="left-p")) == ["left-pad"]
    assert names(Query(search="@acme-utils/core")) == ["@acme-utils/core"]
    assert names(Query(search="ｒｅｑｕｅｓｔｓ")) == ["requests"]


def test_every_word_must_occur(shelf):
    assert names(Query(search="left humans")) == []


def test_only_members_find_private_packages(shelf, alice, bob, mallory):
    query = Query(search="plans")
    assert names(query) == []
    assert names(query, builders.actor(mallory)) == []
    assert names(query, builders.actor(alice)) == ["secret-plans"]
    assert names(query, builders.actor(bob)) == ["secret-plans"]


def test_counts_and_facets_count_only_what_the_actor_may_see(shelf, alice):
    assert searching.count(Query(), ANONYMOUS) == 5
    assert searching.count(Query(), builders.actor(alice)) == 6
    assert dict(searching.facets(Query(), ANONYMOUS)["status"]) == {"approved": 4, "rejected": 1}
    assert dict(searching.facets(Query(), builders.actor(alice))["status"]) == {
        "approved": 4,
        "pending": 1,
        "rejected": 1,
    }


def test_filters_narrow_the_list(shelf):
    assert names(Query(ecosystem="pypi")) == ["requests"]
    assert names(Query(category="TEXT")) == ["left-pad", "pad"]
    assert names(Query(status="rejected")) == ["dual"]
    assert names(Query(search="pad", category="TEXT")) == ["pad", "left-pad"]


def test_a_license_filter_finds_expressions_that_name_it(shelf):
    assert names(Query(license="MIT")) == ["dual", "left-pad", "pad"]
    assert names(Query(license="mit or apache-2.0")) == ["dual"]
    assert names(Query(license="Apache")) == []


def test_a_facet_ignores_its_own_filter_and_heeds_the_others(shelf):
    facets = searching.facets(Query(ecosystem="pypi", license="Apache-2.0"), ANONYMOUS)
    assert facets["ecosystem"] == [("npm", 2), ("pypi", 1)]
    assert facets["license"] == [("Apache-2.0", 1)]
    assert facets["category"] == [("WEB", 1)]


def test_categories_are_counted(shelf):
    assert searching.categories(ANONYMOUS) == [("TEXT", 2), ("WEB", 1)]


def test_orderings_order(shelf):
    assert names(Query(ordering="-downloads"))[0] == "@acme-utils/core"
    assert names(Query(ordering="name"))[0] == "@acme-utils/core"
    assert names(Query(ordering="-updated"))[0] == "dual"
    assert names(Query(ordering="relevance"))[0] == "@acme-utils/core"
    assert names(Query(search="pad", ordering="-downloads"))[0] == "@acme-utils/core"


@pytest.mark.parametrize("field", ["ecosystem", "category", "status", "ordering"])
def test_a_value_that_does_not_exist_is_refused_by_name(db, field):
    for ask in (searching.search, searching.count, searching.facets):
        with pytest.raises(InvalidInput) as refusal:
            ask(Query(**{field: "nonsense'\x00"}), ANONYMOUS)
        assert field in refusal.value.details


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
def test_no_text_breaks_the_search(shelf, text):
    query = Query(search=text, license=text)
    list(searching.search(Query(search=text), ANONYMOUS))
    list(searching.search(query, ANONYMOUS))
    assert searching.count(query, SYSTEM) >= 0
    assert searching.facets(query, ANONYMOUS)


def test_a_count_is_kept_until_something_changes(shelf, django_assert_num_queries):
    searching.count(Query(search="pad"), ANONYMOUS)
    with django_assert_num_queries(1):
        assert searching.count(Query(search="pad"), ANONYMOUS) == 3
    shelf[1].description = "Something else"
    shelf[1].name = shelf[1].normalized = "other"
    shelf[1].save()
    documents.rebuild(shelf[1])
    assert searching.count(Query(search="pad"), ANONYMOUS) == 2


def test_what_is_unlisted_leaves_lists_counts_and_facets(shelf):
    from django.utils import timezone

    shelf[1].releases.update(unlisted_at=timezone.now())
    documents.rebuild(shelf[1])
    assert "pad" not in names(Query())
    assert searching.count(Query(), ANONYMOUS) == 4


def test_many_hits_are_ranked_by_use(shelf, monkeypatch):
    monkeypatch.setattr(searching, "BROAD", 1)
    assert names(Query(search="pad")) == ["pad", "@acme-utils/core", "left-pad"]


def test_a_list_costs_one_query_whatever_the_filters(shelf, django_assert_num_queries):
    Change.objects.all().delete()
    with django_assert_num_queries(1):
        list(searching.search(Query(ecosystem="npm", status="approved"), ANONYMOUS, total=3)[:20])


@pytest.fixture
def crowd(cast):
    """Forty packages of every kind, which differ in everything that lists filter and order by."""
    projects = (cast.acme, builders.project("orchard", owner=cast.mallory))
    kinds = [
        {"ecosystem": "npm", "category": "WEB", "license": "MIT"},
        {"ecosystem": "pypi", "category": "CLI", "license": "MIT OR Apache-2.0"},
        {"ecosystem": "npm", "category": "CLI", "license": "ISC"},
    ]
    for number in range(40):
        name, kind = f"{('badge', 'tool', 'bar')[number % 3]}-{number:02}", kinds[number % 3]
        sight = "private" if number % 5 == 0 else "public"
        text = f"Balances {'trees' if number % 4 else 'bananas'}"
        used = {"downloads": number * 7 % 11, "visibility": sight, "description": text}
        package = builders.package(projects[number % 2], name, **kind, **used)
        builders.release(package, "1.0.0", "pending" if number % 7 == 0 else "approved", license=kind["license"])
        documents.rebuild(package)
    return cast


QUERIES = [
    Query(search=search, ordering=ordering, **filters)
    for search in ("ba", "bar", "badge-00", "tool tr", "")
    for ordering in ("", "downloads", "-updated")
    for filters in ({}, {"ecosystem": "npm", "status": "approved"}, {"license": "mit", "category": "CLI"})
]


def test_walking_finds_the_same_rows_in_the_same_order_as_sorting_all_hits(crowd, monkeypatch):
    monkeypatch.setattr(searching, "BROAD", 0)
    monkeypatch.setattr(searching, "FEW", 9)
    for actor in (ANONYMOUS, SYSTEM, builders.actor(crowd.alice)):
        for query in QUERIES:
            monkeypatch.setattr(searching, "STEP", 1_000_000)
            whole = names(query, actor)
            assert searching.count(query, actor) == len(whole)
            monkeypatch.setattr(searching, "STEP", 0)
            pages = [searching.search(query, actor)[start : start + 8] for start in range(0, 42, 8)]
            assert [package.name for page in pages for package in page] == whole, query


def test_totals_are_exact_for_everybody_whatever_is_private(crowd):
    def seen(actor, **filters):
        return searching.count(Query(search="ba", **filters), actor)

    alice, mallory = builders.actor(crowd.alice), builders.actor(crowd.mallory)
    assert [seen(actor) for actor in (ANONYMOUS, alice, mallory, SYSTEM)] == [32, 36, 36, 40]
    assert [seen(actor, license="Apache-2.0") for actor in (ANONYMOUS, alice, SYSTEM)] == [11, 12, 13]
    assert seen(SYSTEM, license="MIT or apache-2.0", ecosystem="pypi", status="approved", category="CLI") == 11
    assert seen(SYSTEM, license="MIT or apache-2.0", ecosystem="npm") == 0


def test_nobody_finds_or_counts_anything_by_the_marks_of_the_index(crowd):
    for text in ("_private", "private", "_unlisted", "_ecosystem", "ecosystem", "_status", search_index.PRIVATE):
        assert searching.count(Query(search=text), SYSTEM) == 0
        assert names(Query(search=text), SYSTEM) == []


def test_a_search_costs_few_queries_however_it_is_ranked(crowd, monkeypatch, django_assert_num_queries):
    query, alice = Query(search="ba", ecosystem="npm"), builders.actor(crowd.alice)
    total = searching.count(query, alice)
    with django_assert_num_queries(3):
        assert len(searching.search(query, alice, total)[:5]) == 5
    monkeypatch.setattr(searching, "BROAD", 1)
    monkeypatch.setattr(searching, "FEW", 1)
    monkeypatch.setattr(searching, "STEP", 0)
    with django_assert_num_queries(4):
        assert len(searching.search(query, alice, total)[:5]) == 5


def test_a_cache_that_does_not_answer_is_no_reason_to_fail(shelf, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
            "OPTIONS": {"socket_connect_timeout": 0.2, "socket_timeout": 0.2},
        }
    }
    assert searching.count(Query(), ANONYMOUS) == 5
    assert searching.facets(Query(), ANONYMOUS)["ecosystem"] == [("npm", 4), ("pypi", 1)]
