"""The scan panel: one on every page of a version, honest about what nobody looked at, and where maintainers waive."""

from datetime import timedelta
from urllib.parse import unquote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape

from accounts.models import AuditEvent
from registry.models import Check, Job, Release
from scanning import reconsidering, running
from scanning.models import Finding, Scan, Waiver
from scanning.web.panel import Panel
from tests import builders
from tests.builders import Cast
from tests.scanning.conftest import load, osv, rated

pytestmark = pytest.mark.django_db
PAGE = "/packages/npm/left-pad"
VERSION = f"{PAGE}/versions/1.0.0"
ASKED = {"finding": "GHSA-0000", "package": "left-pad", "version": "1.0.0"}


@pytest.fixture
def flawed(held) -> Release:
    """left-pad 1.0.0, scanned, with one high flaw that 2.0.0 mends."""
    load(osv(aliases=["CVE-2026-0001"], **rated("HIGH")))
    release = held(status="approved")
    Check.objects.create(release=release, name="vulnerabilities", status="passed")
    running.scan(release)
    reconsidering.bring_in_line(release)
    release.refresh_from_db()
    return release


def seen(person, path: str) -> str:
    answer = client_of(person).get(path)
    assert answer.status_code == 200, answer.content[:300]
    return answer.content.decode().replace("<wbr>", "")


def client_of(person) -> Client:
    client = Client()
    if person is not None:
        client.force_login(person)
    return client


def in_days(days: int) -> str:
    return f"{timezone.now().date() + timedelta(days=days)}"


# --- what it says --------------------------------------------------------------------------------------------------
def test_every_page_of_a_version_shows_the_same_panel(cast: Cast, flawed):
    sentence = flawed.checks.get(name="vulnerabilities").summary
    assert "1 known flaw: 1 high" in sentence
    for path in (f"{PAGE}?tab=security", VERSION, f"/admin/review/{flawed.pk}/"):
        html = seen(cast.bob, path).partition('id="scan"')[2]
        for words in (escape(sentence), "CVE-2026-0001", "2.0.0", "Blocks", "Looked at by osv", "It arrived"):
            assert words in html, (path, words)
        assert "next=" + path in unquote(html)


def test_what_nobody_looked_at_never_looks_clean(cast: Cast, held):
    release = held(status="approved")
    assert "It has not been scanned yet." in seen(None, VERSION)
    running.scan(release)
    nothing = seen(None, VERSION)
    assert "It was not scanned." in nothing
    assert "Nobody has looked at it yet." in nothing
    row = Scan.objects.get(is_current=True)
    excuse = {"tool": "osv", "reason": "It stopped.", "failed": True}
    Scan.objects.filter(pk=row.pk).update(tools_unavailable=[excuse])
    assert "No scanner could look at it." in seen(None, VERSION)
    assert "osv: It stopped." in seen(None, VERSION)
    assert "No loaded advisory is about this version." not in seen(None, VERSION)


def test_an_older_result_stands_while_another_scan_is_queued(cast: Cast, flawed):
    running.expect(flawed, Scan.Trigger.REQUEST)
    html = seen(cast.bob, VERSION)
    assert "Another scan is queued." in html
    assert "GHSA-0000" in html
    assert "Scan again" not in html


def test_kinds_and_packages_that_are_brought_along_are_named(cast: Cast, flawed):
    inner = {"ecosystem": "npm", "package": "pad", "version": "0.1.0", "tools": ["trivy"]}
    scan = Scan.objects.get(is_current=True)
    Finding.objects.create(scan=scan, identifier="aws-key a.ini:1", kind="secret", severity="critical", **inner)
    html = seen(None, VERSION).partition("findings-table")[2]
    assert html.index("aws-key") < html.index("GHSA-0000")
    assert "Secret" in html
    assert "in pad 0.1.0, which it brings along" in html


def test_long_lists_fold_and_what_is_waived_comes_last(cast: Cast, flawed, waive):
    scan = running.current(flawed)
    place = {"scan": scan, "ecosystem": "npm", "package": "left-pad", "version": "1.0.0", "severity": "low"}
    Finding.objects.bulk_create(Finding(identifier=f"CVE-{number}", **place) for number in range(300))
    waive(flawed, "GHSA-0000")
    shown = Panel(flawed, builders.actor(cast.bob))
    assert (len(shown.first), len(shown.folded), shown.unlisted) == (8, 192, 101)
    html = seen(None, VERSION)
    assert "192 more findings" in html
    assert "GHSA-0000" not in html.partition("findings-table")[2].partition("</table>")[0]


def test_the_panel_costs_the_same_queries_however_much_was_found(cast: Cast, flawed, waive):
    waive(flawed, "GHSA-0000")
    with CaptureQueriesContext(connection) as few:
        seen(cast.bob, VERSION)
    scan = running.current(flawed)
    place = {"scan": scan, "ecosystem": "npm", "package": "left-pad", "version": "1.0.0"}
    Finding.objects.bulk_create(Finding(identifier=f"CVE-{number}", **place) for number in range(40))
    for number in range(20):
        waive(flawed, f"CVE-{number}", owner=[cast.bob, cast.root][number % 2])
    with CaptureQueriesContext(connection) as many:
        seen(cast.bob, VERSION)
    assert len(many) == len(few)


# --- who may what --------------------------------------------------------------------------------------------------
def test_only_the_project_reads_who_waived_and_only_maintainers_act(cast: Cast, flawed, waive):
    waive(flawed, "GHSA-0000")
    for person, reads, acts in ((None, False, False), (cast.mallory, False, False), (cast.alice, True, False)):
        html = seen(person, VERSION)
        assert "waived" in html
        assert ("The function is not called here." in html) is reads
        assert ("End it now" in html) is acts
    assert "End it now" in seen(cast.bob, VERSION)


def test_who_may_not_waive_reads_how_to_ask(cast: Cast, flawed):
    html = seen(cast.alice, VERSION)
    assert "A maintainer can waive a finding for some time." in html
    assert "/waive?" not in html


# --- what maintainers do -------------------------------------------------------------------------------------------
def test_a_finding_is_waived_from_the_panel_and_everything_follows(cast: Cast, flawed):
    assert flawed.status == "quarantined"
    bob = client_of(cast.bob)
    form = bob.get(f"{VERSION}/waive", {**ASKED, "next": f"/admin/review/{flawed.pk}/"})
    assert "left-pad 1.0.0 only" in form.content.decode()
    given = {**ASKED, "reason": "Not reachable.", "reach": "this", "expires_at": in_days(30)}
    answer = bob.post(f"{VERSION}/waive", {**given, "next": f"/admin/review/{flawed.pk}/"})
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/review/{flawed.pk}/")
    waiver = Waiver.objects.get()
    assert (waiver.owner, waiver.version_range, waiver.project) == (cast.bob, "1.0.0", cast.acme)
    assert f"{waiver.expires_at:%Y-%m-%d %H:%M}" == f"{in_days(31)} 00:00"
    assert AuditEvent.objects.filter(action="waiver.given").count() == 1


def test_each_fault_is_said_at_its_field(cast: Cast, flawed):
    bob = client_of(cast.bob)
    faults = [
        ({"reason": " "}, "reason", "This field is required."),
        ({"reach": "range"}, "versions", "Write the range, or choose this version only."),
        ({"reach": "range", "versions": "not a range"}, "versions", ""),
        ({"expires_at": in_days(-2)}, "expires_at", "The end must be still to come."),
        ({"expires_at": in_days(400)}, "expires_at", "A waiver holds for 180 days at most."),
        ({"expires_at": ""}, "expires_at", "This field is required."),
    ]
    for change, field, sentence in faults:
        given = {**ASKED, "reason": "Not reachable.", "reach": "this", "expires_at": in_days(9), **change}
        answer = bob.post(f"{VERSION}/waive", given)
        assert answer.status_code == 400, change
        assert sentence in str(answer.context["form"].errors[field]), change
        assert f'id="id_{field}_error"' in answer.content.decode()
    assert not Waiver.objects.exists()


def test_what_is_found_no_more_cannot_be_waived(cast: Cast, flawed):
    assert client_of(cast.bob).get(f"{VERSION}/waive", {**ASKED, "finding": "GHSA-1111"}).status_code == 404


def test_the_way_back_never_leads_elsewhere(cast: Cast, flawed):
    given = {**ASKED, "reason": "x", "reach": "every", "expires_at": in_days(9), "next": "https://evil.example/"}
    assert client_of(cast.bob).post(f"{VERSION}/waive", given)["Location"] == VERSION


def test_a_waiver_is_ended_and_a_scan_asked_for_from_the_panel(cast: Cast, flawed, waive):
    waiver, bob = waive(flawed, "GHSA-0000"), client_of(cast.bob)
    assert bob.post(f"/waivers/{waiver.pk}/end", {"next": VERSION})["Location"] == VERSION
    waiver.refresh_from_db()
    assert waiver.ended_by == cast.bob
    assert bob.post(f"{VERSION}/scan")["Location"] == VERSION
    assert Scan.objects.get(status="pending").trigger == Scan.Trigger.REQUEST
    assert Job.objects.filter(dedupe_key=f"check:{flawed.pk}", state=Job.State.OPEN).exists()


def test_forms_without_the_token_of_the_page_are_refused(cast: Cast, flawed):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.bob)
    assert strict.post(f"{VERSION}/waive", {**ASKED, "reason": "x"}).status_code == 403
    assert not Waiver.objects.exists()
