"""The policy over expressions: OR takes the best branch, AND the worst."""

import pytest

from licensing import spdx
from licensing.judging import Policy
from licensing.models import LicensePolicy

pytestmark = pytest.mark.django_db


def status(text: str) -> str:
    return Policy.load().judge(spdx.parse(text)).status


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("MIT", "approved"),
        ("MPL-2.0", "approved"),
        ("GPL-3.0-only", "review"),
        ("AGPL-3.0-only", "review"),
        ("CC-BY-NC-4.0", "review"),
        ("BUSL-1.1", "denied"),
        ("SSPL-1.0", "denied"),
        ("LicenseRef-acme", "review"),
        ("MIT OR GPL-3.0-only", "approved"),
        ("MIT AND GPL-3.0-only", "review"),
        ("MIT AND (SSPL-1.0 OR Apache-2.0)", "approved"),
        ("GPL-3.0-only OR SSPL-1.0", "review"),
        ("MIT AND SSPL-1.0", "denied"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "approved"),
    ],
)
def test_a_fresh_instance_judges_sensibly(text: str, answer: str):
    assert status(text) == answer


def test_a_line_for_a_license_wins_over_its_category():
    LicensePolicy.objects.create(kind="license", key="MIT", status="denied", note="We had enough of it.")
    judgement = Policy.load().judge(spdx.parse("MIT"))
    assert (judgement.status, judgement.license) == ("denied", "MIT")
    assert judgement.sentence == "The policy denies MIT (permissive). We had enough of it."


def test_an_exception_does_not_heal_a_denied_license():
    LicensePolicy.objects.create(kind="license", key="GPL-2.0-only", status="denied")
    assert status("GPL-2.0-only WITH Classpath-exception-2.0") == "denied"


def test_a_line_may_name_a_license_with_its_exception():
    LicensePolicy.objects.create(kind="license", key="GPL-3.0-only WITH GCC-exception-3.1", status="approved")
    assert status("GPL-3.0-only WITH GCC-exception-3.1") == "approved"
    assert status("GPL-3.0-only") == "review"


def test_without_a_line_everything_needs_a_look():
    LicensePolicy.objects.all().delete()
    assert status("MIT") == "review"


def test_the_policy_is_one_query_and_a_look_for_newer_data_whatever_the_expression(django_assert_num_queries):
    with django_assert_num_queries(2):
        status(" AND ".join(["MIT", "ISC", "GPL-3.0-only", "Apache-2.0"]))
