"""The license check: what is declared against what the files hold."""

import pytest

from licensing import recognizing
from licensing.checks import check_license
from licensing.models import LicensePolicy

MIT = (recognizing.TEXTS / "MIT.txt").read_text()
GPL = (recognizing.TEXTS / "GPL-3.0.txt").read_text()
BSD = (recognizing.TEXTS / "BSD-3-Clause.txt").read_text().replace(recognizing.GAP, "Acme")


def test_a_declared_license_that_its_file_confirms_passes(licensed):
    result = check_license(licensed("MIT", files={"LICENSE": MIT}))
    assert (result.status, result.details["policy"]) == ("passed", "approved")
    assert (result.details["expression"], result.details["declared"]) == ("MIT", "MIT")
    assert result.details["detected"] == ["MIT"]


def test_a_free_text_becomes_an_expression(licensed):
    result = check_license(licensed("Apache 2.0"))
    assert (result.status, result.details["expression"]) == ("passed", "Apache-2.0")


def test_a_file_that_contradicts_the_declaration_warns(licensed):
    result = check_license(licensed("Apache-2.0", files={"LICENSE": MIT}))
    assert result.status == "warned"
    assert result.summary.startswith("It declares Apache-2.0, but its files hold MIT.")


def test_a_copyleft_text_that_nobody_declared_warns(licensed):
    result = check_license(licensed("MIT", files={"LICENSE": MIT, "vendor/COPYING": GPL}))
    assert (result.status, result.details["policy"]) == ("warned", "review")
    assert "Its files also hold GPL-3.0, which it does not declare." in result.summary


def test_a_bundled_permissive_notice_is_no_objection(licensed):
    assert check_license(licensed("MIT", files={"LICENSE": MIT, "THIRD-PARTY": BSD})).status == "passed"


def test_one_text_serves_a_version_only_and_a_version_or_later(licensed):
    result = check_license(licensed("GPL-3.0-or-later", files={"COPYING": GPL}))
    assert (result.details["undeclared"], result.details["expression"]) == ([], "GPL-3.0-or-later")


def test_nothing_declared_and_nothing_found_warns(licensed):
    result = check_license(licensed(""))
    assert (result.status, result.details["policy"], result.details["expression"]) == ("warned", "unknown", "")
    assert result.summary == "No license is declared and none is found."


def test_a_license_found_only_in_its_file_is_taken_with_a_warning(licensed):
    result = check_license(licensed("", files={"LICENSE": MIT}))
    assert (result.status, result.details["expression"]) == ("warned", "MIT")
    assert result.summary.startswith("No license is declared; its files hold MIT.")


def test_a_family_is_settled_by_the_file(licensed):
    result = check_license(licensed("BSD", files={"LICENSE": BSD}))
    assert (result.status, result.details["expression"]) == ("passed", "BSD-3-Clause")


def test_a_family_without_a_file_is_judged_by_its_worst_member(licensed):
    result = check_license(licensed("BSD"))
    assert (result.status, result.details["expression"], result.details["policy"]) == ("warned", "", "approved")
    assert "may mean BSD-3-Clause or BSD-2-Clause" in result.summary


def test_a_declaration_may_point_at_one_file_of_many(licensed):
    release = licensed("SEE LICENSE IN LICENSE.txt", files={"package/LICENSE.txt": MIT, "package/vendor/COPYING": GPL})
    assert check_license(release).details["expression"] == "MIT"


def test_python_classifiers_speak_where_the_field_is_silent(licensed):
    result = check_license(licensed("", license_classifiers=["License :: OSI Approved :: MIT License"]))
    assert (result.status, result.details["expression"]) == ("passed", "MIT")


def test_classifiers_that_contradict_the_field_warn(licensed):
    classifiers = ["License :: OSI Approved :: ISC License (ISCL)"]
    assert check_license(licensed("ISC", license_classifiers=classifiers)).status == "passed"
    result = check_license(licensed("MIT", license_classifiers=classifiers))
    assert (result.status, result.details["expression"]) == ("warned", "MIT")
    assert result.summary.startswith("It declares MIT, but its classifiers say ISC.")


def test_a_whole_license_text_in_the_field_is_recognised(licensed):
    assert check_license(licensed(MIT)).details["expression"] == "MIT"


@pytest.mark.parametrize("words", ["UNLICENSED", "Our own terms, ask us"])
def test_what_is_no_license_warns(licensed, words):
    result = check_license(licensed(words))
    assert (result.status, result.details["expression"]) == ("warned", "")


def test_a_denied_license_fails(licensed):
    result = check_license(licensed("SSPL-1.0"))
    assert (result.status, result.details["policy"]) == ("failed", "denied")
    assert "The policy denies SSPL-1.0" in result.summary


def test_the_policy_of_this_instance_decides(licensed):
    LicensePolicy.objects.filter(key="permissive").update(status="denied")
    assert check_license(licensed("MIT")).status == "failed"
