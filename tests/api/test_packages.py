"""One package (contract section 3): served as stored bytes, masked, conditional, with its tree."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry import documents
from registry.models import Package, Release
from tests import builders
from tests.api.clients import ApiClient
from tests.builders import Cast

CORE = "/packages/@acme-utils/core"


def stored(package: Package) -> Package:
    """The package with its documents built."""
    documents.rebuild(package)
    return package


def needing(package: Package, version: str, **needs: str) -> Release:
    """An approved release that depends on others by name."""
    release = builders.release(package, version)
    for name, text in needs.items():
        release.dependencies.create(ecosystem="npm", name=name, normalized=name, range=text)
    stored(package)
    return release


def test_a_package_is_served_as_it_was_published(nobody: ApiClient, core: Release):
    body = nobody.get(CORE).json()

    assert (body["name"], body["scope"], body["ecosystem"]) == ("@acme-utils/core", "@acme-utils", "npm")
    assert (body["project"], body["visibility"], body["status"]) == ("acme", "public", "approved")
    assert [one["version"] for one in body["versions"]] == ["1.2.0"]
    assert body["versions"][0]["download_url"] == f"/api/v1{CORE}/versions/1.2.0/download"
    assert body["versions"][0]["signature"]["signer"] == "alice"
    assert body["dependencies"] == {"left-pad": "^1.0.0"}
    assert body["maintainers"] == [{"username": "alice"}]
    assert body["dist_tags"] == {"latest": "1.2.0"}


@pytest.mark.parametrize("base", ["/api/v1", "/v1"])
def test_both_bases_answer_the_same_bytes(core: Release, base: str):
    assert ApiClient(base=base).get(CORE).content == ApiClient().get(CORE).content


def test_an_anonymous_read_is_one_query_and_no_serialisation(nobody: ApiClient, core: Release):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        nobody.get(CORE)

    assert len(queries) == 1, [query["sql"] for query in queries]
    assert "registry_document" in queries[0]["sql"]


def test_who_has_the_bytes_already_gets_304(nobody: ApiClient, core: Release):
    etag = nobody.get(CORE)["ETag"]

    again = nobody.get(CORE, headers={"If-None-Match": f'"other", W/{etag}'})

    assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
    assert nobody.get(CORE, headers={"If-None-Match": '"other"'}).status_code == 200


def test_shared_caches_may_keep_only_what_everybody_sees(nobody: ApiClient, core: Release, cast: Cast, client_of):
    assert nobody.get(CORE)["Cache-Control"] == "public, no-cache"
    assert client_of(cast.mallory).get(CORE)["Cache-Control"] == "private, no-cache"
    assert "Authorization" in nobody.get(CORE)["Vary"]


def test_head_says_what_get_would(nobody: ApiClient, core: Release):
    head, get = nobody.head(CORE), nobody.get(CORE)

    assert (head.status_code, head.content, head["ETag"]) == (200, b"", get["ETag"])
    assert head["Content-Length"] == str(len(get.content))


def test_options_say_which_methods_there_are(nobody: ApiClient, core: Release):
    answer = nobody.options(CORE)

    assert (answer.status_code, answer["Allow"]) == (204, "GET, HEAD, OPTIONS")


def test_a_wrong_method_is_405_in_the_one_shape(nobody: ApiClient, core: Release):
    answer = nobody.send("PUT", CORE, {})

    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert answer.json()["statusCode"] == 405


def test_addresses_are_masked_except_for_maintainers_and_their_owner(cast: Cast, core: Release, nobody, client_of):
    assert nobody.get(CORE).json()["submitted_by"] == "a***@example.com"
    assert client_of(cast.mallory).get(CORE).json()["submitted_by"] == "a***@example.com"
    assert client_of(cast.bob).get(CORE).json()["submitted_by"] == "alice@example.com"
    assert client_of(cast.alice).get(CORE).json()["submitted_by"] == "alice@example.com"


def test_a_private_package_is_not_there_for_strangers(cast: Cast, nobody, client_of):
    stored(builders.package(cast.acme, "secret", visibility="private"))

    assert nobody.get("/packages/secret").status_code == 404
    assert client_of(cast.mallory).get("/packages/secret").status_code == 404
    mine = client_of(cast.alice).get("/packages/secret")
    assert (mine.status_code, mine.json()["visibility"], mine["Cache-Control"]) == (
        200,
        "private",
        "private, no-cache",
    )


def test_a_private_package_does_not_hide_a_public_one_of_the_same_name(cast: Cast, nobody):
    stored(builders.package(cast.acme, "same", visibility="private"))
    stored(builders.package(cast.acme, "same", ecosystem="pypi"))

    answer = nobody.get("/packages/same").json()

    assert (answer["ecosystem"], answer["also_in"]) == ("pypi", [])


def test_the_earliest_of_several_ecosystems_answers_and_names_the_others(cast: Cast, nobody):
    stored(builders.package(cast.acme, "flask", ecosystem="pypi"))
    stored(builders.package(cast.acme, "flask"))

    first = nobody.get("/packages/flask").json()

    assert (first["ecosystem"], first["also_in"]) == ("pypi", ["npm"])
    assert nobody.get("/packages/flask?ecosystem=npm").json()["also_in"] == ["pypi"]
    assert nobody.get("/packages/Flask").json()["ecosystem"] == "pypi"


@pytest.mark.parametrize(
    "query", ["ecosystem=cobol", "ecosystem=%00", "depth=21", "depth=-1", "depth=deep", "depth=", "ecosystem="]
)
def test_nonsense_parameters_are_400(nobody: ApiClient, core: Release, query: str):
    assert nobody.get(f"{CORE}?{query}").status_code == 400


def test_depth_adds_the_tree_with_cycles_cut(cast: Cast, nobody):
    needing(builders.package(cast.acme, "a"), "1.0.0", b="^1.0.0", c="*", gone="^9.0.0")
    needing(builders.package(cast.acme, "b"), "1.1.0", a="^1.0.0", c="*")
    needing(builders.package(cast.acme, "c"), "2.0.0", b="^1.0.0")

    tree = nobody.get("/packages/a?depth=full").json()["dependency_tree"]

    found = {need["name"]: need for need in tree["dependencies"]}
    assert (tree["name"], tree["version"]) == ("a", "1.0.0")
    assert (found["b"]["version"], found["b"]["range"]) == ("1.1.0", "^1.0.0")
    assert found["gone"]["unresolved"] is True
    assert found["gone"]["version"] is None
    assert [need.get("circular") for need in found["b"]["dependencies"] if need["name"] == "a"] == [True]


def test_shallow_is_what_no_depth_is(nobody: ApiClient, core: Release):
    plain = nobody.get(CORE).json()

    assert "dependency_tree" not in plain
    assert nobody.get(f"{CORE}?depth=shallow").json() == plain
    assert nobody.get(f"{CORE}?depth=1").json()["dependency_tree"]["dependencies"][0]["unresolved"] is True


def test_an_unknown_package_is_404_and_says_what_to_do(nobody: ApiClient):
    answer = nobody.get("/packages/nowhere")

    assert answer.status_code == 404
    assert "nowhere" in answer.json()["error"]
