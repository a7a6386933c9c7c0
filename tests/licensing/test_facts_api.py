"""`GET /licenses/{spdx}` (contract section 6)."""

import pytest

from licensing.models import LicensePolicy
from tests.api.clients import ApiClient


@pytest.fixture
def nobody(db) -> ApiClient:
    return ApiClient()


def test_facts_of_a_license_are_public(nobody: ApiClient):
    facts = nobody.get("/api/v1/licenses/Apache-2.0").json()
    assert (facts["name"], facts["status"], facts["category"]) == ("Apache-2.0", "approved", "permissive")
    assert (facts["requires_attribution"], facts["allows_commercial"]) == (True, True)
    assert (facts["osi_approved"], facts["deprecated"]) == (True, False)
    assert {"MIT", "BSD-3-Clause", "GPL-3.0-only"} <= set(facts["compatible_with"])
    assert "GPL-2.0-only" in facts["incompatible_with"]
    assert facts["url"] == "https://spdx.org/licenses/Apache-2.0.html"


def test_both_bases_and_every_case_answer_alike(nobody: ApiClient):
    assert nobody.get("/v1/licenses/mit").json() == nobody.get("/api/v1/licenses/MIT").json()


def test_an_old_id_is_found_and_called_deprecated(nobody: ApiClient):
    facts = nobody.get("/api/v1/licenses/GPL-3.0").json()
    assert (facts["name"], facts["deprecated"], facts["status"]) == ("GPL-3.0", True, "review")
    assert "MIT" in facts["incompatible_with"]


def test_an_expression_is_judged_whole(nobody: ApiClient):
    either = nobody.get("/api/v1/licenses/MIT%20OR%20GPL-3.0-only").json()
    assert (either["name"], either["status"], either["category"]) == ("MIT OR GPL-3.0-only", "approved", "permissive")
    both = nobody.get("/api/v1/licenses/MIT%20AND%20GPL-3.0-only").json()
    assert (both["status"], both["category"]) == ("review", "strong-copyleft")
    assert "Apache-2.0" in both["incompatible_with"]
    assert "GPL-3.0-only" in both["compatible_with"]


def test_an_exception_opens_a_license(nobody: ApiClient):
    facts = nobody.get("/api/v1/licenses/GPL-2.0-only%20WITH%20Classpath-exception-2.0").json()
    assert (facts["category"], facts["status"]) == ("weak-copyleft", "approved")


def test_what_the_matrix_does_not_hold_is_said_to_be_unknown(nobody: ApiClient):
    facts = nobody.get("/api/v1/licenses/MIT-0").json()
    assert (facts["compatibility_source"], facts["compatible_with"]) == (None, [])


def test_the_status_is_the_policy_of_this_instance(nobody: ApiClient):
    LicensePolicy.objects.create(kind="license", key="MIT", status="denied")
    assert nobody.get("/api/v1/licenses/MIT").json()["status"] == "denied"


@pytest.mark.parametrize(
    ("written", "near"),
    [
        ("Apche-2.0", "Apache-2.0"),
        ("Apache%202.0", "Apache-2.0"),
        ("BSD", "BSD-3-Clause"),
        ("LicenseRef-x", ""),
        ("MIT%20AND", "MIT"),
        ("2b0c24f4-7d3c-4c4e-9a5f-000000000000", ""),
        ("%F0%9F%90%88", ""),
    ],
)
def test_an_unknown_id_is_404_with_the_nearest_ones(nobody: ApiClient, written: str, near: str):
    answer = nobody.get(f"/api/v1/licenses/{written}")
    assert answer.status_code == 404
    assert near in answer.json()["details"]["nearest"] or not near


def test_a_hostile_expression_is_refused(nobody: ApiClient):
    assert nobody.get("/api/v1/licenses/" + "(" * 900).status_code == 404
    assert nobody.get("/api/v1/licenses/" + "x" * 1001).status_code == 400
