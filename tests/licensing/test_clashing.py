"""Clashes over the tree: what comes in, by which path, and what the matrix says; nothing invented or hidden."""

import pytest

from accounts.actors import ANONYMOUS
from licensing import clashing
from registry.models import Check, Dependency, Package, Release
from tests import builders


@pytest.fixture
def grow(cast):
    """`grow({"app@MIT": ["lib"], "lib@GPL-3.0-only": []})`: approved packages 1.0.0 with licenses and dependencies."""

    def grow(graph: dict[str, list[str]], **fields) -> dict[str, Release]:
        made = {}
        for label, needs in graph.items():
            name, _, spdx = label.partition("@")
            made[name] = release = builders.release(builders.package(cast.acme, name, **fields), license=spdx)
            Dependency.objects.bulk_create(
                Dependency(release=release, ecosystem="npm", name=need, normalized=need, range="*") for need in needs
            )
        return made

    return grow


def told(found: clashing.Clashes) -> list[tuple[str, str]]:
    return [(line.answer.word, " > ".join(line.reached.path)) for line in found.lines]


def test_a_clash_is_told_with_the_path_that_brings_it_in(grow):
    made = grow({"app@MIT": ["lib", "tool"], "lib@ISC": ["deep"], "deep@GPL-3.0-only": [], "tool@Apache-2.0": []})
    found = clashing.over_tree(made["app"], ANONYMOUS)
    assert told(found) == [("no", "lib 1.0.0 > deep 1.0.0")]
    assert found.clashing[0].answer.explanation.startswith(
        "Software under a copyleft license such as the GPL-3.0-only"
    )
    assert (found.fine, found.unresolved, found.license) == (2, 0, "MIT")
    assert "OSADL" in found.source


def test_who_may_choose_has_no_clash_and_who_is_bound_by_both_has(grow):
    made = grow({
        "app@MIT": ["either", "both"], "either@GPL-3.0-only OR MIT": [], "both@GPL-3.0-only AND MIT": [],
        "dual@MIT OR GPL-3.0-only": ["both"],
    })  # fmt: skip
    assert told(clashing.over_tree(made["app"], ANONYMOUS)) == [("no", "both 1.0.0")]
    assert told(clashing.over_tree(made["dual"], ANONYMOUS)) == []


def test_a_library_under_a_weak_copyleft_needs_a_look_and_is_no_clash_except_under_a_strong_one(grow):
    libraries: dict[str, list[str]] = {"lgpl@LGPL-3.0-only": [], "mpl@MPL-2.0": [], "gpl@GPL-3.0-only": []}
    made = grow({"app@MIT": ["lgpl", "mpl", "gpl"], "old@GPL-2.0-only": ["lgpl"], **libraries})
    found = clashing.over_tree(made["app"], ANONYMOUS)
    assert told(found) == [("no", "gpl 1.0.0"), ("check", "lgpl 1.0.0"), ("check", "mpl 1.0.0")]
    assert found.to_look_at[0].answer.explanation.endswith("that stays a work of its own may be used.")
    assert told(clashing.over_tree(made["old"], ANONYMOUS)) == [("no", "lgpl 1.0.0")]


def test_where_the_matrix_is_silent_or_nothing_is_declared_it_is_unknown_and_what_depends_needs_a_look(grow):
    made = grow({
        "app@GPL-2.0-only": ["none", "odd", "own", "check", "family", "gone"],
        "none@": [], "odd@CC0-1.0": [], "own@UNLICENSED": [], "check@LGPL-2.1-only": [], "family@BSD": [],
    })  # fmt: skip
    found = clashing.over_tree(made["app"], ANONYMOUS)
    assert told(found) == [
        ("check", "check 1.0.0"), ("unknown", "none 1.0.0"), ("unknown", "odd 1.0.0"), ("unknown", "own 1.0.0")
    ]  # fmt: skip
    assert (found.fine, found.unresolved) == (1, 1)
    nobody_says = clashing.over_tree(grow({"bare@": ["odd"]})["bare"], ANONYMOUS)
    assert told(nobody_says) == [("unknown", "odd 1.0.0")]


def test_what_the_check_found_in_the_files_counts_before_what_was_declared(grow):
    made = grow({"app@MIT": ["lib"], "lib@BSD": []})
    Check.objects.create(release=made["lib"], name="license", status="passed", details={"expression": "GPL-2.0-only"})
    assert told(clashing.over_tree(made["app"], ANONYMOUS)) == [("no", "lib 1.0.0")]


def test_circles_and_diamonds_are_told_once_by_the_shortest_path(grow):
    made = grow({"app@MIT": ["a", "b"], "a@MIT": ["far"], "far@MIT": ["bad"], "b@MIT": ["bad"],
                 "bad@AGPL-3.0-only": ["app"]})  # fmt: skip
    assert told(clashing.over_tree(made["app"], ANONYMOUS)) == [("no", "b 1.0.0 > bad 1.0.0")]


def test_licenses_of_private_packages_stay_private(grow, cast):
    made = grow({"app@MIT": ["hidden"]}) | grow({"hidden@GPL-3.0-only": []}, visibility="private")
    assert told(clashing.over_tree(made["app"], ANONYMOUS)) == []
    assert told(clashing.over_tree(made["app"], builders.actor(cast.alice))) == [("no", "hidden 1.0.0")]
    known = [clashing.Reached("hidden", "1.0.0", ("hidden 1.0.0",))]
    assert clashing.among("MIT", "npm", known, ANONYMOUS).lines[0].answer.word == "unknown"


def test_a_wide_tree_costs_two_queries_a_level_and_two_for_its_licenses(grow, django_assert_num_queries):
    names = [f"lib-{number}" for number in range(300)]
    made = grow({"app@MIT": names, **{f"{name}@GPL-3.0-only": [] for name in names}})
    release = Release.objects.select_related("package").get(pk=made["app"].pk)
    with django_assert_num_queries(2 + 1 + 2 + 2):  # one level, a look below it, the root's license, theirs
        assert len(clashing.over_tree(release, ANONYMOUS).clashing) == 300
    assert Package.objects.count() == 301


def test_the_package_page_and_the_review_show_clashes_with_their_path(grow, client, cast):
    made = grow({"app@MIT": ["lib", "odd"], "lib@ISC": ["deep"], "deep@GPL-3.0-only": [], "odd@": []})
    Package.objects.update(latest_version="1.0.0", latest_status="approved")
    page = client.get("/packages/npm/app?tab=dependencies").content.decode()
    client.force_login(cast.bob)
    review = client.get(f"/admin/review/{made['app'].pk}/").content.decode()
    for text in (page, review):
        assert "1 license that does not fit" in text
        assert "1 of which nobody says whether it fits" in text
        assert "Software under a copyleft license such as the GPL-3.0-only" in text
        assert "brought in by" in text
    alone = client.get("/packages/npm/deep?tab=dependencies").content.decode()
    assert "license-clashes" not in alone
