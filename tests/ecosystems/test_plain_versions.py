"""Docker tags and generic versions, which follow no specification."""

import itertools

import pytest

from registry import ecosystems
from registry.ecosystems import natural
from registry.errors import InvalidInput, Refused

DOCKER, GENERIC = ecosystems.get("docker"), ecosystems.get("generic")


def test_natural_order_counts_numbers_and_puts_prerelease_words_first():
    chain = ["0.9", "1.0-dev", "1.0-alpha", "1.0-alpha2", "1.0-beta1", "1.0-rc1", "1.0-rc2", "1.0-rc10", "1.0"]
    chain += ["1.0-alpine", "1.0-slim", "1.0.1", "1.2", "1.10", "2024-01-31", "2024-02-01"]
    for low, high in itertools.combinations(chain, 2):
        assert natural.key(low) < natural.key(high), (low, high)


def test_spellings_that_tie_are_still_two_versions():
    assert natural.key("1.0") != natural.key("1.00")
    assert GENERIC.canonical_version("1.00") == "1.00"


def test_a_docker_name_without_scope_is_looked_up_in_the_library():
    assert DOCKER.normalize_name("nginx") == "library/nginx"
    assert DOCKER.normalize_name("Acme/API") == "acme/api"
    assert DOCKER.scope_of("library/nginx") == "library"
    assert DOCKER.scope_of("nginx") == ""


@pytest.mark.parametrize(
    "name", ["", "Nginx", "a/b/c", "-a", "a-", "a..b", "a/", "/a", "ä", "a b", "publish", "a" * 256]
)
def test_docker_refuses_other_names(name):
    for good in ("nginx", "library/nginx", "acme/my_app.v2", "a--b", "a__b"):
        DOCKER.check_name(good)
    with pytest.raises(InvalidInput):
        DOCKER.check_name(name)


@pytest.mark.parametrize("tag", ["", ".1", "-1", "a b", "a" * 129, "ä", "1/2"])
def test_docker_refuses_other_tags(tag):
    assert DOCKER.canonical_version("1.25-Alpine_3") == "1.25-Alpine_3"
    with pytest.raises(InvalidInput):
        DOCKER.canonical_version(tag)


def test_docker_ranges_are_one_tag_or_any():
    tags = ["1.24", "1.25", "1.26-rc1"]
    assert DOCKER.best(tags, "1.24") == "1.24"
    assert DOCKER.best(tags, "*") == "1.25"
    assert DOCKER.best(tags, "*", prerelease=True) == "1.26-rc1"
    assert DOCKER.best(tags, "1.26-rc1") == "1.26-rc1"
    assert DOCKER.best(tags, "1.27") is None
    with pytest.raises(InvalidInput):
        DOCKER.parse_range("^1.24")


def test_generic_ranges_are_exact_or_like_npm():
    versions = ["1.2.0", "1.3.0", "2.0.0", "nightly"]
    assert GENERIC.best(versions, "1.2.0") == "1.2.0"
    assert GENERIC.best(versions, "^1.2") == "1.3.0"
    assert GENERIC.best(versions, "nightly") == "nightly"
    assert GENERIC.best(versions, "*") == "2.0.0"
    with pytest.raises(InvalidInput):
        GENERIC.parse_range(">= abc")


@pytest.mark.parametrize("word", ["", ".", "..", "a/b", "a b", "ä", "a" * 129, "a\n"])
def test_generic_names_and_versions_are_one_path_segment(word):
    GENERIC.check_name("My_tool+1.x")
    with pytest.raises(InvalidInput):
        GENERIC.check_name(word)
    with pytest.raises(InvalidInput):
        GENERIC.canonical_version(word)


def test_a_generic_file_is_read_as_it_is(stored):
    package = GENERIC.read(stored(b"MZ any bytes"), filename="my tool.exe")
    assert (package.kind, package.filename, package.unpacked_size) == ("file", "my-tool.exe", 12)
    assert package.entries[0].size == 12


@pytest.mark.parametrize("slug", ["docker", "maven"])
def test_what_is_not_uploaded_as_one_file_says_how_it_comes(slug, stored):
    with pytest.raises(Refused) as caught:
        ecosystems.get(slug).read(stored(b"PK"))
    assert caught.value.code == "unsupported_format"
