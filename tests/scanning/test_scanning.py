"""Scanning a release, the check that reports it, the gate that judges it, and waivers."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actors import SYSTEM
from scanning import running
from scanning.checks import check_vulnerabilities
from scanning.gates import is_safe
from scanning.models import Scan, Waiver
from scanning.scanners.base import Flaw, Target
from tests.scanning.conftest import load, osv, rated


class Broken:
    """A tool that prints nonsense."""

    name = "broken"

    def scan(self, target: Target) -> list[Flaw]:
        raise ValueError("nonsense")


# --- the check ----------------------------------------------------------------------------------------------------
def test_a_grave_flaw_fails_the_check_and_says_where_it_is_fixed(samples, held):
    result = check_vulnerabilities(held("lodash", "4.17.15"))
    assert result.status == "failed"
    assert result.summary.startswith("lodash 4.17.15 has 2 known flaws: 1 high, 1 medium.")
    assert "4.17.21" in result.summary
    assert {key: result.details[key] for key in ("critical", "high", "medium", "low", "unknown")} == {
        "critical": 0,
        "high": 1,
        "medium": 1,
        "low": 0,
        "unknown": 0,
    }
    worst = result.details["findings"][0]
    assert (worst["id"], worst["severity"], worst["fixed_in"]) == ("GHSA-35jh-r3h4-6jhm", "high", "4.17.21")
    assert (worst["tools"], worst["waived"]) == (["osv"], False)


def test_a_fixed_version_passes(samples, held):
    result = check_vulnerabilities(held("lodash", "4.17.21"))
    assert (result.status, result.details["findings"]) == ("passed", [])


def test_a_package_is_found_by_the_form_its_ecosystem_looks_it_up_by(samples, held):
    assert check_vulnerabilities(held("Jinja2", "2.11.2", "pypi")).details["unknown"] == 1


@pytest.mark.parametrize("word", ["MODERATE", "LOW", "", "so-so"])
def test_lesser_and_unrated_flaws_warn(held, word: str):
    load(osv(**rated(word)))
    assert check_vulnerabilities(held()).status == "warned"


def test_without_advisories_nothing_is_claimed(held):
    release = held()
    result = check_vulnerabilities(release)
    assert result.status == "skipped"
    assert "No advisories are loaded" in result.summary
    assert running.latest(release).status == "errored"


def test_an_ecosystem_that_osv_does_not_know_is_skipped(samples, held):
    result = check_vulnerabilities(held("tool", "1.0.0", "generic"))
    assert (result.status, "OSV knows no advisories about" in result.summary) == ("skipped", True)


def test_a_withdrawn_advisory_matches_nothing(held):
    load(osv(withdrawn="2026-02-01T00:00:00Z", **rated("HIGH")), osv(id="GHSA-other", name="other"))
    assert check_vulnerabilities(held()).status == "passed"


def test_two_advisories_about_one_flaw_are_one_finding(held):
    load(osv(id="GHSA-1", aliases=["CVE-1"], **rated("HIGH")), osv(id="CVE-1"))
    [finding] = check_vulnerabilities(held()).details["findings"]
    assert (finding["id"], finding["aliases"], finding["severity"]) == ("GHSA-1", ["CVE-1"], "high")


# --- the scan -----------------------------------------------------------------------------------------------------
def test_a_tool_that_breaks_is_unavailable_and_spoils_nothing_else(samples, held):
    from scanning.scanners.osv import Osv

    scan = running.scan(held("lodash", "4.17.15"), [Broken(), Osv()])
    assert (scan.status, scan.tools_used) == ("failed", ["osv"])
    assert scan.tools_unavailable == [{"tool": "broken", "reason": "It stopped with ValueError.", "failed": True}]


def test_if_every_tool_fails_the_scan_is_errored(samples, held):
    scan = running.scan(held(), [Broken()])
    assert (scan.status, scan.tools_used) == ("errored", [])


def test_a_scan_that_a_dead_worker_left_open_is_taken_up_again(samples, held):
    release = held("lodash", "4.17.15")
    left = Scan.objects.create(release=release, attempts=1)
    scan = running.scan(release)
    assert (scan.pk, scan.attempts, scan.findings.count()) == (left.pk, 2, 2)


def test_every_scan_is_kept_and_the_last_one_counts(samples, held):
    release = held("lodash", "4.17.15")
    first, second = running.scan(release), running.scan(release)
    assert (Scan.objects.count(), running.latest(release)) == (2, second)
    assert first.findings.count() == second.findings.count() == 2


# --- the gate -----------------------------------------------------------------------------------------------------
def gate(release):
    check_vulnerabilities(release)
    return is_safe(release, SYSTEM)


def test_the_gate_holds_what_was_not_scanned(held):
    assert is_safe(held(), SYSTEM).code == "SCAN_PENDING"


def test_the_gate_denies_a_grave_flaw_by_name(samples, held):
    verdict = gate(held("minimist", "1.2.5"))
    assert (verdict.gate, verdict.answer, verdict.code) == ("vulnerabilities", "deny", "VULNERABLE")
    assert "GHSA-xvch-5gv4-984h (critical)" in verdict.reason
    assert verdict.remedy == "Use 1.2.6 or later."
    assert verdict.details_url == "https://github.com/advisories/GHSA-xvch-5gv4-984h"


def test_the_gate_lets_lesser_flaws_pass_and_says_so(samples, held):
    verdict = gate(held("jinja2", "2.11.2", "pypi"))
    assert (verdict.answer, verdict.code) == ("allow", "MINOR_FLAWS")


def test_the_gate_allows_what_is_clean(samples, held):
    assert gate(held("lodash", "4.17.21")).code == "NO_KNOWN_FLAWS"


def test_an_instance_without_advisories_works_and_says_that_it_did_not_look(held):
    verdict = gate(held())
    assert (verdict.answer, verdict.code) == ("allow", "NOT_SCANNED")
    assert "No advisories are loaded" in verdict.reason


def test_what_was_not_scanned_is_held_once_advisories_are_there(held):
    release = held()
    check_vulnerabilities(release)
    load(osv(**rated("HIGH")))
    assert is_safe(release, SYSTEM).answer == "hold"


def test_a_scan_in_which_every_tool_failed_holds(samples, held):
    release = held()
    running.scan(release, [Broken()])
    assert (is_safe(release, SYSTEM).answer, is_safe(release, SYSTEM).code) == ("hold", "SCAN_ERRORED")


def test_the_gate_asks_the_database_four_times(samples, held, django_assert_num_queries):
    release = held("lodash", "4.17.15")
    check_vulnerabilities(release)
    with django_assert_num_queries(4):
        is_safe(release, SYSTEM)


# --- waivers ------------------------------------------------------------------------------------------------------
def test_a_waiver_opens_the_gate_until_it_expires(samples, held, waive, time_machine):
    release = held("minimist", "1.2.5")
    waive(release, "GHSA-xvch-5gv4-984h")
    assert gate(release).code == "WAIVED"
    time_machine.move_to(timezone.now() + timedelta(days=2))
    assert is_safe(release, SYSTEM).answer == "deny"


def test_a_waiver_may_name_the_flaw_by_an_alias(samples, held, waive):
    release = held("minimist", "1.2.5")
    waive(release, "CVE-2021-44906", version_range="<1.2.6")
    result = check_vulnerabilities(release)
    assert (result.status, result.details["waived"]) == ("passed", 1)
    assert result.details["findings"][0]["waived"] is True
    assert "1 waived" in result.summary


@pytest.mark.parametrize(
    "more",
    [
        {"identifier": "GHSA-35jh-r3h4-6jhm"},
        {"package": "minimalist"},
        {"ecosystem": "pypi"},
        {"version_range": ">=1.2.6"},
        {"version_range": "rubbish range"},
        {"expires_at": timezone.now() - timedelta(seconds=1)},
    ],
)
def test_a_waiver_covers_nothing_else(samples, held, waive, more):
    release = held("minimist", "1.2.5")
    waive(release, **{"identifier": "GHSA-xvch-5gv4-984h", **more})
    assert gate(release).answer == "deny"


def test_a_waiver_of_another_project_covers_nothing(samples, held, waive, cast):
    release = held("minimist", "1.2.5")
    waive(release, "GHSA-xvch-5gv4-984h", project=cast.elsewhere)
    assert gate(release).answer == "deny"


@pytest.mark.parametrize("missing", ["reason", "identifier", "package", "version_range"])
def test_a_waiver_without_substance_is_refused_by_the_database(held, waive, missing: str):
    release = held()
    with pytest.raises(IntegrityError), transaction.atomic():
        waive(release, **{"identifier": "GHSA-1", missing: ""})
    assert not Waiver.objects.exists()


@pytest.mark.parametrize("missing", ["owner", "expires_at", "project"])
def test_a_waiver_needs_an_owner_an_end_and_a_project(held, waive, missing: str):
    with pytest.raises(IntegrityError), transaction.atomic():
        waive(held(), "GHSA-1", **{missing: None})
