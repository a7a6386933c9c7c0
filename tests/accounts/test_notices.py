"""Tokens say when they end, on every answer and by e-mail; what successors are given."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts import notices, tokens
from accounts.models import ApiToken
from registry import tasks
from tests.builders import actor, bearer

ME = "/api/v1/me"


@pytest.fixture
def token(alice) -> tuple[ApiToken, str]:
    return tokens.issue(alice, "CI of the shop", ["read"], actor=actor(alice))


def end_in(token: ApiToken, **left) -> None:
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now() + timedelta(**left))


# --- on every answer ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", [ME, "/v1/me", "/api/v1/packages", "/api/v1/packages/none-such", "/api/v1/nowhere"])
@pytest.mark.parametrize("header", ["Authorization", "X-API-Key", "X-Api-Token"])
def test_every_answer_to_a_token_says_when_it_ends(client, token, path, header):
    row, raw = token
    answer = client.get(path, headers={header: f"Bearer {raw}" if header == "Authorization" else raw})
    assert answer.headers["X-Token-Expires-At"] == row.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert "Warning" not in answer.headers


def test_a_token_is_warned_in_its_last_fourteen_days(client, token):
    row, raw = token
    end_in(row, days=13, hours=23)
    warning = client.get(ME, headers=bearer(raw)).headers["Warning"]
    assert warning.startswith('299 - "This token works until ')
    assert f"/tokens/{row.pk}/rotate" in warning
    warning.encode("ascii")
    end_in(row, days=14, minutes=1)
    assert "Warning" not in client.get(ME, headers=bearer(raw)).headers


def test_sessions_strangers_and_bad_tokens_hear_nothing_of_it(client, alice):
    assert "X-Token-Expires-At" not in client.get(ME).headers
    assert "X-Token-Expires-At" not in client.get(ME, headers=bearer("sk_live_nonsense")).headers
    client.force_login(alice)
    assert "X-Token-Expires-At" not in client.get(ME).headers


def test_the_notice_costs_no_query(token, django_assert_num_queries):
    _row, raw = token
    found = tokens.resolve(raw)
    assert found is not None
    with django_assert_num_queries(0):
        from accounts.actors import Actor

        assert notices.headers(Actor(expires_at=found.expires_at))


# --- by e-mail ----------------------------------------------------------------------------------------------------
def test_a_letter_goes_out_once_for_each_token(token, alice):
    other, _ = tokens.issue(alice, "laptop", ["read"], actor=actor(alice))
    for row in (token[0], other):
        end_in(row, days=10)
        ApiToken.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=80))
    assert [notices.announce(), notices.announce()] == [1, 0]
    (letter,) = mail.outbox
    assert letter.to == ["alice@example.com"]
    assert "CI of the shop" in letter.body
    assert "laptop" in letter.body
    assert token[1] not in letter.body


@pytest.mark.parametrize("case", ["far", "revoked", "rotated", "expired", "young", "no address", "left"])
def test_nobody_is_written_to_without_cause(token, alice, case):
    row, _ = token
    ApiToken.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=80))
    end_in(row, days={"far": 15, "expired": -1}.get(case, 5))
    if case == "revoked":
        tokens.revoke(row, actor(alice))
    if case == "rotated":
        tokens.rotate(row, 168, actor(alice))
    if case == "young":
        ApiToken.objects.filter(pk=row.pk).update(created_at=timezone.now())
    if case == "no address":
        type(alice).objects.filter(pk=alice.pk).update(email="")
    if case == "left":
        type(alice).objects.filter(pk=alice.pk).update(is_active=False)
    assert notices.announce() == 0
    assert mail.outbox == []


def test_a_letter_that_cannot_leave_is_tried_again(token, settings):
    row, _ = token
    ApiToken.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=80))
    end_in(row, days=5)
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = (
        "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1", 9,
    )  # fmt: skip
    assert notices.announce() == 0
    settings.EMAIL_BACKEND = working
    assert notices.announce() == 1


def test_the_daily_round_is_part_of_the_worker_without_a_broker(token):
    row, _ = token
    ApiToken.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=80))
    end_in(row, days=5)
    tasks.run_periodic("daily")
    assert len(mail.outbox) == 1


def test_the_beat_asks_for_tasks_that_exist():
    from config.celery import app

    app.loader.import_default_modules()
    asked = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert {"registry.sweep", "registry.daily"} <= asked
    assert asked <= set(app.tasks)


# --- successors ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("hours", "status"), [(0, 201), (168, 201), (169, 400), (-1, 400), (True, 400), ("1", 400)])
def test_an_overlap_lasts_from_nothing_to_a_week(client, token, hours, status):
    row, raw = token
    address = f"/api/v1/tokens/{row.pk}/rotate"
    answer = client.post(address, {"overlapHours": hours}, content_type="application/json", headers=bearer(raw))
    assert answer.status_code == status
    alive = client.get(ME, headers=bearer(raw)).status_code
    assert alive == (401 if hours == 0 and status == 201 else 200)


def test_a_rotated_token_gains_no_scope_and_no_project(client, bob, acme):
    row, raw = tokens.issue(bob, "CI", ["read", "review"], project=acme, actor=actor(bob))
    address = f"/api/v1/tokens/{row.pk}/rotate"
    made = client.post(address, {"overlapHours": 1}, content_type="application/json", headers=bearer(raw)).json()
    assert (made["scopes"], made["project"], made["name"]) == (["read", "review"], "acme", "CI")
    type(bob).objects.filter(pk=bob.pk).update(role="developer")
    address = f"/api/v1/tokens/{made['id']}/rotate"
    again = client.post(address, {"overlapHours": 1}, content_type="application/json", headers=bearer(made["token"]))
    assert again.status_code == 403
