"""The dashboard of security: figures of every day, plots of them, and what waits for somebody."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registry.models import Decision, Release
from scanning import figures
from scanning.admin import plots
from scanning.models import AdvisorySource, DailyFigures, Finding, Scan, ToolResult
from tests.builders import Cast
from tests.scanning.conftest import load, osv

PAGE = "/admin/security/"


def found(release: Release, *identifiers: str, severity: str = "high", days: int = 1, current: bool = True) -> Scan:
    """A scan of the release that found these some days ago."""
    scan = Scan.objects.create(
        release=release, is_current=current, status="failed", finished_at=timezone.now(), tools_used=["osv"]
    )
    place = {"scan": scan, "ecosystem": "npm", "package": release.package.name, "version": release.version}
    at = timezone.now() - timedelta(days=days)
    Finding.objects.bulk_create(
        Finding(identifier=one, severity=severity, first_seen_at=at, **place) for one in identifiers
    )
    return scan


def quarantined(release: Release, reason: str) -> Release:
    Release.objects.filter(pk=release.pk).update(status="quarantined", held_because=reason)
    Decision.objects.create(release=release, answer="quarantined", by_name="policy", pseudonym="system")
    return release


@pytest.fixture
def as_bob(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.bob)
    return client


# --- figures -------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_only_what_stands_and_nobody_waived_is_counted(held, waive):
    load(osv("GHSA-0001", aliases=["CVE-2026-0001"]))
    flawed, standing = held("old-pad", status="approved"), held(status="approved")
    found(flawed, "GHSA-0001", "GHSA-0002")
    found(standing, "GHSA-0009", current=False)
    found(standing, "GHSA-0003", severity="low")
    found(held("bad-pad", status="rejected"), "GHSA-0004")
    found(held("gone-pad", purged_at=timezone.now()), "GHSA-0005")
    quarantined(held("kept-pad"), "A flaw.")
    Finding.objects.filter(identifier="GHSA-0001").update(identifier="CVE-2026-0001", aliases=["GHSA-0001"])
    waive(flawed, "GHSA-0001")
    counted = figures.count()
    assert counted == {
        "critical": 0, "high": 1, "medium": 0, "low": 1, "unknown": 0, "waived": 1, "quarantined": 1, "unscanned": 0,
    }  # fmt: skip


@pytest.mark.django_db
def test_a_day_has_one_row_whose_last_count_stands(held):
    found(held(status="approved"), "GHSA-0001")
    assert figures.keep() == 1
    found(held("new-pad", status="approved"), "GHSA-0001")
    assert figures.keep() == 0, "that was a moment ago"
    DailyFigures.objects.update(counted_at=timezone.now() - figures.AGAIN)
    assert figures.keep() == 2
    assert [one.high for one in DailyFigures.objects.all()] == [2]


# --- plots ---------------------------------------------------------------------------------------------------------
@pytest.mark.once
def test_bands_lie_on_one_another_and_a_missing_day_is_a_gap():
    last = date(2026, 11, 21)
    days = {last: {"low": 2, "high": 4}, last - timedelta(days=2): {"low": 0, "high": 6}}
    plot = plots.draw(days, ["low", "high"], last, 4)
    step, room = (plots.WIDTH - plots.LEFT) / 4, plot.floor - plots.TOP
    at = plots.LEFT + 3 * step
    low, high = (band.path for band in plot.bands)
    assert low == f"M{at:.1f} {plot.floor:.1f}V{plot.floor - room / 3:.1f}H{at + step:.1f}V{plot.floor:.1f}z"
    first, second = high.split("z")[:2]
    assert first.startswith(f"M{plots.LEFT + step:.1f} {plot.floor:.1f}")
    assert second.startswith(f"M{at:.1f} {plot.floor - room / 3:.1f}")
    assert [mark.word for mark in plot.levels] == ["0", "3", "6"]


@pytest.mark.once
@pytest.mark.parametrize(("highest", "top"), [(0, 1), (1, 1), (3, 4), (7, 10), (61, 100), (100_001, 200_000)])
def test_a_plot_ends_at_a_round_number(highest, top):
    assert plots.ceiling(highest) == top


# --- the page ------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_the_dashboard_shows_what_waits_for_somebody(as_bob, held, waive):
    empty = as_bob.get(PAGE).content.decode()
    for words in (
        "Nothing has been counted yet.",
        "None is open.",
        "No version is in quarantine.",
        "No source is set up",
    ):
        assert words in empty
    release = held(status="approved")
    found(release, "GHSA-0001", days=9)
    found(held("low-pad", status="approved"), "GHSA-0002", severity="low", days=90)
    grave = held("grave-pad", status="approved")
    found(grave, "GHSA-0003", "GHSA-0004", severity="critical", days=30)
    waive(grave, "GHSA-0004", expires_at=timezone.now() + timedelta(days=3))
    quarantined(held("bad-pad"), "A flaw came up.")
    failed = held("lost-pad")
    excuse = {"tool": "osv", "reason": "It broke.", "failed": True}
    scan = Scan.objects.create(release=failed, is_current=True, status="errored", tools_unavailable=[excuse])
    ToolResult.objects.create(scan=scan, release=failed, tool="osv", status="failed", began_at=timezone.now())
    AdvisorySource.objects.create(name="Feed", url="https://feed.example/", failures=2, last_error="It answered 503.")
    figures.keep()
    html = as_bob.get(PAGE).content.decode().replace("<wbr>", "")
    table = html.partition('id="oldest"')[2].partition("</table>")[0]
    assert table.index("GHSA-0003") < table.index("GHSA-0001")
    assert "GHSA-0002" not in table, "low ones are shown on demand"
    assert "GHSA-0004" not in table, "it is waived"
    assert "GHSA-0002" in as_bob.get(f"{PAGE}?severity=all").content.decode().replace("<wbr>", "")
    for words in (
        "bad-pad",
        "A flaw came up.",
        "lost-pad",
        "osv: It broke.",
        "It answered 503.",
        'class="area--critical"',
    ):
        assert words in html
    assert "GHSA-0004" in html.partition('id="ending"')[2]


@pytest.mark.django_db
def test_the_queue_leads_to_the_dashboard(as_bob):
    assert f'href="{PAGE}"' in as_bob.get("/admin/").content.decode()


@pytest.mark.django_db
def test_the_dashboard_costs_the_same_queries_whatever_there_is(as_bob, held, waive):
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert as_bob.get(PAGE).status_code == 200
        return len(caught)

    def fill(number: int) -> None:
        release = held(f"pad-{number}")
        found(release, "GHSA-0001", "GHSA-0002")
        waive(release, "GHSA-0001", expires_at=timezone.now() + timedelta(days=3))
        quarantined(held(f"bad-{number}"), "A flaw.")

    fill(0)
    figures.keep()
    few = queries()
    for number in range(1, 20):
        fill(number)
    assert queries() == few
    assert few <= 20
