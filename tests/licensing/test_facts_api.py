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
    ("written", "meant"),
    [
        ("Apache%202", "Apache-2.0"),
        ("New%20BSD%20License", "BSD-3-Clause"),
        ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
        ("License%20::%20OSI%20Approved%20::%20MIT%20License", "MIT"),
        ("gplv3%2B", "GPL-3.0-or-later"),
        ("apache-2.0%20or%20mit", "Apache-2.0 OR MIT"),
    ],
)
def test_what_people_write_for_a_license_is_understood(nobody: ApiClient, written: str, meant: str):
    assert nobody.get(f"/api/v1/licenses/{written}").json()["name"] == meant


def test_a_name_of_several_licenses_gets_what_holds_for_all_of_them(nobody: ApiClient):
    LicensePolicy.objects.create(kind="license", key="BSD-2-Clause", status="review")
    facts = nobody.get("/api/v1/licenses/BSD").json()
    assert (facts["name"], facts["candidates"]) == ("BSD", ["BSD-3-Clause", "BSD-2-Clause"])
    assert (facts["status"], facts["category"]) == ("review", "permissive")


def test_facts_tell_obligations_flags_and_successors(nobody: ApiClient):
    mpl = nobody.get("/api/v1/licenses/MPL-2.0").json()
    assert mpl["obligations"] == ["disclose-source", "include-copyright", "same-license--file"]
    assert len(mpl["obligations_explained"]) == 3
    assert "choosealicense.com" in mpl["obligations_source"]
    assert (mpl["osi_approved"], mpl["fsf_libre"], mpl["successor"]) == (True, True, None)
    old = nobody.get("/api/v1/licenses/GPL-2.0-with-classpath-exception").json()
    assert (old["deprecated"], old["successor"]) == (True, "GPL-2.0-only WITH Classpath-exception-2.0")
    odd = nobody.get("/api/v1/licenses/BUSL-1.1").json()
    assert (odd["obligations"], odd["obligations_source"]) == ([], None)


def test_two_licenses_are_compared_in_both_directions_in_the_words_of_the_matrix(nobody: ApiClient):
    pair = nobody.get("/api/v1/licenses/MIT?with=GPL-3.0-only").json()["pair"]
    assert (pair["with"], pair["goes_into_it"]["word"], pair["takes_it_in"]["word"]) == ("GPL-3.0-only", "yes", "no")
    assert pair["takes_it_in"]["explanation"].startswith("Software under a copyleft license such as the GPL-3.0-only")
    either = nobody.get("/api/v1/licenses/MIT%20OR%20GPL-3.0-only?with=GPL-3.0-only").json()["pair"]
    assert either["takes_it_in"]["word"] == "yes"
    assert nobody.get("/api/v1/licenses/MIT?with=nonsense").status_code == 404
    assert nobody.get("/api/v1/licenses/MIT").json()["pair"] is None


@pytest.mark.parametrize(
    ("written", "near"),
    [
        ("Apche-2.0", "Apache-2.0"),
        ("BSD%203-Claus", "BSD-3-Clause"),
        ("SEE%20LICENSE%20IN%20LICENSE", ""),
        ("UNLICENSED", ""),
        ("LicenseRef-x", ""),
        ("MIT%20AND", "MIT"),
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
