"""Dependency trees: cycles cut, repeats named once, what is not here marked, bounded in size and in queries."""

import pytest

from accounts.actors import ANONYMOUS
from registry import resolving
from registry.errors import InvalidInput, Refused
from registry.models import Dependency
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def grow(acme):
    """`grow({"a@1.0.0": {"b": "^1"}})`: approved releases with their dependencies."""

    def grow(graph: dict[str, dict[str, str]], ecosystem: str = "npm", **fields) -> dict:
        made = {}
        for label, needs in graph.items():
            name, _, version = label.rpartition("@")
            package = builders.Package.objects.filter(ecosystem=ecosystem, name=name).first()
            package = package or builders.package(acme, name, ecosystem, **fields)
            made[label] = release = builders.release(package, version)
            Dependency.objects.bulk_create(
                Dependency(release=release, ecosystem=ecosystem, name=need, normalized=need, range=text)
                for need, text in needs.items()
            )
        return made

    return grow


def drawn(node: dict, at: int = 0) -> str:
    """The tree as text: one line a node, with its marks."""
    marks = "".join(f" {mark}" for mark in ("circular", "unresolved", "repeated") if node.get(mark))
    lines = [f"{'  ' * at}{node['name']}@{node['version']}{marks}"]
    return "\n".join([*lines, *(drawn(child, at + 1) for child in node["dependencies"])])


def test_each_range_is_resolved_against_what_is_held_here(grow):
    made = grow({"app@1.0.0": {"lib": "^1.0.0"}, "lib@1.0.0": {}, "lib@1.4.0": {"deep": "*"}, "lib@2.0.0": {},
                 "deep@0.1.0": {}})  # fmt: skip
    tree = resolving.tree(made["app@1.0.0"], resolving.FULL_DEPTH, ANONYMOUS)
    assert drawn(tree) == "app@1.0.0\n  lib@1.4.0\n    deep@0.1.0"
    assert tree["dependencies"][0] | {"dependencies": []} == {
        "name": "lib", "version": "1.4.0", "range": "^1.0.0", "status": "approved", "dependencies": []
    }  # fmt: skip


def test_a_cycle_is_cut_and_marked(grow):
    made = grow({"a@1.0.0": {"b": "*"}, "b@1.0.0": {"c": "*"}, "c@1.0.0": {"a": "*"}})
    assert drawn(resolving.tree(made["a@1.0.0"], resolving.FULL_DEPTH, ANONYMOUS)) == (
        "a@1.0.0\n  b@1.0.0\n    c@1.0.0\n      a@1.0.0 circular"
    )


def test_a_package_that_needs_itself_is_a_cycle(grow):
    made = grow({"a@1.0.0": {"a": "*"}})
    assert drawn(resolving.tree(made["a@1.0.0"], 5, ANONYMOUS)) == "a@1.0.0\n  a@1.0.0 circular"


def test_a_subtree_stands_in_full_once_where_it_is_nearest_to_the_root(grow):
    made = grow({"a@1.0.0": {"b": "*", "d": "*"}, "b@1.0.0": {"d": "*"}, "d@1.0.0": {"e": "*"}, "e@1.0.0": {}})
    assert drawn(resolving.tree(made["a@1.0.0"], resolving.FULL_DEPTH, ANONYMOUS)) == (
        "a@1.0.0\n  b@1.0.0\n    d@1.0.0 repeated\n  d@1.0.0\n    e@1.0.0"
    )


def test_a_leaf_is_never_marked_as_repeated(grow):
    made = grow({"a@1.0.0": {"b": "*", "e": "*"}, "b@1.0.0": {"e": "*"}, "e@1.0.0": {}})
    assert "repeated" not in drawn(resolving.tree(made["a@1.0.0"], resolving.FULL_DEPTH, ANONYMOUS))


def test_what_nothing_here_satisfies_is_unresolved(grow):
    made = grow({"a@1.0.0": {"absent": "^1", "b": "^9", "c": "git+ssh://x/y"}, "b@1.0.0": {}, "c@1.0.0": {}})
    tree = resolving.tree(made["a@1.0.0"], 3, ANONYMOUS)
    assert drawn(tree) == "a@1.0.0\n  absent@None unresolved\n  b@None unresolved\n  c@None unresolved"
    assert tree["dependencies"][0]["status"] is None


@pytest.mark.parametrize(("depth", "lines"), [(0, 1), (1, 2), (2, 3), (20, 4), (resolving.FULL_DEPTH, 4)])
def test_the_depth_is_kept(grow, depth, lines):
    made = grow({"a@1.0.0": {"b": "*"}, "b@1.0.0": {"c": "*"}, "c@1.0.0": {"d": "*"}, "d@1.0.0": {}})
    assert len(drawn(resolving.tree(made["a@1.0.0"], depth, ANONYMOUS)).splitlines()) == lines


def test_only_what_is_approved_and_listed_is_chosen(grow):
    made = grow({"a@1.0.0": {"b": "*"}, "b@1.0.0": {}, "b@2.0.0": {}})
    made["b@2.0.0"].status = "pending"
    made["b@2.0.0"].save()
    assert "b@1.0.0" in drawn(resolving.tree(made["a@1.0.0"], 2, ANONYMOUS))
    made["b@1.0.0"].unlisted_at = made["b@1.0.0"].submitted_at
    made["b@1.0.0"].save()
    assert "b@None unresolved" in drawn(resolving.tree(made["a@1.0.0"], 2, ANONYMOUS))


def test_private_packages_stand_in_the_trees_of_those_who_see_them(grow, alice, mallory):
    made = grow({"a@1.0.0": {"secret": "*"}}) | grow({"secret@1.0.0": {}}, visibility="private")
    assert "secret@1.0.0" in drawn(resolving.tree(made["a@1.0.0"], 2, builders.actor(alice)))
    for actor in (ANONYMOUS, builders.actor(mallory)):
        assert "secret@None unresolved" in drawn(resolving.tree(made["a@1.0.0"], 2, actor))


def test_what_is_only_needed_for_development_stays_out(grow, acme):
    made = grow({"a@1.0.0": {"b": "*"}, "b@1.0.0": {}})
    Dependency.objects.update(kind="dev")
    assert drawn(resolving.tree(made["a@1.0.0"], 2, ANONYMOUS)) == "a@1.0.0"


def test_a_deep_chain_grows_to_its_end(grow):
    graph = {f"n{n}@1.0.0": {f"n{n + 1}": "*"} for n in range(300)}
    made = grow(graph | {"n300@1.0.0": {}})
    assert len(drawn(resolving.tree(made["n0@1.0.0"], resolving.FULL_DEPTH, ANONYMOUS)).splitlines()) == 301


def wide(grow, roots: int, width: int):
    """A root with `roots` children that need `width` leaves each, all different."""
    graph: dict[str, dict[str, str]] = {"root@1.0.0": {f"c{n}": "*" for n in range(roots)}}
    graph |= {f"c{n}@1.0.0": {f"absent-{n}-{m}": "*" for m in range(width)} for n in range(roots)}
    return grow(graph)["root@1.0.0"]


def test_ten_thousand_nodes_are_the_limit(grow):
    release = wide(grow, 99, 100)  # 1 + 99 + 9,900 nodes
    assert len(drawn(resolving.tree(release, 2, ANONYMOUS)).splitlines()) == 10_000
    Dependency.objects.create(release=release, ecosystem="npm", name="more", normalized="more", range="*")
    with pytest.raises(Refused, match="10,000") as caught:
        resolving.tree(release, 2, ANONYMOUS)
    assert caught.value.code == "tree_too_large"
    assert resolving.tree(release, 1, ANONYMOUS)


def test_a_small_graph_of_many_paths_does_not_explode(grow):
    layers = {
        f"l{layer}-{n}@1.0.0": {f"l{layer + 1}-{m}": "*" for m in range(8)} for layer in range(12) for n in range(8)
    }
    made = grow(layers | {f"l12-{n}@1.0.0": {} for n in range(8)})
    assert len(drawn(resolving.tree(made["l0-0@1.0.0"], resolving.FULL_DEPTH, ANONYMOUS)).splitlines()) < 1_000


@pytest.mark.parametrize(("roots", "width"), [(2, 2), (40, 40)])
def test_each_level_costs_two_queries_however_wide_it_is(grow, django_assert_num_queries, roots, width):
    release = wide(grow, roots, width)
    with django_assert_num_queries(4):
        resolving.tree(release, 2, ANONYMOUS)


@pytest.mark.parametrize(("text", "depth"), [("shallow", 0), ("0", 0), ("1", 1), ("20", 20), ("full", 1000)])
def test_depths_are_read_as_the_contract_has_them(text, depth):
    assert resolving.depth_from(text) == depth


@pytest.mark.parametrize("text", ["", "21", "-1", "deep", "1.5", "²", "1e1", "100", " 1", "00000001"])
def test_other_depths_are_bad_input(text):
    with pytest.raises(InvalidInput):
        resolving.depth_from(text)
