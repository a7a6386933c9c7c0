"""Pull sync over HTTP, as the contract has it (section 9)."""

import json
import re

import pytest

from registry import tasks
from registry.upstreams.models import Upstream
from tests import builders
from tests.upstreams.conftest import stock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("only_own_rules")]
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@pytest.fixture
def caller(client, alice):
    """`caller("POST", "/sync", …)` with alice's token for syncs."""
    headers = builders.bearer(builders.token(alice, "sync"))

    def ask(method: str, path: str, body: object = None, kind: str = "application/json"):
        sent = "" if body is None else json.dumps(body)
        return client.generic(method, f"/api/v1{path}", sent, kind, headers=headers)

    return ask


def test_a_run_is_asked_for_watched_and_listed(far, upstream, caller, django_assert_max_num_queries):
    stock(far)
    far.keep("bad/-/bad-1.0.0.tgz", b"no archive")
    asked = caller("POST", "/sync", {"upstream": "far"})
    queued = asked.json()
    assert asked.status_code == 202
    assert set(queued) == {"id", "status", "upstreams"}
    assert (queued["status"], queued["upstreams"]) == ("queued", ["far"])
    address = asked["Location"].removeprefix("/api/v1")
    assert caller("GET", address).json()["startedAt"] is None
    again = caller("POST", "/sync")
    assert (again.status_code, again.json()["details"]["id"]) == (409, [queued["id"]])
    assert caller("POST", "/sync", kind="application/x-www-form-urlencoded").status_code == 409, (
        "as curl sends nothing"
    )
    tasks.drain()
    run = caller("GET", address).json()
    (error,) = run.pop("errors")
    assert error["package"] == "bad 1.0.0"
    assert MOMENT.fullmatch(run.pop("startedAt"))
    assert MOMENT.fullmatch(run.pop("finishedAt"))
    figures = {"added": 1, "updated": 0, "skipped": 0, "failed": 1}
    progress = {"total": 2, "done": 2}
    assert run == {"id": queued["id"], "status": "partial", "upstreams": ["far"], "progress": progress, **figures}
    with django_assert_max_num_queries(12):
        assert [one["id"] for one in caller("GET", "/sync").json()["runs"]] == [queued["id"]]


def test_a_run_is_cancelled(far, upstream, caller):
    run = caller("POST", "/sync").json()["id"]
    assert caller("POST", f"/sync/{run}/cancel").json()["status"] == "cancelled"
    assert caller("POST", f"/sync/{run}/cancel").status_code == 409
    tasks.drain()
    assert far.requests == []


def test_what_cannot_be_started_says_why(upstream, caller):
    for body, status, said in (
        ({"upstream": "nowhere"}, 404, "no upstream “nowhere”"),
        ({"upstream": 7}, 400, ""),
        ({"upsteam": "far"}, 400, ""),
        ([], 400, ""),
    ):
        answer = caller("POST", "/sync", body)
        assert (answer.status_code, said in answer.json()["error"]) == (status, True), body
    Upstream.objects.update(enabled=False)
    assert "switched off" in caller("POST", "/sync", {"upstream": "far"}).json()["error"]
    assert "No upstream" in caller("POST", "/sync").json()["error"]
    assert caller("GET", "/sync/00000000-0000-0000-0000-000000000000").status_code == 404
