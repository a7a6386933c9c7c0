"""Deciding in the admin: the same activities as the API, errors in place, the next one opens."""

import pytest

from accounts.models import AuditEvent
from registry.models import Decision, Job, Release
from tests.admin.conftest import signed_in

pytestmark = pytest.mark.django_db


def release_named(name: str, status: str = "pending") -> Release:
    return Release.objects.get(package__name=name, status=status)


def decide(client, release: Release, decision: str, **fields):
    form = {"decision": decision, "sha256": release.sha256, "reason": "", **fields}
    return client.post(f"/admin/review/{release.pk}/decide/", form)


def many(client, releases, decision: str, reason: str = "", **fields):
    form = {"release": [f"{one.pk}:{one.sha256}" for one in releases], "decision": decision, "reason": reason}
    return client.post("/admin/queue/decide/", {**form, **fields}, follow=True)


def said(page) -> str:
    return " ".join(str(message) for message in page.context["messages"])


def test_approving_opens_the_next_and_leaves_evidence(as_bob, bob, troubled):
    page = decide(as_bob, troubled, "approve", reason="Looked at the script.")
    assert page.status_code == 302
    assert page.url == f"/admin/review/{release_named('lodahs').pk}/"
    decision = Decision.objects.get(release=troubled)
    assert (decision.answer, decision.by, decision.sha256) == ("approved", bob, troubled.sha256)
    assert decision.reason == "Looked at the script."
    assert AuditEvent.objects.filter(action="release.approved", actor=str(bob.pseudonym)).exists()


def test_the_next_one_fits_the_filters_of_the_queue(as_bob, troubled):
    page = decide(as_bob, release_named("requests-toolbelt"), "approve", queue="ecosystem=pypi")
    assert page.url == f"/admin/review/{release_named('readline-tools').pk}/?ecosystem=pypi"


def test_after_the_last_one_the_queue_opens(as_bob, troubled):
    page = decide(as_bob, release_named("requests-toolbelt"), "approve", queue="age=7")
    assert page.url == "/admin/?age=7"


def test_rejecting_needs_a_reason_and_says_so_in_place(as_bob, troubled):
    page = decide(as_bob, troubled, "reject")
    assert page.status_code == 400
    assert "Give a reason: the submitter will read it." in page.content.decode()
    assert release_named("@acme-utils/core").status == "pending"
    assert decide(as_bob, troubled, "reject", reason="It runs a script.").status_code == 302
    troubled.refresh_from_db()
    assert (troubled.status, troubled.held_because) == ("rejected", "It runs a script.")


def test_a_failed_check_needs_an_override_with_a_reason(as_bob, troubled):
    typo = release_named("lodahs")
    refused = decide(as_bob, typo, "approve", reason="It is fine.")
    assert refused.status_code == 409
    assert "needs an override" in refused.content.decode()
    assert "It is fine." in refused.content.decode()
    assert decide(as_bob, typo, "approve", override="1").status_code == 400
    assert decide(as_bob, typo, "approve", override="1", reason="Ours, by the same author.").status_code == 302
    assert Decision.objects.get(release=typo).override


def test_nobody_approves_their_own_submission(as_bob, bob, troubled):
    own = release_named("left-pad")
    page = decide(as_bob, own, "approve")
    assert page.status_code == 403
    assert "another maintainer must decide" in page.content.decode()
    assert release_named("left-pad") == own
    event = AuditEvent.objects.get(outcome="refused")
    assert (event.action, event.actor) == ("release.approve", str(bob.pseudonym))


def test_another_maintainer_may(as_root, troubled):
    assert decide(as_root, release_named("left-pad"), "approve").status_code == 302


def test_a_file_that_changed_meanwhile_is_not_approved(as_bob, troubled):
    page = decide(as_bob, troubled, "approve", sha256="0" * 64)
    assert page.status_code == 409
    text = page.content.decode()
    assert "The file is not the one that was reviewed. Look at it again." in text
    assert f'name="sha256" value="{troubled.sha256}"' in text
    assert Decision.objects.filter(release=troubled).count() == 0


def test_a_form_without_a_digest_decides_nothing(as_bob, troubled):
    page = as_bob.post(f"/admin/review/{troubled.pk}/decide/", {"decision": "approve"})
    assert page.status_code == 400


def test_two_maintainers_at_once_one_wins(as_bob, as_root, troubled):
    assert decide(as_bob, troubled, "approve").status_code == 302
    late = decide(as_root, troubled, "reject", reason="No.")
    assert late.status_code == 409
    assert "approved already" in late.content.decode()
    assert Decision.objects.filter(release=troubled).count() == 1


def test_an_approved_release_is_quarantined_with_a_reason(as_bob, troubled):
    served = release_named("left-pad", "approved")
    assert decide(as_bob, served, "quarantine").status_code == 400
    assert decide(as_bob, served, "quarantine", reason="A backdoor was found.").status_code == 302
    served.refresh_from_db()
    assert (served.status, served.held_because) == ("quarantined", "A backdoor was found.")


def test_quarantine_looks_at_the_digest_too(as_bob, troubled):
    served = release_named("left-pad", "approved")
    assert decide(as_bob, served, "quarantine", reason="Bad.", sha256="1" * 64).status_code == 409


def test_checks_can_be_run_again(as_bob, troubled):
    page = decide(as_bob, troubled, "recheck")
    assert page.url == f"/admin/review/{troubled.pk}/"
    assert set(troubled.checks.values_list("status", flat=True)) == {"pending"}
    assert Job.objects.filter(kind="check", ref=str(troubled.pk), state="open").exists()


def test_an_unknown_verb_is_refused(as_bob, troubled):
    assert decide(as_bob, troubled, "explode").status_code == 400


# --- several at once ------------------------------------------------------------------------------------------------
def test_several_are_approved_at_once(as_bob, troubled):
    chosen = [release_named("requests-toolbelt"), release_named("readline-tools")]
    page = many(as_bob, chosen, "approve", reason="A batch.")
    assert "2 versions are approved." in said(page)
    assert {one.status for one in Release.objects.filter(pk__in=[one.pk for one in chosen])} == {"approved"}
    assert Decision.objects.filter(reason="A batch.").count() == 2


def test_one_that_is_refused_stops_no_other(as_bob, troubled):
    chosen = [release_named("requests-toolbelt"), release_named("lodahs"), release_named("left-pad")]
    page = many(as_bob, chosen, "approve")
    words = said(page)
    assert "requests-toolbelt 1.0.0 is approved" in words
    assert "lodahs 4.17.21: A check failed." in words
    assert "left-pad 1.3.0: You submitted this version yourself" in words
    assert f'href="/admin/review/{chosen[1].pk}/"' in page.content.decode()


def test_several_are_rejected_with_one_reason(as_bob, troubled):
    chosen = [release_named("lodahs"), release_named("readline-tools")]
    assert "Give a reason" in said(many(as_bob, chosen, "reject"))
    assert "2 versions are rejected." in said(many(as_bob, chosen, "reject", "Not needed."))


def test_each_is_decided_on_the_digest_that_its_line_showed(as_bob, troubled):
    toolbelt = release_named("requests-toolbelt")
    form = {"release": [f"{toolbelt.pk}:{'0' * 64}"], "decision": "approve"}
    page = as_bob.post("/admin/queue/decide/", form, follow=True)
    assert "not the one that was reviewed" in said(page)
    assert release_named("requests-toolbelt").status == "pending"


@pytest.mark.parametrize("ticked", [[], ["abc"], ["9999999:"], ["-1:x"], ["1"], ["99999999999999999999999999:x"]])
def test_odd_ticks_decide_nothing(as_bob, troubled, ticked):
    page = as_bob.post("/admin/queue/decide/", {"release": ticked, "decision": "approve"}, follow=True)
    assert page.status_code == 200
    assert Decision.objects.count() == 0


def test_the_queue_comes_back_as_it_was_filtered(as_bob, troubled):
    page = many(as_bob, [release_named("requests-toolbelt")], "approve", queue="ecosystem=pypi&page=1&evil=//x")
    assert page.redirect_chain[-1][0] == "/admin/?ecosystem=pypi"


# --- who may --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("who", ["alice", "mallory"])
def test_a_developer_decides_nothing(cast, troubled, who):
    client = signed_in(getattr(cast, who))
    assert decide(client, troubled, "approve").status_code == 302
    assert many(client, [troubled], "approve").status_code == 403
    assert Decision.objects.count() == 0


def test_a_stranger_decides_nothing(client, troubled):
    assert decide(client, troubled, "approve").url.startswith("/admin/login/")
    assert Decision.objects.count() == 0


def test_looking_decides_nothing(as_bob, troubled):
    assert as_bob.get(f"/admin/review/{troubled.pk}/decide/").status_code == 405
    assert as_bob.get("/admin/queue/decide/").status_code == 405


def test_a_forged_form_is_refused(cast, troubled):
    from django.test import Client

    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.bob)
    assert decide(browser, troubled, "approve").status_code == 403
    assert Decision.objects.count() == 0
