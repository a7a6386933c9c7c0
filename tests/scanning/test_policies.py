"""What the policy makes of findings and ages, for the instance and for a project that wants it otherwise."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import AuditEvent
from registry import approving, checking, documents, tasks
from registry.errors import Conflict
from scanning import policies, running
from scanning.checks import report
from scanning.gates import is_safe
from scanning.models import ScanPolicy
from tests import builders
from tests.builders import Cast
from tests.scanning.conftest import load, osv, rated


@pytest.fixture
def say(cast: Cast):
    """Set the policy of a project, or of the instance, as an admin would."""

    def write(project=None, **wanted) -> ScanPolicy:
        row = ScanPolicy.objects.filter(project=project).first() or ScanPolicy(project=project)
        for name, value in wanted.items():
            setattr(row, name, value)
        policies.write(row, builders.actor(cast.root))
        return row

    return write


@pytest.fixture
def struck(held, alone):
    """An approved release with a flaw of the given severity, scanned."""

    def make(word: str, **more):
        load(osv(**rated(word), **more))
        release = held(status="approved")
        running.scan(release)
        return release

    return make


@pytest.fixture
def alone(settings) -> None:
    """Only the gates of scanning are asked."""
    gates = ["scanning.gates.is_safe", "scanning.gates.is_old_enough"]
    settings.REGISTRY_GATES = {**settings.REGISTRY_GATES, "approving": gates}


def status_of(release) -> str:
    return report(running.current(release), release).status


@pytest.mark.parametrize(
    ("word", "status"),
    [("CRITICAL", "failed"), ("HIGH", "failed"), ("MODERATE", "warned"), ("LOW", "warned"), ("", "warned")],
)
def test_what_ships_blocks_critical_and_high_and_warns_of_the_rest(struck, word: str, status: str):
    assert status_of(struck(word)) == status


def test_a_project_overrides_what_the_instance_says_and_leaves_the_rest(struck, say, cast: Cast):
    release = struck("")
    say(unknown="block", cooldown_days=3)
    assert status_of(release) == "failed"
    say(cast.acme, unknown="ignore")
    assert (status_of(release), is_safe(release, builders.actor(cast.bob)).answer) == ("passed", "allow")
    assert policies.rules_for(cast.acme.pk).cooldown_days == 3
    assert policies.rules_for(cast.elsewhere.pk).unknown == "block"


def test_a_finding_without_a_fix_may_be_let_off_with_a_warning(struck, say):
    never = [{"type": "SEMVER", "events": [{"introduced": "0"}]}]
    release = struck("CRITICAL", ranges=never)
    assert status_of(release) == "failed"
    say(unfixed="warn")
    assert status_of(release) == "warned"


def test_a_stricter_policy_withdraws_what_was_approved_and_a_milder_one_brings_it_back(struck, say):
    release = struck("MODERATE")
    for answer, status in (("block", "quarantined"), ("warn", "approved")):
        say(medium=answer)
        tasks.drain()
        release.refresh_from_db()
        assert release.status == status


def test_a_flagging_policy_lets_it_stay_and_tells_the_owners_once(struck, say, cast: Cast, time_machine):
    say(breach="flag")
    release = struck("HIGH")
    release.submitted_by = cast.alice
    release.save()
    for _ in range(2):
        approving.reconsider(release)
        time_machine.move_to(timezone.now() + timedelta(minutes=1))
        tasks.drain()
    release.refresh_from_db()
    assert (release.status, "GHSA-0000" in release.held_because) == ("approved", True)
    assert [one.subject for one in mail.outbox] == ["left-pad 1.0.0 breaks the policy"]
    assert release.decisions.get().answer == "flagged"
    load(osv(modified="2026-05-01T00:00:00Z", withdrawn="2026-05-01T00:00:00Z"))
    running.scan(release)
    approving.reconsider(release)
    release.refresh_from_db()
    assert release.held_because == ""


# --- the cooldown -------------------------------------------------------------------------------------------------
def test_a_version_that_is_too_young_waits_and_is_approved_when_its_time_has_come(held, say, alone, time_machine):
    load(osv("GHSA-other", name="other"))
    start = timezone.now()
    time_machine.move_to(start, tick=False)
    say(cooldown_days=7)
    release = held()
    running.scan(release)
    documents.rebuild(release.package)
    approving.reconsider(release)
    release.refresh_from_db()
    assert (release.status, release.stands_until) == ("pending", start + timedelta(days=7))
    assert f"waits until {start + timedelta(days=7):%Y-%m-%d %H:%M} UTC" in release.held_because
    for shift, status in ((timedelta(days=7, seconds=-1), "pending"), (timedelta(days=7), "approved")):
        time_machine.move_to(start + shift, tick=False)
        tasks.sweep()
        tasks.drain()
        release.refresh_from_db()
        assert release.status == status


def test_only_an_override_shortens_the_cooldown(held, say, alone, cast: Cast):
    say(cooldown_days=7)
    load(osv("GHSA-other", name="other"))
    release = held()
    running.scan(release)
    with pytest.raises(Conflict):
        approving.approve(release, builders.actor(cast.bob))
    approved = approving.approve(release, builders.actor(cast.bob), override=True, reason="We wrote it.")
    assert (approved.status, approved.stands_until) == ("approved", None)


def test_the_age_check_tells_until_when_a_version_is_too_young_and_when_it_is_so_no_more(held, say, time_machine):
    start = timezone.now()
    time_machine.move_to(start, tick=False)
    release = held()
    checking.open_checks(release)

    def age() -> tuple[str, str]:
        tasks.sweep()
        tasks.drain()
        check = release.checks.get(name="age")
        return check.status, check.summary

    assert age() == ("skipped", "The policy asks for no age.")
    say(cooldown_days=7)
    until = f"{start + timedelta(days=7):%Y-%m-%d %H:%M} UTC"
    assert age() == ("warned", f"It was published on {start:%Y-%m-%d}, and the policy waits until {until}.")
    time_machine.move_to(start + timedelta(days=7, seconds=-1), tick=False)
    assert age()[0] == "warned"
    time_machine.move_to(start + timedelta(days=7), tick=False)
    assert age() == ("passed", f"It was published on {start:%Y-%m-%d}; the policy asks for 7 days.")
    say(cooldown_days=9)
    assert age()[0] == "warned"


# --- in the admin -------------------------------------------------------------------------------------------------
def test_admins_change_the_policy_and_maintainers_do_not(client, cast: Cast):
    row = ScanPolicy.objects.get_or_create(project=None)[0]
    form = {
        "critical": "block", "high": "warn", "medium": "warn", "low": "ignore", "unknown": "block",
        "unfixed": "warn", "breach": "flag", "cooldown_days": "2",
    }  # fmt: skip
    url = f"/admin/scanning/scanpolicy/{row.pk}/change/"
    client.force_login(cast.bob)
    assert client.post(url, form).status_code == 403
    client.force_login(cast.root)
    assert client.post(url, {**form, "high": ""}).status_code == 200
    assert client.post(url, form).status_code == 302
    assert policies.rules_for(None) == policies.Rules("block", "warn", "warn", "ignore", "block", "warn", "flag", 2)
    event = AuditEvent.objects.get(action="scan_policy.changed")
    assert (event.object, event.details["to"]["high"]) == ("instance", "warn")
    assert client.post(f"/admin/scanning/scanpolicy/{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_project_goes_back_to_the_policy_of_the_instance(client, cast: Cast):
    client.force_login(cast.root)
    add = "/admin/scanning/scanpolicy/add/"
    assert client.post(add, {"project": str(cast.acme.pk)}).status_code == 200
    assert client.post(add, {"project": str(cast.acme.pk), "high": "warn"}).status_code == 302
    assert client.post(add, {"project": str(cast.acme.pk), "high": "block"}).status_code == 200
    assert policies.rules_for(cast.acme.pk).high == "warn"
    row = ScanPolicy.objects.get(project=cast.acme)
    assert client.post(f"/admin/scanning/scanpolicy/{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert policies.rules_for(cast.acme.pk).high == "block"
    assert AuditEvent.objects.filter(action="scan_policy.changed", project="acme").count() == 2
