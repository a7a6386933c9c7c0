"""Publishing from pipelines: who may trust them, what an ID token must be, what the token it brings may do."""

import base64
import json
import threading
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import id_tokens, tokens
from accounts.models import ApiToken, AuditEvent, Membership, UsedIdToken
from registry.models import Release, TrustedPublisher
from registry.trusting import managing
from tests import builders
from tests.builders import Cast
from tests.protocols.exchanges import EXCHANGE, NAME, TRUST, WANTED, exchange, minted, publication, put
from tests.protocols.issuers import Issuer


# --- who is trusted ------------------------------------------------------------------------------------------------
def test_owners_trust_pipelines_and_take_that_back_and_others_do_not(cast: Cast, trusted: TrustedPublisher):
    def ask(person, method: str, path: str = TRUST, *scopes: str) -> Any:
        raw = builders.token(person, *(scopes or ("read", "publish")))
        return Client().generic(method, path, json.dumps([WANTED]), "application/json", headers=builders.bearer(raw))

    [told] = ask(cast.bob, "GET").json()
    assert told["claims"] == WANTED["claims"]
    assert (told["type"], told["permissions"], told["created_by"]) == ("github", ["createPackage"], "alice")
    one = f"{TRUST}/{trusted.pk}"
    assert ask(cast.mallory, "GET").status_code == 403
    for person in (cast.bob, cast.mallory):  # a member, a stranger
        assert {ask(person, method, path).status_code for method, path in (("POST", TRUST), ("DELETE", one))} == {403}
    assert ask(cast.alice, "POST", TRUST, "read").status_code == 403
    assert Client().get(TRUST).status_code == 401
    assert ask(cast.alice, "POST").status_code == 201
    assert ask(cast.alice, "DELETE", one).status_code == 204
    assert ask(cast.alice, "DELETE", one).status_code == 404
    events = AuditEvent.objects.filter(action__startswith="trust.", outcome="done").values_list("action", flat=True)
    assert sorted(events) == ["trust.given", "trust.given", "trust.taken_back"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "elsewhere"},
        {"issuer": "https://evil.example"},
        {"permissions": []},
        {"permissions": ["everything"]},
        {"claims": {"repository": "tools", "workflow_ref": {"file": "a.yml"}}},
        {"claims": {"repository": "acme/tools"}},
        {"claims": {"repository": "acme/tools", "workflow_ref": {"file": "a.yml@x"}}},
        {"claims": {**WANTED["claims"], "sub": "x"}},  # type: ignore[dict-item]  # a dict, as WANTED says above
    ],
)
def test_what_nobody_can_hold_a_run_against_is_not_taken(cast: Cast, issuer: Issuer, wrong: dict[str, Any]):
    package = builders.package(cast.acme, NAME)
    with pytest.raises(managing.InvalidInput):
        managing.trust(package, WANTED | wrong, builders.actor(cast.alice))


# --- the exchange --------------------------------------------------------------------------------------------------
def test_a_run_gets_a_token_that_publishes_one_version_of_that_package(
    cast: Cast, trusted: TrustedPublisher, issuer: Issuer
):
    answer = exchange(issuer.token())
    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    raw = answer.json()["token"]
    kept = tokens.resolve(raw)
    assert kept is not None
    assert kept.scopes == ["publish"]
    assert timedelta(minutes=14) < kept.expires_at - timezone.now() <= timedelta(minutes=15)

    assert put(raw, "@acme-utils/other", "1.0.0").status_code == 403
    assert put(raw, NAME, "1.0.0").status_code == 201
    assert put(raw, NAME, "1.0.1").status_code == 403
    release = Release.objects.get(package=trusted.package, version="1.0.0")
    assert release.submitted_by == cast.alice
    event = AuditEvent.objects.get(action="token.exchanged")
    assert event.details["claims"]["workflow_ref"].startswith("acme/tools/.github/workflows/release.yml")
    assert event.details["trust"] == [str(trusted.pk)]


def test_the_token_does_nothing_else(cast: Cast, trusted: TrustedPublisher, issuer: Issuer):
    raw = minted(issuer)
    key = ApiToken.objects.get(digest=tokens.digest_of(raw)).pk
    other = builders.token(cast.alice, "read", "publish")
    other_key = ApiToken.objects.get(digest=tokens.digest_of(other)).pk
    client, bearer = Client(), builders.bearer(raw)
    release = builders.release(trusted.package, "0.9.0", status="pending")
    refused = [
        ("GET", "/api/v1/tokens"),
        ("POST", "/api/v1/tokens"),
        ("POST", f"/api/v1/tokens/{key}/rotate"),
        ("DELETE", f"/api/v1/tokens/{other_key}"),
        ("DELETE", f"/npm/-/npm/v1/tokens/token/{other_key}"),
        ("POST", f"/api/v1/packages/{NAME}/versions/{release.version}/approve"),
        ("POST", "/api/v1/packages"),
        ("GET", "/profile"),
        ("GET", "/npm/-/npm/v1/tokens"),
        ("GET", "/npm/-/npm/v1/user"),
        ("GET", "/npm/acme/-/npm/v1/user"),
        ("GET", TRUST),
        ("POST", TRUST),
        ("PUT", "/npm/-/package/@acme-utils%2fcore/dist-tags/next"),
        ("DELETE", "/npm/@acme-utils%2fcore/-rev/1-0"),
    ]
    for method, path in refused:
        answer = client.generic(method, path, b'"0.1.0"', "application/json", headers=bearer)
        assert answer.status_code in (401, 403, 404), (method, path, answer.status_code)
    assert ApiToken.objects.get(pk=other_key).revoked_at is None
    deprecation = {"name": NAME, "versions": {"0.1.0": {"deprecated": "no"}}}
    answer = client.put("/npm/@acme-utils%2fcore", deprecation, "application/json", headers=bearer)
    assert answer.status_code in (403, 404)


def test_a_run_that_may_only_stage_stages_and_does_not_publish_or_approve(
    cast: Cast, trusted: TrustedPublisher, issuer: Issuer
):
    path = "/npm/-/stage/package/@acme-utils%2fcore"
    body = publication(NAME, "1.0.0")

    def stage(raw: str) -> Any:
        return Client().post(path, body, "application/json", headers=builders.bearer(raw))

    assert stage(minted(issuer)).status_code == 403  # WANTED lets it publish alone
    TrustedPublisher.objects.update(may_publish=False, may_stage=True)
    raw = minted(issuer)
    assert put(raw, NAME, "1.0.0").status_code == 403
    answer = stage(raw)
    assert answer.status_code == 201
    for method, rest in (("GET", ""), ("POST", "/approve"), ("DELETE", ""), ("GET", "/tarball")):
        one = f"/npm/-/stage/{answer.json()['stageId']}{rest}"
        assert Client().generic(method, one, headers=builders.bearer(raw)).status_code == 403


WRONG: dict[str, dict[str, Any]] = {
    "other audience": {"aud": "npm:elsewhere.example"},
    "audience of the other protocol": {"aud": "pypi:testserver"},
    "two audiences": {"aud": ["npm:testserver", "npm:elsewhere.example"]},
    "other repository": {"repository": "mallory/tools"},
    "repository of a longer name": {"repository": "acme/tools-evil"},
    "other workflow": {"workflow_ref": "acme/tools/.github/workflows/test.yml@refs/heads/main"},
    "workflow of another repository": {"workflow_ref": "evil/tools/.github/workflows/release.yml@refs/heads/main"},
    "other environment": {"environment": "staging"},
    "no environment": {"environment": None},
    "event that strangers cause": {"event_name": "pull_request_target"},
    "other issuer": {"iss": "https://token.actions.githubusercontent.com"},
    "no id": {"jti": None},
    "no end": {"exp": None},
    "no beginning": {"iat": None},
    "life of a week": {"exp": 7 * 86400},
    "number as id": {"jti": 5},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_not_the_trusted_run_gets_nothing(trusted: TrustedPublisher, issuer: Issuer, wrong: str):
    claims = dict(WRONG[wrong])
    if wrong == "life of a week":
        claims["exp"] += int(timezone.now().timestamp())
    assert exchange(issuer.token(**claims)).status_code in (401, 403)
    assert not ApiToken.objects.exists()
    assert not UsedIdToken.objects.exists()


def test_clocks_may_differ_by_half_a_minute_and_no_more(trusted: TrustedPublisher, issuer: Issuer):
    now = int(timezone.now().timestamp())
    for shift, status in ((-20, 201), (-45, 401)):
        assert exchange(issuer.token(iat=now - 300, nbf=now - 300, exp=now + shift)).status_code == status
    for shift, status in ((20, 201), (60, 401)):
        assert exchange(issuer.token(iat=now + shift, nbf=now + shift, exp=now + 300)).status_code == status


def test_only_the_issuer_s_own_asymmetric_keys_sign(trusted: TrustedPublisher, issuer: Issuer, monkeypatch):
    claims, head = issuer.claims(), {"kid": "first"}
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    good = issuer.token()
    unsigned = f"{part({'alg': 'none', 'kid': 'first'})}.{part(claims)}."
    for forged in (
        unsigned,
        unsigned.replace("none", "NONE"),
        f"{part({'alg': 'RS256', 'kid': 'first'})}.{part(claims)}.",
        f"{part({'alg': 'none', 'kid': 'first'})}.{good.split('.', 1)[1]}",
        _hmac_over(f"{part({'alg': 'HS256', 'kid': 'first'})}.{part(claims)}", issuer.public_pem()),
        jwt.encode(claims, stranger, algorithm="RS256", headers=head),
        jwt.encode(claims, stranger, algorithm="RS256", headers={"kid": "unknown"}),
        jwt.encode(claims, stranger, algorithm="RS256", headers={"jku": "https://evil.example", "kid": "unknown"}),
        jwt.encode(claims, issuer.keys["first"], algorithm="RS512", headers=head),
        jwt.encode(claims, issuer.keys["first"], algorithm="RS256"),
        good[:-8] + "AAAAAAAA",
        f"{part({'alg': ['RS256'], 'kid': 'first'})}.{part(claims)}.AAAA",
        f"{part({'alg': 'RS256', 'kid': {}})}.{part(claims | {'iss': []})}.AAAA",
        "sk_live_nonsense",
        "a.b.c",
    ):
        assert exchange(forged).status_code == 401, forged[:60]
    # unknown keys make the issuer be asked anew once a minute, not each time
    assert issuer.asked.count("/jwks") <= 2
    assert exchange(good).status_code == 201


def _hmac_over(text: str, secret: bytes) -> str:
    import hmac

    signature = hmac.digest(secret, text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def test_a_key_that_the_issuer_has_changed_to_is_found(trusted: TrustedPublisher, issuer: Issuer):
    assert exchange(issuer.token()).status_code == 201
    issuer.keys["second"] = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    try:
        assert exchange(issuer.token(kid="second")).status_code == 201
    finally:
        del issuer.keys["second"]


def test_names_that_change_hands_carry_no_trust_along(trusted: TrustedPublisher, issuer: Issuer):
    assert exchange(issuer.token()).status_code == 201
    trusted.refresh_from_db()
    assert trusted.pinned == {"repository_id": "1001", "repository_owner_id": "2002"}
    assert exchange(issuer.token(repository_id="1002")).status_code == 403
    assert exchange(issuer.token(repository_owner_id="2003")).status_code == 403
    assert exchange(issuer.token(repository="ACME/Tools", workflow_ref=None)).status_code == 403
    assert exchange(issuer.token()).status_code == 201


def test_trust_ends_with_the_person_whose_word_it_is(cast: Cast, trusted: TrustedPublisher, issuer: Issuer):
    raw = minted(issuer)
    Membership.objects.filter(project=cast.acme, user=cast.alice).update(role="reader")
    assert exchange(issuer.token()).status_code == 403
    assert put(raw, NAME, "1.0.0").status_code == 403


def test_nobody_learns_which_packages_are_here(trusted: TrustedPublisher, issuer: Issuer):
    stranger = {"repository": "mallory/tools", "workflow_ref": "mallory/tools/.github/workflows/release.yml@x"}
    elsewhere = EXCHANGE.replace("core", "no-such")
    answers = {exchange(issuer.token(**stranger), path).content for path in (EXCHANGE, elsewhere)}
    assert len(answers) == 1


def test_fifty_replays_at_once_give_one_token(transactional_db, cast: Cast, trusted: TrustedPublisher, issuer: Issuer):
    minted(issuer)  # the issuer's keys are known from here on
    raw, statuses, ready = issuer.token(), [], threading.Barrier(50)

    def replay() -> None:
        ready.wait(30)
        try:
            statuses.append(exchange(raw).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=replay) for _ in range(50)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert sorted(statuses) == [201] + [401] * 49
    assert ApiToken.objects.count() == 2
    assert exchange(raw).status_code == 401


def test_what_was_used_is_forgotten_only_when_it_could_not_be_believed(trusted: TrustedPublisher, issuer: Issuer):
    minted(issuer)
    assert id_tokens.forget_used() == 0
    UsedIdToken.objects.update(forget_at=timezone.now() - timedelta(seconds=1))
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(days=8))
    assert (id_tokens.forget_used(), tokens.forget_narrow()) == (1, 1)
