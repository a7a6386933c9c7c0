"""Tokens, signing keys and the caller over HTTP."""

import uuid

import pytest

from accounts import tokens
from accounts.models import ApiToken
from tests import builders
from tests.api.clients import ApiClient
from tests.builders import Cast, KeyPair


@pytest.fixture
def browser(cast: Cast) -> ApiClient:
    """Alice, signed in."""
    client = ApiClient()
    client.force_login(cast.alice)
    return client


def test_a_token_is_shown_once_and_works(browser: ApiClient, cast: Cast):
    wanted = {"name": "CI/CD Token", "expiresIn": 30, "scopes": ["read", "publish"], "project": "acme"}

    answer = browser.send("POST", "/tokens", wanted)

    made = answer.json()
    assert answer.status_code == 201
    assert made["token"].startswith("sk_live_")
    assert (made["name"], made["project"], sorted(made["scopes"])) == ("CI/CD Token", "acme", ["publish", "read"])
    listed = browser.get("/tokens").json()["tokens"]
    assert [one["id"] for one in listed] == [made["id"]]
    assert "token" not in listed[0]
    me = ApiClient(made["token"]).get("/me").json()
    assert (me["username"], me["project"], me["tier"]) == ("alice", "acme", "free")
    assert me["credential"] == {"kind": "token", "id": made["id"], "expiresAt": made["expiresAt"]}


def test_the_source_documents_example_is_enough(browser: ApiClient):
    made = browser.send("POST", "/tokens", {"name": "CI/CD Token"}).json()

    assert made["scopes"] == ["read"]


@pytest.mark.parametrize("name", ["Authorization", "X-API-Key", "X-Api-Token"])
def test_three_headers_carry_a_token(cast: Cast, name: str):
    raw = builders.token(cast.alice)
    value = f"Bearer {raw}" if name == "Authorization" else raw

    assert ApiClient().get("/me", headers={name: value}).json()["username"] == "alice"


def test_bad_credentials_are_told_apart(cast: Cast, nobody: ApiClient):
    raw, other = builders.token(cast.alice), builders.token(cast.bob)

    unknown = nobody.get("/me", headers={"Authorization": "Bearer nonsense"})
    assert (unknown.status_code, unknown["WWW-Authenticate"]) == (401, "Bearer")
    assert nobody.get("/packages", headers={"Authorization": "Bearer nonsense"}).status_code == 401
    assert nobody.get("/me", headers={"X-API-Key": "nonsense"}).status_code == 403
    assert nobody.get("/me").status_code == 401
    assert nobody.get("/me", headers={"Authorization": f"Bearer {raw}", "X-API-Key": other}).status_code == 400
    assert nobody.get("/me", headers={"Authorization": f"Bearer {raw}", "X-API-Key": raw}).status_code == 200
    assert ApiClient(raw).get("/me", headers={"X-Project-ID": "elsewhere"}).status_code == 403
    assert ApiClient(raw).get("/me", headers={"X-Project-ID": "nowhere"}).status_code == 403
    assert nobody.get("/packages/x", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_a_session_needs_its_csrf_token_to_write(cast: Cast):
    browser = ApiClient(enforce_csrf_checks=True)
    browser.force_login(cast.alice)

    refused = browser.send("POST", "/tokens", {"name": "x"})
    assert (refused.status_code, refused.json()["details"]["code"]) == (403, "csrf")
    browser.cookies["csrftoken"] = "x" * 32
    assert browser.send("POST", "/tokens", {"name": "x"}, headers={"X-CSRFToken": "x" * 32}).status_code == 201


def test_deleting_revokes_at_once(browser: ApiClient, cast: Cast):
    raw = builders.token(cast.alice)
    token = tokens.resolve(raw)
    assert token is not None

    assert browser.delete(f"/tokens/{token.pk}").status_code == 204
    assert ApiClient(raw).get("/me").status_code == 401
    assert browser.delete(f"/tokens/{token.pk}").status_code == 404


def test_any_token_of_a_user_lists_and_deletes_theirs_and_nobody_elses(cast: Cast):
    mine, theirs = builders.token(cast.alice, "read"), builders.token(cast.bob)
    client = ApiClient(mine)
    bobs = tokens.resolve(theirs)
    assert bobs is not None

    assert len(client.get("/tokens").json()["tokens"]) == 1
    assert client.delete(f"/tokens/{bobs.pk}").status_code == 404
    assert client.delete(f"/tokens/{uuid.uuid4()}").status_code == 404
    assert client.delete("/tokens/not-a-uuid").status_code == 404
    assert ApiClient().get("/tokens").status_code == 401


def test_a_token_does_not_make_tokens_unless_it_is_an_admins(cast: Cast, client_of):
    assert client_of(cast.alice).send("POST", "/tokens", {"name": "x"}).status_code == 403
    assert client_of(cast.root).send("POST", "/tokens", {"name": "x"}).status_code == 201
    assert ApiClient().send("POST", "/tokens", {"name": "x"}).status_code == 401


def test_nobody_gets_scopes_beyond_their_role(browser: ApiClient):
    assert browser.send("POST", "/tokens", {"name": "x", "scopes": ["admin"]}).status_code == 403
    assert browser.send("POST", "/tokens", {"name": "x", "project": "elsewhere"}).status_code == 403
    assert browser.send("POST", "/tokens", {"name": "x", "project": "nowhere"}).status_code == 403


@pytest.mark.parametrize(
    ("change", "field"),
    [({"name": 1}, "name"), ({"name": ""}, "name"), ({"name": "x" * 121}, "name"), ({"expiresIn": 0}, "expiresIn"),
     ({"expiresIn": 366}, "expiresIn"), ({"expiresIn": "90"}, "expiresIn"), ({"expiresIn": True}, "expiresIn"),
     ({"expiresIn": 1.5}, "expiresIn"), ({"scopes": []}, "scopes"), ({"scopes": ["root"]}, "scopes.0"),
     ({"scopes": "read"}, "scopes"), ({"scopes": {}}, "scopes"), ({"colour": 1}, "colour"),
     ({"project": 7}, "project"),
     ({"name": "a\u202eb"}, "name")],
)  # fmt: skip
def test_a_bad_wish_names_the_field(browser: ApiClient, change: dict, field: str):
    answer = browser.send("POST", "/tokens", {"name": "x", **change})

    assert answer.status_code == 400
    assert field in answer.json()["details"], answer.json()


def test_a_token_rotates_itself(cast: Cast):
    raw = builders.token(cast.alice, "read", "publish")
    old = tokens.resolve(raw)
    assert old is not None

    answer = ApiClient(raw).send("POST", f"/tokens/{old.pk}/rotate", {"overlapHours": 1})

    assert answer.status_code == 201
    assert answer.json()["scopes"] == ["publish", "read"]
    assert ApiClient(answer.json()["token"]).get("/me").status_code == 200
    assert ApiClient(raw).get("/me").status_code == 200
    assert ApiClient(raw).send("POST", f"/tokens/{old.pk}/rotate", {"overlapHours": 1}).status_code == 409


def test_a_token_does_not_rotate_another_one(cast: Cast, browser: ApiClient):
    first, second = builders.token(cast.alice, "read"), builders.token(cast.alice, "publish")
    other = tokens.resolve(second)
    assert other is not None

    assert ApiClient(first).send("POST", f"/tokens/{other.pk}/rotate", {}).status_code == 403
    assert browser.send("POST", f"/tokens/{other.pk}/rotate", {"overlapHours": 169}).status_code == 400
    assert browser.send("POST", f"/tokens/{other.pk}/rotate", {"overlapHours": 0}).status_code == 201
    assert ApiToken.objects.filter(user=cast.alice).count() == 3


def test_signing_keys_are_for_signed_in_people(browser: ApiClient, cast: Cast, pair: KeyPair, client_of):
    wanted = {"name": "laptop", "public_key": pair.public}

    assert client_of(cast.alice).send("POST", "/signing-keys", wanted).status_code == 403
    assert ApiClient().send("POST", "/signing-keys", wanted).status_code == 401
    made = browser.send("POST", "/signing-keys", wanted)
    assert (made.status_code, made.json()["algorithm"]) == (201, "ssh-ed25519")
    assert made.json()["fingerprint"].startswith("SHA256:")
    assert browser.send("POST", "/signing-keys", wanted).status_code == 409
    assert client_of(cast.alice).get("/signing-keys").json()["signing_keys"] == [made.json()]
    assert client_of(cast.alice).delete(f"/signing-keys/{made.json()['id']}").status_code == 403
    assert browser.delete(f"/signing-keys/{made.json()['id']}").status_code == 204
    assert browser.delete(f"/signing-keys/{made.json()['id']}").status_code == 404
    assert browser.delete(f"/signing-keys/{10**30}").status_code == 404


@pytest.mark.parametrize("key", ["", "nonsense", "ssh-ed25519 AAAA", "ssh-dss AAAAB3NzaC1kc3M=", "x" * 20000])
def test_what_is_no_key_is_refused(browser: ApiClient, key: str):
    assert browser.send("POST", "/signing-keys", {"name": "x", "public_key": key}).status_code in (400, 422)


def test_me_for_a_session(browser: ApiClient):
    me = browser.get("/me").json()

    assert (me["role"], me["email"], me["credential"]["kind"], me["credential"]["id"]) == (
        "developer", "alice@example.com", "session", None,
    )  # fmt: skip
    assert me["credential"]["expiresAt"]
