"""The review page: the question, the evidence and the decision on one page."""

from urllib.parse import unquote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry.models import Check, Release
from tests import builders
from tests.admin import queue_rows

pytestmark = pytest.mark.django_db


def text_of(client, release: Release, query: str = "") -> str:
    page = client.get(f"/admin/review/{release.pk}/{query}")
    assert page.status_code == 200
    return page.content.decode()


def test_the_question_says_who_asks_and_why(as_bob, troubled):
    text = text_of(as_bob, troubled)
    for words in ("alice", "Needed for the checkout rewrite", "Published: first party", "acme", troubled.sha256):
        assert words in text
    assert "The project approves what passes every check." in text


def test_the_evidence_shows_what_a_reviewer_must_not_miss(as_bob, troubled):
    text = text_of(as_bob, troubled)
    for words in (
        "all 8 done",
        "Runs code when it is installed",
        "sh bin/setup.sh --quiet",
        "CVE-2020-0001",
        "1 critical",
        "declared: MIT; found in its files: ISC",
        queue_rows.FINGERPRINT,
        "another key than before",
        "lodash ^4.17.20 → ^4.17.15",
        "executable",
    ):
        assert words in text


def test_the_gravest_flaw_comes_first(as_bob, troubled):
    text = text_of(as_bob, troubled).partition("findings-table")[2]
    assert text.index("CVE-2020-0001") < text.index("GHSA-35jh-r3h4-6jhm") < text.index("GHSA-29mw-wpgm-hmr9")


def test_a_finding_can_be_waived_from_here(as_bob, troubled):
    text = unquote(text_of(as_bob, troubled))
    assert "/packages/npm/@acme-utils/core/versions/1.3.0/waive?finding=CVE-2020-0001&amp;package=lodash" in text
    assert f"next=/admin/review/{troubled.pk}/" in text


def test_the_gates_speak_in_their_own_words(as_bob, troubled):
    failing = Release.objects.get(package__name="lodahs")
    page = as_bob.get(f"/admin/review/{failing.pk}/")
    reasons = [verdict.reason for verdict in page.context["standing"].verdicts]
    assert "A check failed. name: The name can be mistaken for lodash, which is another package." in reasons
    assert all(reason in page.content.decode() for reason in reasons)


def test_an_override_is_offered_only_where_something_objects(as_bob, troubled):
    assert 'name="override"' not in text_of(as_bob, troubled)
    assert 'name="override"' in text_of(as_bob, Release.objects.get(package__name="lodahs"))


def test_ones_own_submission_cannot_be_approved(as_bob, troubled):
    own = Release.objects.get(package__name="left-pad", status="pending")
    text = text_of(as_bob, own)
    assert "You submitted this version yourself; another maintainer must decide." in text
    assert 'id="approve" disabled' in text


def test_an_approved_release_can_be_quarantined(as_bob, troubled):
    text = text_of(as_bob, Release.objects.get(package__name="left-pad", status="approved"))
    assert 'value="quarantine"' in text
    assert 'value="approve"' not in text


def test_a_rejected_release_has_nothing_to_decide(as_bob, troubled):
    text = text_of(as_bob, Release.objects.get(package__name="left-pad", status="rejected"))
    assert 'value="approve"' not in text
    assert "This version is rejected, and that stands." in text


def test_a_release_without_a_file_can_be_reviewed(as_bob, alice):
    asked = builders.submitted(alice, note="For the report.")
    text = text_of(as_bob, asked)
    assert "There is no file here" in text
    assert "For the report." in text


def test_running_checks_can_be_asked_for_alone(as_bob, troubled):
    running = Release.objects.get(package__name="@acme-utils/queue")
    part = text_of(as_bob, running, "?part=progress")
    assert "3 of 8 done" in part
    assert '<progress max="8" value="3"' in part
    assert "Checks are still running" in part
    assert "<html" not in part


def test_the_next_of_the_queue_is_one_key_away(as_bob, troubled):
    page = as_bob.get(f"/admin/review/{troubled.pk}/")
    assert page.context["following"].package.name == "lodahs"
    page = as_bob.get(f"/admin/review/{troubled.pk}/?ecosystem=pypi")
    assert page.context["following"].package.name == "acme-billing"


def test_hostile_words_are_shown_and_not_run(as_bob, cast):
    nasty = "<script>alert(1)</script>"
    package = builders.package(cast.acme, "nasty", description=nasty)
    release = queue_rows.waiting(
        package, "1.0.0", request_note=nasty, files=[(nasty, 1, "a" * 64, False)], install_scripts={"install": nasty},
        license=nasty, submitted_by=cast.alice,
    )  # fmt: skip
    Check.objects.create(release=release, name="vulnerabilities", status="failed", summary=nasty)
    queue_rows.scanned(release, [{"identifier": nasty, "summary": nasty, "url": "javascript:alert(1)"}])
    text = text_of(as_bob, release)
    assert nasty not in text
    assert "javascript:alert" not in text


def test_the_page_costs_the_same_queries_whatever_it_shows(as_bob, cast, troubled):
    def queries(release: Release) -> int:
        with CaptureQueriesContext(connection) as captured:
            text_of(as_bob, release)
        return len(captured)

    before = queries(troubled)
    queue_rows.depends(troubled, **{f"more_{number}": "^1" for number in range(40)})
    for number in range(30):
        queue_rows.waiting(troubled.package, f"0.{number}.0", 90, "approved", submitted_by=cast.alice)
    assert queries(troubled) == before
    assert before <= 30


def test_what_does_not_exist_is_not_found(as_bob):
    assert as_bob.get("/admin/review/999999/").status_code == 404


def test_a_developer_reads_no_review(as_alice, troubled):
    assert as_alice.get(f"/admin/review/{troubled.pk}/").status_code == 302
