"""Tokens in use on a real gunicorn of two processes: revoked means dead, rotated loses nothing."""

import json
import time

import pytest
from django.utils import timezone

from accounts import tokens
from accounts.models import ApiToken
from tests.accounts.serving import ME, Served, deployments, served
from tests.builders import actor, assemble_cast

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def portal(django_db_setup, tmp_path_factory):
    """One server for the tests of this file."""
    with served(tmp_path_factory.mktemp("served")) as running:
        yield running


def test_a_token_revoked_under_load_is_dead_in_every_process_at_once(portal: Served):
    """The promise is one second; what begins after the answer to the revocation is refused without exception."""
    alice = assemble_cast().alice
    row, raw = tokens.issue(alice, "CI", ["read"], actor=actor(alice))
    with deployments(portal, raw, "revoked") as crowd:
        status, _ = portal.ask(raw, f"/api/v1/tokens/{row.pk}", "DELETE")
        revoked = time.monotonic()
        for one in crowd:
            one.await_status(401)
            one.await_more(3)
    asked = [request for one in crowd for request in one.asked]
    later = {status for began, _raw, status in asked if began > revoked}
    assert (status, later) == (204, {401})
    assert {status for _began, _raw, status in asked} == {200, 401}
    assert max(began for began, _raw, status in asked if status == 200) - revoked < 1
    assert len(portal.processes_of("revoked")) == 2


def test_a_deployment_loses_no_request_while_its_token_is_rotated(portal: Served):
    """Half of it learns of the successor late, as in a rolling deployment; after the overlap the old one is dead."""
    alice = assemble_cast().alice
    row, raw = tokens.issue(alice, "CI", ["read"], actor=actor(alice))
    with deployments(portal, raw, "rotated") as crowd:
        status, body = portal.ask(raw, f"/api/v1/tokens/{row.pk}/rotate", "POST", b'{"overlapHours": 1}')
        successor = json.loads(body)["token"]
        for one in crowd:  # one after the other
            one.await_more()
            one.raw = successor
            one.await_more()
    asked = [request for one in crowd for request in one.asked]
    assert (status, {status for _began, _raw, status in asked}) == (201, {200})
    assert {used for _began, used, _status in asked} == {raw, successor}
    assert len(portal.processes_of("rotated")) == 2
    ApiToken.objects.filter(pk=row.pk).update(expires_at=timezone.now())
    assert [portal.ask(one, ME)[0] for one in (raw, raw, successor, successor)] == [401, 401, 200, 200]
