"""The approving gate of licensing: today's policy over what the check found."""

import pytest

from accounts.actors import SYSTEM
from licensing.gates import license_is_allowed
from licensing.models import LicensePolicy
from registry.models import Check


@pytest.mark.parametrize(
    ("declared", "answer", "code"),
    [
        ("MIT", "allow", "LICENSE_APPROVED"),
        ("GPL-3.0-only", "hold", "LICENSE_NEEDS_REVIEW"),
        ("SSPL-1.0", "deny", "LICENSE_DENIED"),
        ("UNLICENSED", "hold", "LICENSE_NEEDS_REVIEW"),
        ("our own", "hold", "LICENSE_NEEDS_REVIEW"),
        ("", "hold", "LICENSE_UNKNOWN"),
    ],
)
def test_third_party_licenses_are_judged_by_policy(checked, declared: str, answer: str, code: str):
    verdict = license_is_allowed(checked(declared), SYSTEM)
    assert (verdict.gate, verdict.answer, verdict.code) == ("license", answer, code)
    assert verdict.reason


@pytest.mark.parametrize("declared", ["", "UNLICENSED"])
def test_our_own_code_needs_no_license_here(checked, declared: str):
    assert license_is_allowed(checked(declared, origin="published"), SYSTEM).code == "LICENSE_OWN"


def test_our_own_package_under_a_denied_license_is_denied_all_the_same(checked):
    assert license_is_allowed(checked("SSPL-1.0", origin="published"), SYSTEM).answer == "deny"


def test_a_release_whose_license_was_not_checked_is_held(licensed):
    assert license_is_allowed(licensed("MIT"), SYSTEM).code == "LICENSE_UNCHECKED"


@pytest.mark.parametrize("status", ["pending", "running", "errored"])
def test_an_open_or_broken_check_holds(checked, status: str):
    release = checked("MIT")
    Check.objects.update(status=status)
    assert license_is_allowed(release, SYSTEM).answer == "hold"


def test_a_policy_that_changed_since_the_check_counts_at_once(checked):
    release = checked("MIT")
    LicensePolicy.objects.create(kind="license", key="MIT", status="denied")
    assert license_is_allowed(release, SYSTEM).answer == "deny"
    LicensePolicy.objects.filter(key="MIT").delete()
    assert license_is_allowed(release, SYSTEM).answer == "allow"


def test_the_gate_asks_for_the_check_the_policy_and_newer_data(checked, django_assert_num_queries):
    release = checked("MIT OR Apache-2.0")
    with django_assert_num_queries(3):
        license_is_allowed(release, SYSTEM)
