"""Names, versions, tags and ranges: what they mean, and to whom."""

import pytest

from accounts.actors import ANONYMOUS
from registry import documents, resolving
from registry.errors import InvalidInput, NotFound
from registry.models import DistTag
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def package(acme):
    """A package with versions of every kind, approved unless said otherwise."""
    made = builders.package(acme, "demo")
    for version, status in (
        ("1.0.0", "approved"), ("1.2.0", "approved"), ("1.10.0", "approved"), ("2.0.0", "pending"),
        ("2.0.0-rc.1", "approved"), ("1.11.0", "rejected"), ("1.12.0", "quarantined"),
    ):  # fmt: skip
        builders.release(made, version, status)
    documents.rebuild(made)
    return made


# --- names --------------------------------------------------------------------------------------------------------
def test_a_name_means_the_earliest_registered_package_and_the_others_are_named(acme):
    first = builders.package(acme, "demo", "pypi")
    second = builders.package(acme, "demo", "npm")
    assert resolving.find_package("demo", ANONYMOUS) == first
    assert resolving.find_package("demo", ANONYMOUS, "npm") == second
    assert resolving.also_in(first, ANONYMOUS) == ["npm"]
    assert resolving.also_in(second, ANONYMOUS) == ["pypi"]


@pytest.mark.parametrize("spelling", ["Demo.Pkg", "demo_pkg", "DEMO-PKG", "demo--pkg"])
def test_a_python_name_is_found_in_every_spelling(acme, spelling):
    made = builders.package(acme, "demo-pkg", "pypi")
    assert resolving.find_package(spelling, ANONYMOUS) == made


def test_an_unknown_name_is_not_found(db):
    for ecosystem in ("", "npm"):
        with pytest.raises(NotFound, match="Check the spelling"):
            resolving.find_package("nothing", ANONYMOUS, ecosystem)


def test_an_unknown_ecosystem_is_bad_input(db):
    with pytest.raises(InvalidInput):
        resolving.find_package("demo", ANONYMOUS, "cobol")


def test_a_private_package_is_unknown_to_strangers_in_the_same_words(acme, alice, mallory, bob):
    made = builders.package(acme, "secret", visibility="private")
    for actor in (ANONYMOUS, builders.actor(mallory)):
        with pytest.raises(NotFound) as hidden:
            resolving.find_package("secret", actor)
        with pytest.raises(NotFound) as unknown:
            resolving.find_package("absent", actor)
        assert hidden.value.message.replace("secret", "absent") == unknown.value.message
    for person in (alice, bob):
        assert resolving.find_package("secret", builders.actor(person)) == made


def test_a_private_package_elsewhere_is_not_named(acme, alice):
    public = builders.package(acme, "demo", "npm")
    builders.package(acme, "demo", "pypi", visibility="private")
    assert resolving.also_in(public, ANONYMOUS) == []
    assert resolving.also_in(public, builders.actor(alice)) == ["pypi"]


def test_a_token_without_read_sees_no_private_package(acme, alice):
    builders.package(acme, "secret", visibility="private")
    with pytest.raises(NotFound):
        resolving.find_package("secret", builders.actor(alice, "publish", kind="token"))


# --- versions and tags --------------------------------------------------------------------------------------------
def test_a_version_is_found_by_number_tag_and_other_spelling(acme, package):
    DistTag.objects.create(package=package, tag="next", release=package.releases.get(version="2.0.0-rc.1"))
    assert resolving.find_release(package, "1.2.0", ANONYMOUS).version == "1.2.0"
    assert resolving.find_release(package, "next", ANONYMOUS).version == "2.0.0-rc.1"
    assert resolving.find_release(package, "latest", ANONYMOUS).version == "1.10.0"
    python = builders.package(acme, "demo-pkg", "pypi")
    builders.release(python, "1.0", canonical="1")
    assert resolving.find_release(python, "1.0.0", ANONYMOUS).version == "1.0"


def test_a_tag_on_a_version_that_is_not_served_means_nothing(package):
    DistTag.objects.create(package=package, tag="bad", release=package.releases.get(version="1.12.0"))
    with pytest.raises(NotFound):
        resolving.find_release(package, "bad", ANONYMOUS)


def test_a_name_with_a_nul_byte_is_not_found(db):
    with pytest.raises(NotFound):
        resolving.find_package("le\x00ft", ANONYMOUS)
    assert documents.read("le\x00ft") is None


@pytest.mark.parametrize("version", ["9.9.9", "nonsense", "", "1.2", "../../x", "x" * 5000, "\x00"])
def test_what_is_no_version_or_tag_of_it_is_not_found(package, version):
    with pytest.raises(NotFound):
        resolving.find_release(package, version, ANONYMOUS)


def test_a_package_whose_only_versions_wait_has_a_latest_all_the_same(acme):
    made = builders.package(acme, "fresh")
    builders.release(made, "1.0.0", "pending")
    documents.rebuild(made)
    assert resolving.find_release(made, "latest", ANONYMOUS).version == "1.0.0"


# --- ranges -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "prerelease", "expected"),
    [
        ("^1.0.0", False, ("1.10.0", 3)),
        ("~1.2", False, ("1.2.0", 1)),
        ("*", False, ("1.10.0", 3)),
        ("1.0.0 || 1.2.0", False, ("1.2.0", 2)),
        (">=2.0.0-rc.0", False, ("2.0.0-rc.1", 1)),
        (">=1.0.0", True, ("2.0.0-rc.1", 4)),
    ],
)
def test_a_range_means_what_an_installer_would_choose_among_the_approved(package, text, prerelease, expected):
    assert resolving.resolve(package, text, prerelease) == expected


def test_a_range_that_nothing_satisfies_is_not_found(package):
    for text in ("^2.0.0", "^3", "1.11.0", "1.12.0"):
        with pytest.raises(NotFound):
            resolving.resolve(package, text)


@pytest.mark.parametrize("text", ["banana", ">>1", "^" * 300, "1.2.3 - - 2"])
def test_a_bad_range_is_bad_input(package, text):
    with pytest.raises(InvalidInput):
        resolving.resolve(package, text)


def test_python_ranges_follow_python_rules(acme):
    made = builders.package(acme, "demo-pkg", "pypi")
    for version in ("1.0", "1.4.post1", "2.0rc1"):
        builders.release(made, version)
    assert resolving.resolve(made, ">=1,<2") == ("1.4.post1", 2)
    assert resolving.resolve(made, "", True)[0] == "2.0rc1"


def test_finding_and_resolving_cost_a_constant_number_of_queries(acme, django_assert_num_queries):
    made = builders.package(acme, "many")
    for number in range(50):
        builders.release(made, f"1.0.{number}")
    with django_assert_num_queries(1):
        resolving.find_package("many", ANONYMOUS)
    with django_assert_num_queries(1):
        resolving.resolve(made, "^1.0.0")
