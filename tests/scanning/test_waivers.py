"""Giving, seeing and ending waivers over the API."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from scanning.models import Waiver
from tests import builders
from tests.api.clients import ApiClient
from tests.builders import Cast
from tests.scanning.conftest import load, osv

URL = "/security/waivers"


def wish(**more):
    said = {
        "finding": "cve-2026-0001", "ecosystem": "npm", "package": "left-pad", "versions": "<2.0.0", "project": "acme",
        "reason": "Not reachable.", "expires_at": f"{timezone.now() + timedelta(days=3):%Y-%m-%dT%H:%M:%SZ}",
    }  # fmt: skip
    return {name: value for name, value in {**said, **more}.items() if value is not None}


@pytest.fixture
def as_bob(cast: Cast) -> ApiClient:
    return ApiClient(builders.token(cast.bob, "review", "read"))


def test_a_waiver_is_given_seen_and_ended(as_bob, cast: Cast, django_assert_max_num_queries):
    load(osv(aliases=["CVE-2026-0001"]))
    answer = as_bob.send("POST", URL, wish())
    made = answer.json()
    assert (answer.status_code, made["finding"], made["owner"], made["status"]) == (
        201,
        "CVE-2026-0001",
        "bob",
        "live",
    )
    assert as_bob.get(answer["Location"]).json() == made
    for number in range(5):
        as_bob.send("POST", URL, wish(finding=f"GHSA-{number}"))
    with django_assert_max_num_queries(6):
        assert as_bob.get(f"{URL}?status=live&limit=3").json()["total"] == 6
    assert as_bob.delete(answer["Location"]).status_code == 204
    assert as_bob.get(f"{URL}?status=ended").json()["waivers"][0]["id"] == made["id"]
    assert as_bob.get(f"{URL}?status=expired").json()["total"] == 0
    noted = AuditEvent.objects.filter(action__startswith="waiver.", object="npm:left-pad", project="acme")
    assert list(noted.order_by("seq").values_list("action", flat=True))[::6] == ["waiver.given", "waiver.ended"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("expires_at", None),
        ("expires_at", "2020-01-01T00:00:00Z"),
        ("expires_at", "2099-01-01T00:00:00Z"),
        ("expires_at", "9999-12-31T23:59:59Z"),
        ("expires_at", "2026-12-31"),
        ("expires_at", 1798761600),
        ("reason", " "),
        ("reason", None),
        ("versions", "about two"),
        ("versions", None),
        ("finding", ""),
        ("ecosystem", "cobol"),
        ("owner", "alice"),
    ],
)
def test_a_waiver_without_reason_end_or_sense_is_refused(as_bob, field: str, value):
    answer = as_bob.send("POST", URL, wish(**{field: value}))
    assert (answer.status_code, list(answer.json()["details"])) == (400, [field])
    assert not Waiver.objects.exists()


def test_members_see_the_waivers_of_their_project_and_strangers_none(as_bob, cast: Cast):
    made = as_bob.send("POST", URL, wish()).json()
    for person, seen in ((cast.alice, 1), (cast.mallory, 0)):
        client = ApiClient(builders.token(person, "read"))
        assert client.get(URL).json()["total"] == seen
        assert client.get(f"{URL}/{made['id']}").status_code == (200 if seen else 404)
        assert client.delete(f"{URL}/{made['id']}").status_code == 403
        assert client.send("POST", URL, wish()).status_code == 403
    assert ApiClient().get(URL).status_code == 401


def test_a_project_that_is_not_there_is_not_found(as_bob):
    assert as_bob.send("POST", URL, wish(project="nowhere")).status_code == 404


def test_maintainers_end_waivers_from_the_list_in_the_admin(client, cast: Cast, as_bob):
    made = as_bob.send("POST", URL, wish()).json()
    client.force_login(cast.bob)
    form = {"action": "end_now", "_selected_action": str(made["id"])}
    assert client.post("/admin/scanning/waiver/", form).status_code == 302
    waiver = Waiver.objects.get()
    assert (waiver.state, waiver.ended_by) == ("ended", cast.bob)
    assert client.post(f"/admin/scanning/waiver/{waiver.pk}/change/", {"reason": "x"}).status_code == 403
