"""Credentials: which one counts, what a bad one answers, what it costs, and that nothing of it leaks."""

import itertools
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import tokens
from accounts.models import ApiToken, AuditEvent
from tests import builders
from tests.builders import Cast

HEADERS = ("Authorization", "X-API-Key", "X-Api-Token")
ROUTES = (
    ("GET", "/api/v1/me"),
    ("GET", "/v1/packages"),
    ("GET", "/v1/packages/nothing-here"),
    ("POST", "/v1/packages"),
)
JUNK = ("", "x", "sk_live_", "sk_live_" + "a" * 38, "Bearer", "sk_test_" + "0" * 38, "é" * 46, "0" * 5_000, "null")


def carry(header: str, raw: str) -> dict[str, str]:
    return {header: f"Bearer {raw}" if header == "Authorization" else raw}


def shown(**headers: str) -> dict[str, str]:
    """Header names as they are sent."""
    return {name.replace("_", "-"): value for name, value in headers.items()}


def spoilt(raw: str) -> str:
    """A value of the right form, with a checksum that is right, which nobody was given."""
    body = raw[:-6][:-1] + ("A" if raw[-7] != "A" else "B")
    return body + tokens._checksum(body)


@pytest.fixture
def four(cast: Cast) -> dict[str, str]:
    """A token of alice, one of bob, one that is revoked, one that is unknown, and junk."""
    alice, bob, dead = builders.token(cast.alice), builders.token(cast.bob), builders.token(cast.alice, name="dead")
    revoked = tokens.resolve(dead)
    assert revoked is not None
    tokens.revoke(revoked, builders.actor(cast.alice))
    return {"alice": alice, "bob": bob, "revoked": dead, "unknown": spoilt(alice), "junk": "junk"}


def test_every_pair_of_credentials_has_one_answer(cast: Cast, four: dict[str, str]):
    """Each header may hold any credential or none, with a session beside it or not: 5 × 6 × 6 × 6 cases.

    Two different tokens are 400, whatever they are worth; the same one twice is one; a bad one is 401 as a bearer
    and 403 in the other headers; a token counts before a session, and never falls back to it.
    """
    wrong = []
    plain, mallory = Client(), Client()
    mallory.force_login(cast.mallory)
    values = (None, *four)
    for bearer, key, token in itertools.product(values, repeat=3):
        given = dict(zip(HEADERS, (bearer, key, token), strict=True))
        headers = {k: v for header, name in given.items() if name for k, v in carry(header, four[name]).items()}
        for client, session in ((plain, None), (mallory, "mallory")):
            answer = client.get("/api/v1/me", headers=headers)
            found = answer.json()["username"] if answer.status_code == 200 else answer.status_code
            if found != expected(bearer, {key, token} - {None}, session):
                wrong.append((given, session, found))
    assert wrong == []


def expected(bearer: str | None, others: set, session: str | None) -> str | int:
    """Whose the request is, or the status that refuses it."""
    named = others | ({bearer} if bearer else set())
    if len(named) > 1:
        return 400
    if not named:
        return session or 401
    (one,) = named
    if one in ("alice", "bob"):
        return one
    return 401 if bearer else 403


def test_a_refused_credential_is_refused_on_every_route_alike(four: dict[str, str]):
    """Public routes, too: who shows a bad token is told so, and not served as nobody."""
    for method, path in ROUTES:
        for name in ("revoked", "unknown", "junk"):
            for header, status in zip(HEADERS, (401, 403, 403), strict=True):
                answer = Client().generic(method, path, headers=carry(header, four[name]))
                assert answer.status_code == status, (method, path, name, header)
                assert answer.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)
                assert answer["Cache-Control"] == "no-store"


def test_every_bad_bearer_has_the_same_body(cast: Cast, four: dict[str, str]):
    """Junk, unknown, revoked, expired, of someone who left: nothing tells them apart."""
    expired, left = builders.token(cast.bob, name="old"), builders.token(cast.mallory)
    ApiToken.objects.filter(name="old").update(expires_at=timezone.now() - timedelta(seconds=1))
    type(cast.mallory).objects.filter(pk=cast.mallory.pk).update(is_active=False)
    raws = (*JUNK, four["revoked"], four["unknown"], expired, left, four["alice"] + "x", four["alice"][:-1])
    for path in ("/api/v1/me", "/v1/packages", "/v1/packages/nothing-here"):
        for header in ("Authorization", "X-API-Key"):
            bodies = {Client().get(path, headers=carry(header, raw)).content for raw in raws if raw.isascii()}
            assert len(bodies) == 1, (path, header, bodies)
            assert not any(raw.encode() in next(iter(bodies)) for raw in raws if len(raw) > 8)


@pytest.mark.django_db
@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("path", ["/api/v1/me", "/v1/packages/left-pad", "/api/v1/packages"])
def test_junk_costs_no_query(header: str, path: str):
    for raw in JUNK:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = Client().get(path, headers=carry(header, raw))
        assert answer.status_code == (401 if header == "Authorization" else 403), raw
        assert len(queries) == 0, raw


def test_one_wrong_character_costs_no_query(cast: Cast):
    raw = builders.token(cast.alice)
    for place in range(len(raw)):
        changed = raw[:place] + ("z" if raw[place] != "z" else "y") + raw[place + 1 :]
        with CaptureQueriesContext(connection) as queries:
            assert Client().get("/v1/me", headers=builders.bearer(changed)).status_code == 401
        assert len(queries) == 0, place


def test_unknown_and_foreign_projects_are_forbidden_alike(cast: Cast):
    """On every route, for every credential, anonymous included: the same status and the same bytes."""
    alice, session = builders.token(cast.alice), Client()
    session.force_login(cast.alice)
    bound = builders.token(cast.alice, "read", project=cast.acme, name="bound")
    for method, path in ROUTES:
        bodies = set()
        for slug in ("elsewhere", "operations", "no-such-project", "ELSEWHERE", "a" * 300, "'; --"):
            for client, headers in (
                (Client(), {}), (Client(), builders.bearer(alice)), (Client(), builders.bearer(bound)), (session, {}),
            ):  # fmt: skip
                answer = client.generic(method, path, headers={**headers, "X-Project-ID": slug})
                assert answer.status_code == 403, (method, path, slug, headers)
                bodies.add(answer.content)
        assert len(bodies) == 1


def test_a_write_under_a_bad_credential_or_a_foreign_project_leaves_one_event(cast: Cast, four: dict[str, str]):
    """Also on the routes whose activities note their refusals themselves; the event names nobody it does not know."""
    foreign = {**builders.bearer(four["alice"]), "X-Project-ID": "elsewhere"}
    for path in ("/v1/packages", "/v1/packages/publish", "/v1/tokens", "/v1/security/scans", "/v1/signing-keys"):
        for headers in (shown(X_API_Key="junk"), shown(X_Api_Token=four["revoked"]), builders.bearer("junk"), foreign):
            before = AuditEvent.objects.count()
            assert Client().post(path, {}, "application/json", headers=headers).status_code in (401, 403)
            assert AuditEvent.objects.count() == before + 1, (path, headers)
            assert AuditEvent.objects.order_by("-seq")[0].outcome == "refused"


def test_a_forged_form_leaves_one_event_on_every_writing_route(cast: Cast):
    """A session without its CSRF token is refused, also where an activity behind the route notes refusals itself."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.alice)
    for path in ("/v1/packages", "/v1/packages/publish", "/v1/tokens", "/v1/signing-keys"):
        before = AuditEvent.objects.count()
        answer = browser.post(path, {}, "application/json")
        assert (answer.status_code, answer.json()["details"]["code"]) == (403, "csrf")
        assert AuditEvent.objects.count() == before + 1, path


def test_a_revoked_token_is_dead_at_once_and_so_is_a_demoted_role(cast: Cast):
    raw, strong = builders.token(cast.alice), builders.token(cast.bob, "review")
    client = Client(headers=builders.bearer(raw))
    assert client.get("/v1/me").status_code == 200
    token = tokens.resolve(raw)
    assert token is not None
    assert client.delete(f"/v1/tokens/{token.pk}").status_code == 204
    assert [client.get(path).status_code for path in ("/v1/me", "/api/v1/packages", "/api/v1/me")] == [401] * 3
    review = f"/v1/packages/{uuid.uuid4()}/versions/1/approve"
    assert Client(headers=builders.bearer(strong)).post(review, {}, "application/json").status_code == 404
    type(cast.bob).objects.filter(pk=cast.bob.pk).update(role="developer")
    assert Client(headers=builders.bearer(strong)).post(review, {}, "application/json").status_code == 403


def test_no_answer_and_no_event_repeats_a_credential(cast: Cast, four: dict[str, str]):
    for header in HEADERS:
        for raw in four.values():
            answer = Client().post("/v1/packages", {}, "application/json", headers=carry(header, raw))
            assert raw not in ("junk",) or b'"junk"' not in answer.content
            assert raw == "junk" or raw.encode() not in answer.content
    kept = str(list(AuditEvent.objects.values())) + str(list(ApiToken.objects.values()))
    assert not any(raw in kept for raw in four.values() if raw != "junk")
