"""The door that bytes leave by, the gates before it, and the counts behind it."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.actors import ANONYMOUS
from registry import approving, counting, documents, downloading, explaining, retiring, storage, tasks
from registry.errors import Forbidden, NotFound, Unavailable
from registry.models import DownloadCount, Package
from tests import builders

pytestmark = pytest.mark.django_db


def code_for(release, actor=ANONYMOUS) -> str:
    """Why the file does not leave."""
    with pytest.raises(Forbidden) as caught:
        downloading.open_artifact(release, actor)
    assert {one["gate"] for one in caught.value.details["verdicts"]} == {"visibility", "retirement", "decision"}
    return caught.value.code


def test_what_is_approved_leaves_from_any_offset(publish):
    body = builders.npm_tarball()
    download = downloading.open_artifact(publish(body), ANONYMOUS)
    for offset in (0, 1, 100, len(body) - 1, len(body), len(body) + 10):
        with download.open(offset) as file:
            assert file.read() == body[offset:]
    assert not download.is_private


def test_what_waits_is_rejected_or_withdrawn_does_not_leave(publish, alice, bob):
    release = publish(checks=False)
    assert code_for(release) == "pending"
    tasks.drain()
    release.refresh_from_db()
    approving.quarantine(release, builders.actor(bob), reason="a worm")
    release.refresh_from_db()
    assert code_for(release) == "quarantined"
    approving.reject(release, builders.actor(bob), reason="a worm indeed")
    release.refresh_from_db()
    for person in (alice, bob):
        assert code_for(release, builders.actor(person)) == "rejected"


def test_private_files_leave_for_members_only_and_strangers_learn_nothing(publish, alice, bob, mallory):
    release = publish(access="private")
    for person in (alice, bob):
        assert downloading.open_artifact(release, builders.actor(person)).is_private
    for actor in (ANONYMOUS, builders.actor(mallory)):
        with pytest.raises(NotFound):
            downloading.open_artifact(release, actor)


def test_a_file_is_asked_for_by_its_name(publish):
    release = publish()
    assert downloading.open_artifact(release, ANONYMOUS, "left-pad-1.0.0.tgz").artifact.size == release.size
    with pytest.raises(NotFound):
        downloading.open_artifact(release, ANONYMOUS, "../../etc/passwd")


def test_a_submission_by_name_only_has_no_file(alice, bob):
    release = builders.submitted(alice)
    tasks.drain()
    approving.approve(release, builders.actor(bob))
    release.refresh_from_db()
    with pytest.raises(NotFound, match="by name only"):
        downloading.open_artifact(release, ANONYMOUS)


def test_a_lost_file_is_unavailable_and_not_empty(publish):
    release = publish()
    download = downloading.open_artifact(release, ANONYMOUS)
    storage.local_path(download.blob).unlink()
    with pytest.raises(Unavailable):
        download.open()


def test_reviewers_see_the_file_whatever_its_status(publish, bob, alice):
    release = publish(checks=False)
    with downloading.reviewable(release, builders.actor(bob)).open() as file:
        assert len(file.read()) == release.size
    with pytest.raises(Forbidden):
        downloading.reviewable(release, builders.actor(alice))
    with pytest.raises(NotFound):
        downloading.reviewable(builders.submitted(alice), builders.actor(bob))


def refreshed() -> int:
    """What the worker does every minute; how many packages have new figures."""
    counting.fold()
    return counting.refresh_figures()


# --- counts -------------------------------------------------------------------------------------------------------
def test_downloads_are_counted_by_day_and_folded_into_the_package(publish):
    release = publish()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(3):
            counting.count(release, ANONYMOUS)
        clock.shift(timedelta(days=1))
        counting.count(release, ANONYMOUS)
        assert refreshed() == 1
        assert list(DownloadCount.objects.order_by("day").values_list("count", flat=True)) == [3, 1]
        assert Package.objects.get().downloads == 4
        assert refreshed() == 0


def test_counting_costs_one_statement_at_most(publish, django_assert_max_num_queries):
    release = publish()
    with django_assert_max_num_queries(1):
        counting.count(release, ANONYMOUS)


def test_figures_of_many_packages_cost_no_query_each(acme, django_assert_max_num_queries):
    today = timezone.now().date()
    for number in range(30):
        package = builders.package(acme, f"p-{number}")
        DownloadCount.objects.create(release=builders.release(package), package=package, day=today, count=number)
    with django_assert_max_num_queries(6):
        assert counting.refresh_figures() == 29
    assert Package.objects.get(name="p-29").downloads == 29


def test_an_unlisted_version_still_counts(publish, root):
    release = publish()
    retiring.unlist(release, builders.actor(root))
    counting.count(release, ANONYMOUS)
    refreshed()
    assert Package.objects.get().downloads == 1


# --- explaining ---------------------------------------------------------------------------------------------------
def test_an_approved_version_is_allowed_and_the_decision_stands_beside_it(publish):
    explanation = explaining.explain(publish(), ANONYMOUS)
    assert (explanation.answer, explanation.sentence) == ("allow", "You may use this version.")
    assert explanation.decision_row()["by"] == "policy"
    assert explanation.remedies == []
    assert [one.gate for one in explanation.verdicts] == ["visibility", "retirement", "decision", "checks", "review"]


def test_the_words_of_a_refused_download_and_of_the_explanation_are_the_same(publish, bob):
    release = publish()
    approving.quarantine(release, builders.actor(bob), reason="a worm was found")
    release.refresh_from_db()
    explanation = explaining.explain(release, ANONYMOUS)
    with pytest.raises(Forbidden) as caught:
        downloading.open_artifact(release, ANONYMOUS)
    assert explanation.answer == "deny"
    assert caught.value.message == explanation.sentence == "This version is quarantined. a worm was found"
    assert caught.value.details["verdicts"] == [one.as_dict() for one in explanation.verdicts[:3]]


def test_a_version_that_waits_is_held_and_says_what_is_missing(alice):
    release = builders.submitted(alice)
    explanation = explaining.explain(release, ANONYMOUS)
    assert explanation.answer == "hold"
    assert explanation.decision is None
    assert "CHECKS_RUNNING" in {one.code for one in explanation.verdicts}


def test_a_remedy_names_the_version_that_may_be_used_instead(publish, bob):
    publish(builders.npm_tarball(version="1.0.0"))
    release = publish(builders.npm_tarball(version="1.1.0"))
    approving.quarantine(release, builders.actor(bob), reason="a worm")
    release.refresh_from_db()
    remedies = explaining.explain(release, ANONYMOUS).remedies
    assert any("1.0.0" in one for one in remedies)
    assert len(remedies) == len(set(remedies))


def test_the_verdicts_of_a_decision_read_the_same_for_ever(publish, bob):
    release = publish()
    before = explaining.explain(release, ANONYMOUS).verdicts
    release.checks.update(status="failed", summary="since then")
    assert explaining.explain(release, ANONYMOUS).verdicts == before


def test_a_removed_version_is_denied_and_says_so(publish, root):
    release = publish()
    retiring.unlist(release, builders.actor(root))
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        tasks.drain()
    release.refresh_from_db()
    explanation = explaining.explain(release, ANONYMOUS)
    assert explanation.answer == "deny"
    assert "removed" in explanation.sentence


def test_a_private_version_is_denied_to_strangers(publish, mallory, alice):
    release = publish(access="private")
    assert explaining.explain(release, builders.actor(mallory)).answer == "deny"
    assert explaining.explain(release, builders.actor(alice)).answer == "allow"


def test_nothing_private_stands_in_the_public_documents(publish, alice):
    release = publish(access="private")
    assert documents.read("left-pad", "npm").private
    assert documents.read("left-pad", "npm").project_id == release.project_id
