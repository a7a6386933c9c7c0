"""Decisions: by maintainers and by policy, each made once, on one digest, with evidence."""

import pytest

from accounts.actors import ANONYMOUS, SYSTEM
from accounts.errors import Unauthenticated
from accounts.models import AuditEvent
from registry import approving, checking, retiring, tasks
from registry.errors import Conflict, Forbidden, InvalidInput
from registry.models import Check, Decision, Release
from registry.models.releases import Release as ReleaseRow
from tests import builders
from tests.registry import invariants

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(alice) -> Release:
    """A submission whose checks have ended."""
    release = builders.submitted(alice)
    tasks.drain()
    return release


@pytest.fixture
def failing(publish) -> Release:
    """A published version that a check objects to: its name is confusable with another's."""
    publish(builders.npm_tarball("left-pad"))
    return publish(builders.npm_tarball("ieft-pad"))


# --- approving ----------------------------------------------------------------------------------------------------
def test_a_maintainer_approves_and_the_decision_is_the_evidence(waiting, bob):
    release = approving.approve(waiting, builders.actor(bob), reason="we need it", sha256=waiting.sha256)
    decision = release.decisions.get()
    assert (release.status, release.held_because) == ("approved", "")
    assert (decision.answer, decision.by, decision.by_name) == ("approved", bob, "bob")
    assert (decision.reason, decision.override, decision.pseudonym) == ("we need it", False, str(bob.pseudonym))
    assert {one["gate"] for one in decision.verdicts} == {"checks", "review"}
    assert [one["name"] for one in decision.checks] == list(invariants.OWN_CHECKS)
    invariants.hold()


def test_a_developer_decides_nothing(waiting, mallory, alice):
    for person in (mallory, alice):
        with pytest.raises(Forbidden):
            approving.approve(waiting, builders.actor(person))
        with pytest.raises(Forbidden):
            approving.reject(waiting, builders.actor(person), reason="no")
    with pytest.raises(Unauthenticated):
        approving.approve(waiting, ANONYMOUS)


def test_a_developers_token_with_the_scope_review_decides_nothing(waiting, mallory):
    with pytest.raises(Forbidden) as caught:
        approving.approve(waiting, builders.actor(mallory, "review", kind="token"))
    assert caught.value.code == "role_missing"


def test_a_maintainers_token_without_the_scope_decides_nothing(waiting, bob):
    with pytest.raises(Forbidden) as caught:
        approving.approve(waiting, builders.actor(bob, "read", "publish", kind="token"))
    assert caught.value.code == "scope_missing"


def test_nobody_approves_what_they_submitted_themselves(bob):
    release = builders.submitted(bob)
    tasks.drain()
    with pytest.raises(Forbidden) as caught:
        approving.approve(release, builders.actor(bob))
    assert caught.value.code == "self_approval"
    release.refresh_from_db()
    assert release.status == "pending"


def test_not_even_an_admin_approves_what_they_submitted_themselves(root):
    release = builders.submitted(root)
    tasks.drain()
    with pytest.raises(Forbidden):
        approving.approve(release, builders.actor(root))


def test_an_instance_may_allow_that_people_approve_their_own(settings, bob):
    settings.REVIEW_SELF_APPROVAL = True
    release = builders.submitted(bob)
    tasks.drain()
    assert approving.approve(release, builders.actor(bob)).status == "approved"


def test_maintainers_may_reject_what_they_submitted_themselves(bob):
    release = builders.submitted(bob)
    tasks.drain()
    assert approving.reject(release, builders.actor(bob), reason="a mistake of mine").status == "rejected"


def test_a_decision_on_other_bytes_than_were_reviewed_is_refused(waiting, bob):
    for decide in (approving.approve, approving.reject):
        with pytest.raises(Conflict) as caught:
            decide(waiting, builders.actor(bob), reason="seen", sha256="0" * 64)
        assert caught.value.code == "digest_changed"
    assert not Decision.objects.exists()


def test_bytes_that_change_between_look_and_click_are_noticed(publish, cast):
    cast.acme.review_policy = "manual"
    cast.acme.save()
    release = publish()
    seen = release.sha256
    ReleaseRow.objects.filter(pk=release.pk).update(sha256="f" * 64)
    with pytest.raises(Conflict):
        approving.approve(release, builders.actor(cast.bob), sha256=seen)


def test_a_second_decision_comes_too_late(waiting, bob, root):
    approving.approve(waiting, builders.actor(bob))
    for late in (approving.approve, approving.reject):
        with pytest.raises(Conflict) as caught:
            late(waiting, builders.actor(root), reason="me too")
        assert caught.value.code == "not_decidable"
    assert Decision.objects.count() == 1
    invariants.hold()


def test_what_was_rejected_stays_rejected(waiting, bob, root):
    approving.reject(waiting, builders.actor(bob), reason="unmaintained")
    with pytest.raises(Conflict):
        approving.approve(waiting, builders.actor(root), reason="but I want it", override=True)
    approving.reconsider(waiting)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.held_because) == ("rejected", "unmaintained")
    invariants.hold()


def test_an_unlisted_version_is_not_decided(waiting, bob, root):
    retiring.unlist(waiting, builders.actor(root))
    with pytest.raises(Conflict, match="unlisted already"):
        approving.approve(waiting, builders.actor(bob))


# --- rejecting ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("reason", ["", "   ", "\n\t", "x" * 4001])
def test_a_rejection_needs_a_reason_that_fits(waiting, bob, reason):
    with pytest.raises(InvalidInput) as caught:
        approving.reject(waiting, builders.actor(bob), reason=reason)
    assert "reason" in caught.value.details


def test_a_rejection_says_why(waiting, bob):
    release = approving.reject(waiting, builders.actor(bob), reason=" no licence ")
    assert (release.status, release.held_because) == ("rejected", "no licence")
    invariants.hold()


# --- overriding ---------------------------------------------------------------------------------------------------
def test_an_objection_is_not_passed_over_in_silence(failing, bob):
    with pytest.raises(Conflict) as caught:
        approving.approve(failing, builders.actor(bob), reason="it is fine")
    assert caught.value.code == "objection"
    assert caught.value.details["verdicts"][0]["code"] == "CHECK_FAILED"


def test_an_override_needs_a_reason(failing, bob):
    with pytest.raises(InvalidInput):
        approving.approve(failing, builders.actor(bob), override=True)


def test_an_override_with_a_reason_is_recorded_as_such(failing, bob):
    release = approving.approve(failing, builders.actor(bob), override=True, reason="it is our own fork")
    decision = release.decisions.get()
    assert (release.status, decision.override, decision.reason) == ("approved", True, "it is our own fork")
    event = AuditEvent.objects.get(action="release.approved", object="npm:ieft-pad@1.0.0")
    assert event.details["override"] is True
    invariants.hold()


def test_an_override_that_overrules_nothing_is_not_recorded_as_one(waiting, bob):
    assert approving.approve(waiting, builders.actor(bob), override=True).decisions.get().override is False


def test_running_checks_are_waited_for_unless_overridden(alice, bob):
    release = builders.submitted(alice)
    with pytest.raises(Conflict) as caught:
        approving.approve(release, builders.actor(bob))
    assert caught.value.code == "checks_running"
    approving.approve(release, builders.actor(bob), override=True, reason="urgent")
    assert release.decisions.get().override is True
    tasks.drain()
    release.refresh_from_db()
    assert release.status == "approved"
    invariants.hold()


def test_a_check_that_could_not_be_carried_out_is_no_pass(waiting, bob):
    waiting.checks.filter(name="integrity").update(status="errored")
    with pytest.raises(Conflict, match="override"):
        approving.approve(waiting, builders.actor(bob), reason="looks fine")
    approving.approve(waiting, builders.actor(bob), reason="verified by hand", override=True)
    assert waiting.decisions.get().override is True


# --- policy -------------------------------------------------------------------------------------------------------
def test_an_automatic_project_needs_no_person(publish):
    decision = publish().decisions.get()
    assert (decision.by, decision.by_name, decision.pseudonym) == (None, "policy", "system")
    assert "automatic" in decision.reason
    invariants.hold()


def test_reconsidering_changes_nothing_twice(publish):
    release = publish()
    for _ in range(3):
        approving.reconsider(release)
    assert Decision.objects.count() == 1
    invariants.hold()


def test_a_new_objection_withdraws_what_was_approved(publish):
    release = publish()
    Check.objects.filter(release=release, name="integrity").update(status="failed", summary="The bytes rot.")
    approving.reconsider(release)
    release.refresh_from_db()
    assert release.status == "quarantined"
    assert "The bytes rot." in release.held_because
    assert release.decisions.first().by_name == "policy"
    invariants.hold()


def test_an_objection_that_was_overridden_knowingly_does_not_withdraw_it(failing, bob):
    approving.approve(failing, builders.actor(bob), override=True, reason="it is our own fork")
    approving.reconsider(failing)
    failing.refresh_from_db()
    assert failing.status == "approved"


def test_another_objection_than_the_overridden_one_does(failing, bob):
    approving.approve(failing, builders.actor(bob), override=True, reason="it is our own fork")
    Check.objects.filter(release=failing, name="archive").update(status="failed", summary="A bomb.")
    approving.reconsider(failing)
    failing.refresh_from_db()
    assert failing.status == "quarantined"
    invariants.hold()


def test_an_objection_withdraws_even_what_is_unlisted_and_still_downloadable(publish, root):
    release = publish()
    retiring.unlist(release, builders.actor(root))
    Check.objects.filter(release=release, name="integrity").update(status="failed", summary="The bytes rot.")
    approving.reconsider(release)
    release.refresh_from_db()
    assert release.status == "quarantined"
    invariants.hold()


def test_reconsidering_an_unlisted_submission_does_nothing(waiting, root):
    retiring.unlist(waiting, builders.actor(root))
    assert approving.reconsider(waiting).status == "pending"
    assert [one.answer for one in Decision.objects.all()] == ["unlisted"]


def test_what_waited_when_it_was_unlisted_is_looked_at_again_once_restored(publish, root):
    release = publish(checks=False)
    retiring.unlist(release, builders.actor(root))
    tasks.drain()
    retiring.restore(release, builders.actor(root))
    tasks.drain()
    release.refresh_from_db()
    assert release.status == "approved"
    invariants.hold()


# --- quarantine ---------------------------------------------------------------------------------------------------
def test_a_maintainer_withdraws_at_once_and_may_approve_again(publish, bob):
    release = publish()
    approving.quarantine(release, builders.actor(bob), reason="a worm")
    release.refresh_from_db()
    assert (release.status, release.held_because) == ("quarantined", "a worm")
    invariants.hold()
    approving.approve(release, builders.actor(bob), reason="false alarm")
    release.refresh_from_db()
    assert (release.status, release.held_because) == ("approved", "")
    assert [one.answer for one in release.decisions.all()] == ["approved", "quarantined", "approved"]
    invariants.hold()


def test_only_what_is_approved_is_withdrawn(waiting, bob):
    with pytest.raises(Conflict):
        approving.quarantine(waiting, builders.actor(bob), reason="a worm")


def test_withdrawing_needs_a_reason_and_a_maintainer(publish, bob, mallory):
    release = publish()
    with pytest.raises(InvalidInput):
        approving.quarantine(release, builders.actor(bob), reason="")
    with pytest.raises(Forbidden):
        approving.quarantine(release, builders.actor(mallory), reason="spite")


def test_reconsidering_does_not_lift_a_quarantine(publish, bob):
    release = publish()
    approving.quarantine(release, builders.actor(bob), reason="a worm")
    approving.reconsider(release)
    release.refresh_from_db()
    assert release.status == "quarantined"


def test_latest_steps_back_when_it_is_withdrawn_and_returns_with_it(publish, bob):
    publish(builders.npm_tarball(version="1.0.0"))
    release = publish(builders.npm_tarball(version="2.0.0"))
    approving.quarantine(release, builders.actor(bob), reason="a worm")
    assert builders.Package.objects.get().latest_version == "1.0.0"
    approving.approve(release, builders.actor(bob))
    assert builders.Package.objects.get().latest_version == "2.0.0"
    invariants.hold()


def test_the_system_may_decide_where_nobody_does(waiting):
    assert approving.approve(waiting, SYSTEM, reason="migration").decisions.get().by_name == "policy"


# --- checks again -------------------------------------------------------------------------------------------------
def test_a_rescan_opens_the_checks_and_withdraws_what_fails_now(publish, bob, root):
    release = publish()
    release.artifacts.update(sha512="0" * 128)
    checking.rescan(release, builders.actor(bob), ["integrity"])
    assert set(release.checks.values_list("status", flat=True)) == {"passed", "pending"}
    tasks.drain()
    release.refresh_from_db()
    assert release.status == "quarantined"


def test_only_maintainers_rescan(publish, mallory):
    with pytest.raises(Forbidden):
        checking.rescan(publish(), builders.actor(mallory))


def test_a_rescan_of_a_sound_version_changes_nothing(publish, bob):
    release = publish()
    checking.rescan(release, builders.actor(bob))
    tasks.drain()
    release.refresh_from_db()
    assert (release.status, release.decisions.count()) == ("approved", 1)
    invariants.hold()
