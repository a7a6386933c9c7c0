"""The front page of the admin: what waits, the longest first, narrowed and counted, in a fixed number of queries."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registry.models import Release
from tests import builders
from tests.admin import queue_rows

pytestmark = pytest.mark.django_db


def names(response) -> list[str]:
    return [row.release.package.name for row in response.context["rows"]]


def test_the_front_page_is_the_queue_the_longest_waiting_first(as_bob, troubled):
    page = as_bob.get("/admin/")
    assert page.status_code == 200
    assert names(page)[:4] == ["requests-toolbelt", "readline-tools", "@acme-utils/core", "lodahs"]
    ages = [row.release.submitted_at for row in page.context["rows"]]
    assert ages == sorted(ages)


def test_every_state_is_counted(as_bob, troubled):
    page = as_bob.get("/admin/")
    counts = {tab["state"]: tab["count"] for tab in page.context["tabs"]}
    assert counts == {"pending": 13, "approved": 2, "rejected": 1, "quarantined": 1}


def test_unlisted_releases_are_not_asked_about(as_bob, troubled):
    Release.objects.filter(pk=troubled.pk).update(unlisted_at=timezone.now())
    page = as_bob.get("/admin/")
    assert "@acme-utils/core" not in names(page)
    assert page.context["tabs"][0]["count"] == 12


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("ecosystem=pypi", ["requests-toolbelt", "readline-tools", "acme-billing"]),
        ("origin=submitted", ["requests-toolbelt", "readline-tools", "lodahs", "left-pad"]),
        ("age=7", ["requests-toolbelt"]),
        ("age=3", ["requests-toolbelt", "readline-tools", "@acme-utils/core"]),
        ("checks=failed", ["readline-tools", "@acme-utils/core", "lodahs"]),
        ("checks=running", ["@acme-utils/queue"]),
        ("checks=warned", ["@acme-utils/core", "lodahs", "acme-billing"]),
        ("checks=ready&ecosystem=pypi", ["requests-toolbelt", "acme-billing"]),
        ("q=toolbelt", ["requests-toolbelt"]),
        ("q=lodahs@4.17", ["lodahs"]),
        ("q=bob", ["left-pad"]),
        ("q=elsewhere&checks=failed", ["readline-tools", "lodahs"]),
        ("state=rejected", ["left-pad"]),
        ("q=no-such-package", []),
    ],
)
def test_the_queue_can_be_narrowed(as_bob, troubled, query, expected):
    assert names(as_bob.get(f"/admin/?{query}")) == expected


def test_the_choices_say_how_many_they_would_show(as_bob, troubled):
    selects = {name: {choice.value: choice.count for choice in choices} for name, _l, choices in selects_of(as_bob)}
    assert selects["ecosystem"]["pypi"] == 3
    assert selects["origin"]["submitted"] == 4
    assert selects["age"] == {"1": 5, "3": 3, "7": 1}
    assert selects["checks"] == {"ready": 9, "failed": 3, "warned": 3, "running": 1}


def selects_of(client):
    return client.get("/admin/").context["selects"]


@pytest.mark.parametrize(
    "query",
    [
        "state=x",
        "page=0",
        "page=-1",
        "page=" + "9" * 30,
        "page=%C2%B2",
        "age=99",
        "q=%00",
        "q=" + "a" * 5000,
        "ecosystem=%27",
    ],
)
def test_odd_filters_count_as_none(as_bob, troubled, query):
    assert as_bob.get(f"/admin/?{query}").status_code == 200


def test_a_row_says_what_is_wrong_in_one_sentence(as_bob, troubled):
    text = as_bob.get("/admin/?q=lodahs").content.decode()
    assert "The name can be mistaken for lodash, which is another package." in text
    assert "1 failed" in text


def test_running_checks_are_counted_not_spun(as_bob, troubled):
    assert "3 of 8 done" in as_bob.get("/admin/?checks=running").content.decode()


def test_the_progress_of_running_checks_can_be_asked_for_alone(as_bob, troubled):
    running = Release.objects.get(package__name="@acme-utils/queue")
    part = as_bob.get(f"/admin/?part=progress&ids={running.pk},abc,99999999999999999999999").content.decode()
    assert f'id="progress-{running.pk}"' in part
    assert "3 of 8 done" in part
    assert "<html" not in part
    running.checks.update(status="passed")
    assert "data-running" not in as_bob.get(f"/admin/?part=progress&ids={running.pk}").content.decode()


def test_an_empty_queue_says_so(as_bob, cast):
    assert "Nothing waits for you" in as_bob.get("/admin/").content.decode()


def test_filters_that_fit_nothing_can_be_cleared(as_bob, troubled):
    text = as_bob.get("/admin/?q=zzz").content.decode()
    assert "Nothing fits these filters" in text
    assert "Clear the filters" in text


def test_the_queue_is_paged(as_bob, cast):
    package = builders.package(cast.acme, "many")
    for number in range(53):
        builders.release(package, f"1.0.{number}", "pending", submitted_at=timezone.now() - timedelta(hours=number))
    first, second = as_bob.get("/admin/"), as_bob.get("/admin/?page=2")
    assert (len(first.context["rows"]), len(second.context["rows"])) == (50, 3)
    assert "page=2" in first.context["next_query"]
    assert second.context["next_query"] is None


def test_the_queue_costs_the_same_queries_however_long_it_is(as_bob, cast):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert as_bob.get("/admin/").status_code == 200
        return len(captured)

    queue_rows.troubled(cast)
    few = queries()
    package = builders.package(cast.elsewhere, "many", "pypi")
    for number in range(40):
        queue_rows.checked(queue_rows.waiting(package, f"1.0.{number}", number, submitted_by=cast.mallory))
    assert queries() == few
    assert few <= 10


def test_every_link_of_the_queue_keeps_its_filters(as_bob, troubled):
    text = as_bob.get("/admin/?ecosystem=pypi").content.decode()
    links = re.findall(r'href="(/admin/review/[^"]+)"', text)
    assert len(links) == 3
    assert all(link.endswith("?ecosystem=pypi") for link in links)


# --- who may come in ----------------------------------------------------------------------------------------------
def test_a_stranger_is_asked_to_sign_in(client, db):
    page = client.get("/admin/")
    assert page.status_code == 302
    assert page.url.startswith("/admin/login/")


def test_a_developer_is_told_whom_the_admin_is_for(as_alice):
    page = as_alice.get("/admin/", follow=True)
    assert page.status_code == 403
    assert "The admin is for maintainers" in page.content.decode()


def test_signing_in_at_the_admin_opens_the_queue(client, bob):
    page = client.post("/admin/login/?next=/admin/", {"username": "bob", "password": builders.PASSWORD}, follow=True)
    assert page.redirect_chain[-1][0] == "/admin/"
    assert page.status_code == 200


def test_a_deactivated_maintainer_is_out(as_bob, bob):
    bob.is_active = False
    bob.save()
    assert as_bob.get("/admin/").status_code == 302
