"""How bad: vectors, else the database's word, else unknown."""

from typing import Any

import pytest

from scanning.severities import Rating, rate, worse

pytestmark = pytest.mark.once
V3 = "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H"  # 7.2
V4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"  # 9.3
V2 = "AV:N/AC:L/Au:N/C:P/I:P/A:P"  # 7.5


def vectors(*given: tuple[str, str]) -> dict[str, Any]:
    return {"severity": [{"type": kind, "score": score} for kind, score in given]}


@pytest.mark.parametrize(
    ("document", "rating"),
    [
        (vectors(("CVSS_V3", V3)), Rating("high", 7.2)),
        (vectors(("CVSS_V4", V4)), Rating("critical", 9.3)),
        (vectors(("CVSS_V3", V3), ("CVSS_V4", V4)), Rating("critical", 9.3)),
        (vectors(("CVSS_V3", V3 + "/")), Rating("high", 7.2)),
        (vectors(("CVSS_V2", V2)), Rating("high", 7.5)),
        ({**vectors(("CVSS_V2", V2)), "database_specific": {"severity": "LOW"}}, Rating("low")),
        ({"database_specific": {"severity": "MODERATE"}}, Rating("medium")),
        ({"affected": [{"ecosystem_specific": {"severity": "Critical"}}]}, Rating("critical")),
        ({"affected": [{"severity": [{"type": "CVSS_V3", "score": V3}]}]}, Rating("high", 7.2)),
        ({"id": "MAL-2023-1"}, Rating("critical")),
    ],
)
def test_ratings(document: dict[str, Any], rating: Rating):
    assert rate(document) == rating


@pytest.mark.parametrize(
    "document",
    [
        {},
        vectors(("CVSS_V3", "nonsense")),
        vectors(("CVSS_V9", V3)),
        {"severity": [{"type": "CVSS_V3", "score": 7.2}, "high", None]},
        {"database_specific": {"severity": "so-so"}},
        {"database_specific": ["HIGH"]},
    ],
)
def test_what_nobody_rates_is_unknown_and_never_low(document: dict[str, Any]):
    assert rate(document) == Rating("unknown")


def test_any_rating_is_worth_more_than_none():
    assert worse("unknown", "low") == "low"
    assert worse("medium", "high") == "high"
