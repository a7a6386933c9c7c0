"""What every ecosystem promises, asked of each alike."""

import shlex
from contextlib import suppress

import pytest

from registry import ecosystems
from registry.errors import InvalidInput, Refused

NAMES = {
    "npm": "@acme-utils/core",
    "pypi": "acme-utils",
    "maven": "org.acme:core",
    "docker": "acme/core",
    "generic": "core",
}
ANY = {"pypi": ">=1", "maven": "[1,)"}
VERSIONS = ["1.0.0", "1.2.0", "1.10.0", "2.0.0"]
PURLS = {
    "npm": "pkg:npm/%40acme-utils/core@1.2.0",
    "pypi": "pkg:pypi/acme-utils@1.2.0",
    "maven": "pkg:maven/org.acme/core@1.2.0",
    "docker": "pkg:docker/acme/core@1.2.0",
    "generic": "pkg:generic/core@1.2.0",
}
HOSTILE = ["", " ", "\x00", "..", "../x", "a" * 65536, "1" * 65536, "1." * 32768, " " * 65536, "é" * 20000, "\ud800"]
HOSTILE += [
    "'^" + " " * 65000 + "a",
    "1.2.3" + " " * 50000 + "x",
    "<" + "=" * 30000,
    "@a/" + "a." * 30000,
    "1-" * 30000,
]
HOSTILE += [
    "(" * 250,
    "[1," * 80,
    "||" * 120,
    "~>" * 120,
    "^" + " " * 254,
    "1.0.dev" + "9" * 240,
    "-" * 256,
    "1-a" * 80,
]


@pytest.fixture(params=ecosystems.ALL, ids=lambda one: one.slug)
def ecosystem(request):
    return request.param


def test_there_are_five_in_their_order():
    assert [one.slug for one in ecosystems.ALL] == ["npm", "pypi", "maven", "docker", "generic"]


def test_an_unknown_slug_is_answered_with_the_known_ones():
    with pytest.raises(InvalidInput) as caught:
        ecosystems.get("cargo")
    assert "npm, pypi, maven, docker, generic" in caught.value.message


def test_it_is_found_by_its_slug(ecosystem):
    assert ecosystems.get(ecosystem.slug) is ecosystem
    assert ecosystem.label


def test_a_good_name_passes_and_normalising_it_twice_changes_nothing(ecosystem):
    name = NAMES[ecosystem.slug]
    ecosystem.check_name(name)
    normal = ecosystem.normalize_name(name)
    assert ecosystem.normalize_name(normal) == normal
    assert name.startswith(ecosystem.scope_of(name))


def test_versions_are_sorted_and_the_best_is_the_highest(ecosystem):
    assert sorted(set(VERSIONS), key=ecosystem.sort_key) == VERSIONS
    assert ecosystem.best(VERSIONS, ANY.get(ecosystem.slug, "*")) == "2.0.0"


def test_an_exact_range_chooses_its_version(ecosystem):
    exact = {"pypi": "==1.2.0", "maven": "[1.2.0]"}.get(ecosystem.slug, "1.2.0")
    assert ecosystem.best(VERSIONS, exact) == "1.2.0"
    assert ecosystem.parse_range(exact).contains("1.2.0")
    assert not ecosystem.parse_range(exact).contains("1.10.0")
    assert ecosystem.best([], exact) is None


def test_canonical_spelling_is_stable_and_keeps_its_place(ecosystem):
    for version in VERSIONS:
        canonical = ecosystem.canonical_version(version)
        assert ecosystem.canonical_version(canonical) == canonical
        assert ecosystem.sort_key(canonical) == ecosystem.sort_key(version)


def test_what_is_no_version_sorts_first(ecosystem):
    assert ecosystem.sort_key("no version: (") < ecosystem.sort_key("0.0.0")


def test_prereleases_are_told_from_releases(ecosystem):
    early = {"pypi": "1.0rc1", "maven": "1.0-rc1"}.get(ecosystem.slug, "1.0.0-rc.1")
    assert ecosystem.is_prerelease(early)
    assert not ecosystem.is_prerelease("1.0.0")
    assert ecosystem.sort_key(early) < ecosystem.sort_key("1.0.0")


def test_it_writes_package_urls_and_install_commands(ecosystem):
    name = NAMES[ecosystem.slug]
    assert ecosystem.purl(name, "1.2.0") == PURLS[ecosystem.slug]
    assert ecosystem.purl(name) == PURLS[ecosystem.slug].partition("@1")[0]
    for source in ("https://host.example/files/it-1.2.0?ecosystem=x", "./it-1.2.0"):
        for client, line in ecosystem.install_commands(name, source):
            assert client
            assert source in shlex.split(line)[-1]
            assert "\n" not in line


@pytest.mark.parametrize("text", [text for text in HOSTILE if len(text) > 500], ids=lambda text: ascii(text[:12]))
def test_a_refusal_stays_a_sentence_however_long_the_text(ecosystem, text):
    for strict in (ecosystem.check_name, ecosystem.canonical_version, ecosystem.parse_range):
        if strict != ecosystem.parse_range or text.strip():
            with pytest.raises(InvalidInput) as caught:
                strict(text)
            assert len(caught.value.message) < 500
            assert caught.value.message.isprintable()


@pytest.mark.timeout(10)  # what backtracks takes minutes
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
def test_hostile_text_is_refused_with_a_sentence_and_in_no_time(ecosystem, text):
    ecosystem.normalize_name(text)
    ecosystem.scope_of(text)
    ecosystem.sort_key(text)
    ecosystem.is_prerelease(text)
    ecosystem.purl(text, text)
    for strict in (ecosystem.check_name, ecosystem.canonical_version, ecosystem.parse_range):
        with suppress(InvalidInput):
            strict(text)


def test_ranges_are_capped(ecosystem):
    with pytest.raises(InvalidInput):
        ecosystem.parse_range("1" * 257)


def test_what_nothing_recognises_is_refused_by_its_file_name(stored):
    for content in (b"", b"<html>", b"PK\x05\x06" + bytes(18), b"\x1f\x8b" + bytes(30), b"\xfd7zXZ\x00"):
        with pytest.raises(Refused) as caught:
            ecosystems.read_package(stored(content), "strange.bin")
        assert caught.value.details
