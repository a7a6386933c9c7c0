"""Scanning again when an advisory changes, when its turn comes; and what becomes of decisions that stand."""

from datetime import timedelta
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registry import approving, documents, tasks
from registry.models import Decision, Job, Release
from scanning import notifying, rescanning, running
from scanning.models import Notice, Scan
from tests import builders
from tests.builders import Cast
from tests.scanning.conftest import load, osv, rated

BEFORE_TWO = [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}]


@pytest.fixture
def gates(settings) -> None:
    """Only the flaws are judged here."""
    settings.REGISTRY_GATES = {**settings.REGISTRY_GATES, "approving": ["scanning.gates.is_safe"]}


@pytest.fixture
def scanned(held, gates, cast: Cast):
    """An approved version that a scan found clean."""
    load(osv("GHSA-other", name="other"))
    release = held(status="approved", submitted_by=cast.alice)
    running.scan(release)
    return release


def again(release: Release) -> str:
    tasks.drain()
    release.refresh_from_db()
    return release.status


def scans_of(release: Release) -> list[str]:
    return list(Scan.objects.filter(release=release).order_by("pk").values_list("trigger", flat=True))


# --- which are scanned again --------------------------------------------------------------------------------------
def test_only_the_versions_that_an_advisory_touches_are_scanned_again(scanned):
    later = builders.release(scanned.package, "2.0.0", "approved")
    other = builders.release(builders.package(scanned.project, "right-pad"), "1.0.0", "approved")
    for release in (later, other):
        running.scan(release)
    load(osv(**rated("LOW")))
    tasks.drain()
    assert [len(scans_of(release)) for release in (scanned, later, other)] == [2, 1, 1]
    assert scans_of(scanned)[-1] == "advisory"
    load(osv(modified="2026-02-01T00:00:00Z", summary="Said better", **rated("LOW")))
    tasks.drain()
    assert len(scans_of(scanned)) == 2  # nothing about it has changed


def test_a_fix_or_a_withdrawal_brings_back_what_an_advisory_took(scanned):
    load(osv(**rated("HIGH")))
    assert again(scanned) == "quarantined"
    fixed_at_once = [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.0.0"}]}]
    load(osv(modified="2026-02-01T00:00:00Z", ranges=fixed_at_once, **rated("HIGH")))
    assert again(scanned) == "approved"


def test_naming_packages_costs_one_query_and_one_job_each(scanned, django_assert_num_queries):
    strangers = [("npm", f"not-here-{number}") for number in range(400)]
    with django_assert_num_queries(1):
        assert rescanning.packages_touched([*strangers, ("pypi", "left-pad")]) == 0
    assert rescanning.packages_touched([*strangers, ("npm", "left-pad"), ("npm", "left-pad")]) == 1
    rescanning.packages_touched([("npm", "left-pad")])
    assert Job.objects.filter(kind="rescan-package").count() == 1


def test_the_work_for_each_version_is_bounded_and_the_owner_gets_one_letter(scanned, cast: Cast, time_machine):
    """Twelve versions cost no more queries each than four do."""
    spent = []
    for count in (4, 12):
        package = builders.package(scanned.project, f"pad-{count}", maintainer=cast.alice)
        for number in range(count):
            running.scan(builders.release(package, f"1.{number}.0", "approved"))
        with CaptureQueriesContext(connection) as captured:
            load(osv(f"GHSA-{count}", name=package.name, **rated("HIGH")))
            tasks.drain()
        assert package.releases.filter(status="quarantined").count() == count
        spent.append(len(captured) / count)
    assert spent[1] <= spent[0]
    assert spent[1] < 90
    time_machine.move_to(timezone.now() + timedelta(minutes=1))
    tasks.drain()
    [letter] = mail.outbox
    assert letter.subject == "pad-4 1.0.0 was put into quarantine, and 15 more"
    assert letter.body.count("was put into quarantine") == 16


# --- in their turn ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("days", "due"), [(6, 0), (8, 1)])
def test_what_was_not_scanned_for_long_is_scanned_again(scanned, days: int, due: int):
    Scan.objects.update(finished_at=timezone.now() - timedelta(days=days))
    assert rescanning.rescan_old() == due
    tasks.drain()
    assert scans_of(scanned)[1:] == ["schedule"] * due


def test_nothing_is_scanned_again_by_itself_where_that_is_switched_off(scanned, settings):
    settings.RESCAN_DAYS = 0
    Scan.objects.update(finished_at=timezone.now() - timedelta(days=999))
    assert rescanning.rescan_old() == 0


# --- decisions that stand -----------------------------------------------------------------------------------------
def test_an_override_stays_until_another_flaw_is_known(scanned, cast: Cast):
    load(osv("GHSA-1", aliases=["CVE-1"], **rated("HIGH")))
    assert again(scanned) == "quarantined"
    approving.approve(scanned, builders.actor(cast.bob), override=True, reason="Our use is safe.")
    load(osv("CVE-1", **rated("CRITICAL")))  # the same flaw, under its other name
    assert again(scanned) == "approved"
    load(osv("GHSA-2", summary="Another thing", **rated("HIGH")))
    assert again(scanned) == "quarantined"
    load(osv("GHSA-2", modified="2026-03-01T00:00:00Z", withdrawn="2026-03-01T00:00:00Z"))
    assert again(scanned) == "approved"  # and what was overruled stays overruled
    assert scanned.decisions.first().by_name == "policy"


def test_policy_never_undoes_what_a_maintainer_withdrew(scanned, cast: Cast):
    documents.rebuild(scanned.package)
    approving.quarantine(scanned, builders.actor(cast.bob), reason="It smells.")
    load(osv(**rated("HIGH")))
    assert again(scanned) == "quarantined"
    load(osv(modified="2026-02-01T00:00:00Z", withdrawn="2026-02-01T00:00:00Z"))
    assert again(scanned) == "quarantined"
    assert scanned.held_because == "It smells."


def test_a_scan_that_fails_lets_nothing_out_of_quarantine(scanned):
    load(osv(**rated("HIGH")))
    assert again(scanned) == "quarantined"
    running.give_up(running.scan(scanned))
    assert approving.reconsider(scanned).status == "quarantined"


# --- letters ------------------------------------------------------------------------------------------------------
def test_a_mail_server_that_is_away_loses_no_letter(scanned, monkeypatch, time_machine):
    def away(self, messages):
        raise SMTPServerDisconnected("gone")

    def after(minutes: int) -> list[list[str]]:
        time_machine.move_to(timezone.now() + timedelta(minutes=minutes))
        tasks.drain()
        return [one.to for one in mail.outbox]

    load(osv(**rated("HIGH")))
    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", away)
        assert again(scanned) == "quarantined"
        assert after(1) == []
    assert Job.objects.get(kind="letter").state == "open"
    assert after(6) == [["alice@example.com"]]
    notifying.on_decision(Decision.objects.get())  # told twice, sent once
    assert len(after(1)) == 1


def test_a_worker_that_died_over_a_letter_leaves_it_to_the_next(scanned, time_machine):
    load(osv(**rated("HIGH")))
    assert again(scanned) == "quarantined"
    Notice.objects.update(claimed_at=timezone.now())
    time_machine.move_to(timezone.now() + timedelta(minutes=1))
    tasks.drain()
    assert mail.outbox == []  # it may be on its way
    time_machine.move_to(timezone.now() + timedelta(minutes=9))
    tasks.drain()
    assert len(mail.outbox) == 1
