"""Several reports of one flaw are one finding."""

import pytest

from scanning.merging import merge
from scanning.scanners.base import Flaw

pytestmark = pytest.mark.once


def flaw(identifier: str, *aliases: str, **more) -> Flaw:
    fields = {"ecosystem": "npm", "package": "left-pad", "version": "1.0.0", "tools": ("osv",), **more}
    return Flaw(identifier, aliases=aliases, **fields)


def test_one_id_from_two_tools_is_one_finding_with_two_tools():
    [merged] = merge([flaw("GHSA-1"), flaw("GHSA-1", tools=("trivy",))])
    assert merged.tools == ("osv", "trivy")


def test_aliases_join_and_the_best_known_name_stays():
    [merged] = merge([flaw("CVE-1"), flaw("PYSEC-1", "CVE-1"), flaw("GHSA-1", "CVE-1")])
    assert (merged.identifier, merged.aliases) == ("GHSA-1", ("CVE-1", "PYSEC-1"))


def test_aliases_of_aliases_join_whatever_their_order():
    chain = [flaw("A-1", "B-1"), flaw("C-1", "D-1"), flaw("X-1", "B-1", "D-1")]
    assert len(merge(chain)) == len(merge(chain[::-1])) == 1


def test_other_packages_and_versions_stay_apart():
    assert len(merge([flaw("GHSA-1"), flaw("GHSA-1", package="right-pad"), flaw("GHSA-1", version="1.0.1")])) == 3


def test_the_worse_rating_and_the_later_fix_count():
    [merged] = merge(
        [
            flaw("GHSA-1", severity="medium", cvss=5.0, fixed_in="1.9.0"),
            flaw(
                "CVE-1",
                "GHSA-1",
                severity="high",
                cvss=7.5,
                fixed_in="1.10.0",
                summary="It breaks",
                url="https://a.example",
            ),
        ]
    )
    assert (merged.severity, merged.cvss, merged.fixed_in) == ("high", 7.5, "1.10.0")
    assert (merged.summary, merged.url) == ("It breaks", "https://a.example")


def test_an_unrated_report_does_not_soften_a_rated_one():
    [merged] = merge([flaw("GHSA-1", severity="unknown"), flaw("CVE-1", "GHSA-1", severity="low")])
    assert merged.severity == "low"


def test_the_gravest_comes_first():
    found = merge([flaw("A-1", severity="low"), flaw("B-1", severity="critical"), flaw("C-1", severity="unknown")])
    assert [one.severity for one in found] == ["critical", "low", "unknown"]


def test_one_flaw_seen_by_four_tools_under_three_names_is_one_finding():
    found = merge(
        [
            flaw("GHSA-1", "CVE-1", tools=("osv",), severity="medium"),
            flaw("CVE-1", tools=("trivy",), severity="high", cvss=7.4),
            flaw("GHSA-1", tools=("grype",), severity="unknown"),
            flaw("PYSEC-1", "CVE-1", tools=("osv-scanner",), severity="low"),
        ]
    )
    [one] = found
    assert (one.identifier, one.aliases, one.severity, one.cvss) == ("GHSA-1", ("CVE-1", "PYSEC-1"), "high", 7.4)
    assert set(one.tools) == {"osv", "trivy", "grype", "osv-scanner"}


def test_malware_by_one_tool_is_malware_by_all():
    [merged] = merge([flaw("GHSA-1"), flaw("MAL-1", "GHSA-1", kind="malware", severity="critical")])
    assert (merged.identifier, merged.kind, merged.severity) == ("GHSA-1", "malware", "critical")


def test_an_ecosystem_that_nobody_here_knows_is_merged_all_the_same():
    [merged] = merge([flaw("CVE-1", ecosystem="cargo", fixed_in="2"), flaw("CVE-1", ecosystem="cargo", fixed_in="3")])
    assert merged.fixed_in == "2"


def test_a_long_chain_of_aliases_is_one_finding_in_any_order():
    links = [flaw(f"X-{number}", f"X-{number + 1}") for number in range(2000)]
    assert len(merge(links)) == len(merge(links[::2] + links[1::2])) == 1
