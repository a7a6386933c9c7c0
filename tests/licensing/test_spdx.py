"""License facts come from the lists; what they do not say stays unknown."""

import pytest

from licensing import compatibility, spdx

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("license_id", "category"),
    [
        ("MIT", "permissive"),
        ("Apache-2.0", "permissive"),
        ("Unlicense", "public-domain"),
        ("CC0-1.0", "public-domain"),
        ("MPL-2.0", "weak-copyleft"),
        ("LGPL-2.1-or-later", "weak-copyleft"),
        ("GPL-3.0-only", "strong-copyleft"),
        ("AGPL-3.0-or-later", "network-copyleft"),
        ("CC-BY-NC-4.0", "non-commercial"),
        ("PolyForm-Noncommercial-1.0.0", "non-commercial"),
        ("BUSL-1.1", "source-available"),
        ("SSPL-1.0", "source-available"),
    ],
)
def test_categories(license_id: str, category: str):
    assert spdx.facts(license_id).category == category


def test_facts_of_a_license_are_found_whatever_its_case():
    known = spdx.facts("apache-2.0")
    assert (known.id, known.name, known.osi_approved, known.deprecated) == (
        "Apache-2.0",
        "Apache License 2.0",
        True,
        False,
    )
    assert known.requires_attribution is True
    assert known.allows_commercial is True


def test_what_asks_for_no_notice_says_so():
    assert not any(spdx.facts(one).requires_attribution for one in ("0BSD", "MIT-0", "Unlicense", "CC0-1.0"))


def test_restricted_licenses_do_not_allow_commercial_use():
    assert [spdx.facts(one).allows_commercial for one in ("CC-BY-NC-4.0", "BUSL-1.1", "GPL-3.0-only")] == [
        False,
        False,
        True,
    ]


def test_an_unlisted_id_has_no_facts():
    assert spdx.facts("Acme-1.0") is None
    assert "MIT" in spdx.nearest("MITT")


def test_compatibility_is_asked_from_the_license_that_is_taken_in():
    apache = compatibility.of("Apache-2.0")
    assert {"MIT", "GPL-3.0-only"} <= set(apache.compatible_with)
    assert "GPL-2.0-only" in apache.incompatible_with
    assert "Apache-2.0" not in apache.compatible_with + apache.incompatible_with


def test_a_license_outside_of_the_matrix_is_not_known_to_be_compatible():
    outside = compatibility.of("MIT-0")
    assert (outside.known, outside.compatible_with, outside.incompatible_with) == (False, (), ())


def test_the_matrix_names_its_makers_its_license_and_its_date():
    assert compatibility.source() == "OSADL license compatibility matrix of 2024-11-04, CC-BY-4.0"
    assert "CC-BY-4.0" in compatibility.matrix()["notice"]
