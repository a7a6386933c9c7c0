"""API tokens: shown once, stored as digests, never more than their holder."""

import io
import random
import re
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts import auditing, tokens, users
from accounts.actors import SYSTEM
from accounts.errors import Conflict, Forbidden, InvalidInput
from accounts.models import ApiToken, AuditEvent
from tests import builders
from tests.builders import actor

SHAPE = re.compile(r"\bsk_live_[0-9A-Za-z]{38}\b")


@pytest.fixture
def issued(alice) -> tuple[ApiToken, str]:
    return tokens.issue(alice, "laptop", ["read", "publish"], actor=actor(alice))


def test_a_token_has_a_prefix_190_bits_and_a_checksum(issued):
    token, raw = issued
    assert SHAPE.fullmatch(raw)
    assert tokens.looks_like_token(raw)
    assert token.prefix == raw[:12]
    assert token.scopes == ["publish", "read"]
    assert timedelta(days=89) < token.expires_at - timezone.now() < timedelta(days=91)


def test_only_the_digest_is_stored(issued):
    token, raw = issued
    stored = str(ApiToken.objects.values().get()) + str(list(AuditEvent.objects.values()))
    assert raw not in stored
    assert raw[12:] not in stored
    assert token.digest == tokens.digest_of(raw)
    assert raw not in repr(token) + str(token)


def test_a_live_token_resolves_in_one_query_with_its_user_and_projects(issued, django_assert_num_queries):
    with django_assert_num_queries(1):
        found = tokens.resolve(issued[1])
        assert found is not None
        assert (found.user.username, found.project, found.user.default_project.slug) == ("alice", None, "acme")


@pytest.mark.django_db
def test_lookalikes_are_refused_without_a_query(django_assert_num_queries):
    chance = random.Random(7)
    with django_assert_num_queries(0):
        for _ in range(20_000):
            made_up = tokens.PREFIX + "".join(chance.choices(tokens.ALPHABET, k=38))
            assert tokens.resolve(made_up) is None


def test_every_typo_of_one_character_is_refused_without_a_query(issued, django_assert_num_queries):
    raw = issued[1]
    with django_assert_num_queries(0):
        for place in range(len(raw)):
            for other in tokens.ALPHABET:
                if other != raw[place]:
                    assert tokens.resolve(raw[:place] + other + raw[place + 1 :]) is None


@given(st.text(max_size=60))
def test_junk_never_looks_like_a_token(junk):
    assert not tokens.looks_like_token(junk)
    assert not tokens.looks_like_token(tokens.PREFIX + junk)


def test_unknown_expired_and_revoked_are_alike(issued, alice):
    token, raw = issued
    unknown = tokens._random_token()
    assert tokens.resolve(unknown) is None
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now())
    assert tokens.resolve(raw) is None
    second, raw = tokens.issue(alice, "second", ["read"], actor=actor(alice))
    tokens.revoke(second, actor(alice), "lost")
    assert tokens.resolve(raw) is None


def test_a_token_dies_with_its_user(issued, alice):
    alice.is_active = False
    alice.save()
    assert tokens.resolve(issued[1]) is None


def test_revoking_twice_leaves_one_event(issued, alice):
    for _ in range(2):
        assert tokens.revoke(issued[0], actor(alice), "lost").revoked_reason == "lost"
    assert AuditEvent.objects.filter(action="token.revoked").count() == 1


def test_a_stranger_cannot_revoke_but_an_admin_can(issued, mallory, root):
    with pytest.raises(Forbidden):
        tokens.revoke(issued[0], actor(mallory))
    assert tokens.revoke(issued[0], actor(root)).revoked_at is not None


@pytest.mark.parametrize("scope", ["review", "admin"])
def test_a_developer_gets_no_scope_beyond_the_role(alice, scope):
    with pytest.raises(Forbidden):
        tokens.issue(alice, "x", ["read", scope], actor=actor(alice))
    with pytest.raises(Forbidden):
        tokens.issue(alice, "x", ["read", scope], actor=SYSTEM)


def test_a_maintainer_may_hand_on_review_but_not_admin(bob):
    assert tokens.issue(bob, "x", ["review"], actor=actor(bob))[0].scopes == ["review"]
    with pytest.raises(Forbidden):
        tokens.issue(bob, "x", ["admin"], actor=actor(bob))


def test_a_session_cannot_hand_on_what_it_lacks(bob):
    with pytest.raises(Forbidden) as refusal:
        tokens.issue(bob, "x", ["review"], actor=actor(bob, "read"))
    assert refusal.value.code == "scope_missing"


def test_a_token_makes_tokens_only_with_scope_admin(alice, root):
    with pytest.raises(Forbidden) as refusal:
        tokens.issue(alice, "x", ["read"], actor=actor(alice, "read", "publish", kind="token"))
    assert refusal.value.code == "session_needed"
    assert tokens.issue(alice, "x", ["read"], actor=actor(root, "admin", kind="token"))


def test_nobody_makes_tokens_for_others(alice, mallory):
    with pytest.raises(Forbidden):
        tokens.issue(alice, "x", ["read"], actor=actor(mallory))


def test_a_token_is_bound_only_to_a_project_of_its_user(alice, acme, cast):
    assert tokens.issue(alice, "x", ["read"], project=acme, actor=actor(alice))[0].project == acme
    with pytest.raises(Forbidden):
        tokens.issue(alice, "x", ["read"], project=cast.elsewhere, actor=actor(alice))


@pytest.mark.parametrize("days", [0, -1, 366, True, 1.5, "90", 10**20])
def test_a_token_lives_one_to_365_days(alice, days):
    with pytest.raises(InvalidInput) as refusal:
        tokens.issue(alice, "x", ["read"], days=days, actor=actor(alice))
    assert "expiresIn" in refusal.value.details


@pytest.mark.parametrize("days", [1, 365])
def test_the_bounds_of_the_lifetime_are_allowed(alice, days):
    token, _ = tokens.issue(alice, "x", ["read"], days=days, actor=actor(alice))
    assert token.expires_at - token.created_at == timedelta(days=days)


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "a\x00b", "a\nb", "a\u202eb", "\ud800"])
def test_odd_names_are_refused(alice, name):
    with pytest.raises(InvalidInput):
        tokens.issue(alice, name, ["read"], actor=actor(alice))


@pytest.mark.parametrize("scopes", [[], ["fly"], ["read", "READ"]])
def test_unknown_and_no_scopes_are_refused(alice, scopes):
    with pytest.raises(InvalidInput):
        tokens.issue(alice, "x", scopes, actor=actor(alice))


def test_use_is_noted_at_most_once_a_minute(issued, django_assert_num_queries):
    token, _ = issued
    tokens.note_use(token, "203.0.113.5")
    first = ApiToken.objects.get()
    assert first.last_used_from == "203.0.113.0/24"
    with django_assert_num_queries(0):
        tokens.note_use(first, "203.0.113.5")
    tokens.note_use(token, "198.51.100.5")  # a second process that still sees the row as unused
    assert ApiToken.objects.get().last_used_from == "203.0.113.0/24"
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
    tokens.note_use(ApiToken.objects.get(), "198.51.100.5")
    assert ApiToken.objects.get().last_used_from == "198.51.100.0/24"


def test_a_rotated_token_works_until_the_overlap_ends(issued, alice):
    token, raw = issued
    successor, new = tokens.rotate(token, 24, actor(alice))
    assert (successor.name, successor.scopes, successor.project) == (token.name, token.scopes, token.project)
    assert tokens.resolve(raw) is not None
    assert tokens.resolve(new) is not None
    assert ApiToken.objects.get(pk=token.pk).expires_at - timezone.now() <= timedelta(hours=24)
    assert auditing.verify() == []


def test_rotation_without_overlap_ends_the_old_token_at_once(issued, alice):
    tokens.rotate(issued[0], 0, actor(alice))
    assert tokens.resolve(issued[1]) is None


def test_a_token_is_rotated_once(issued, alice):
    tokens.rotate(issued[0], 24, actor(alice))
    with pytest.raises(Conflict):
        tokens.rotate(issued[0], 24, actor(alice))
    assert ApiToken.objects.count() == 2


@pytest.mark.parametrize("hours", [-1, 169, True])
def test_the_overlap_is_at_most_a_week(issued, alice, hours):
    with pytest.raises(InvalidInput):
        tokens.rotate(issued[0], hours, actor(alice))


def test_a_demoted_maintainer_cannot_rotate_review_on(bob, root):
    token, _ = tokens.issue(bob, "x", ["review"], actor=actor(bob))
    users.change_role(bob, "developer", actor(root))
    with pytest.raises(Forbidden):
        tokens.rotate(ApiToken.objects.get(pk=token.pk), 0, SYSTEM)


# --- reach never grows --------------------------------------------------------------------------------------------
def test_a_bound_admin_token_makes_only_tokens_bound_alike(root, acme, cast, client):
    raw = builders.token(root, "admin", project=acme)
    for project, status in ((None, 403), ("elsewhere", 403), ("acme", 201)):
        body = {"name": "x", "scopes": ["read"], "project": project}
        answer = client.post("/api/v1/tokens", body, "application/json", headers=builders.bearer(raw))
        assert answer.status_code == status, project
    assert answer.json()["project"] == "acme"


def test_nobody_but_its_user_or_itself_rotates_a_token(issued, alice, mallory, root):
    """An admin who could would hold a token of someone else."""
    for who in (actor(mallory), actor(root), actor(root, "admin", kind="token"), actor(alice, "admin", kind="token")):
        with pytest.raises(Forbidden):
            tokens.rotate(issued[0], 0, who)
    assert tokens.rotate(issued[0], 0, actor(alice))[0].user == alice


def test_an_unknown_project_and_a_foreign_one_bind_no_token_alike(alice, cast, client):
    client.force_login(alice)
    bodies = set()
    for slug in ("elsewhere", "no-such-project"):
        answer = client.post("/api/v1/tokens", {"name": "x", "project": slug}, "application/json")
        assert answer.status_code == 403
        bodies.add(answer.content)
    assert len(bodies) == 1


# --- at rest ------------------------------------------------------------------------------------------------------
def test_a_dump_of_the_database_holds_no_token_after_it_was_used_rotated_and_revoked(issued, alice, client):
    """Neither whole nor its random part, in any table; only digest and prefix are there."""
    token, raw = issued
    made = client.post(
        f"/api/v1/tokens/{token.pk}/rotate", {}, "application/json", headers=builders.bearer(raw)
    ).json()
    client.post("/api/v1/packages", {"name": 1}, "application/json", headers=builders.bearer(raw))
    client.get("/api/v1/packages", headers={"X-API-Key": raw[:-1]})
    client.delete(f"/api/v1/tokens/{token.pk}", headers=builders.bearer(made["token"]))
    dump = io.StringIO()
    call_command("dumpdata", format="jsonl", stdout=dump)
    assert tokens.digest_of(raw) in dump.getvalue()
    for secret in (raw, made["token"]):
        assert secret[len(tokens.PREFIX) + 4 :] not in dump.getvalue()
        assert secret[:-6] not in dump.getvalue()
