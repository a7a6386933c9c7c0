"""Publishing from pipelines: who may trust them, what an ID token must be, what the token it brings may do."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
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
from tests.protocols import issuers
from tests.protocols.issuers import Issuer
from tests.protocols.npm.real_npm import RealNpm

NAME = "@acme-utils/core"
TRUST = "/npm/-/package/@acme-utils%2fcore/trust"
EXCHANGE = "/-/npm/v1/oidc/token/exchange/package/@acme-utils%2fcore"
WANTED = {
    "type": "github",
    "claims": {
        "repository": "Acme/tools",
        "workflow_ref": {"file": "release.yml"},
        "environment": "release",
    },
    "permissions": ["createPackage"],
}


@pytest.fixture(scope="module")
def server() -> Iterator[Issuer]:
    with issuers.running() as found:
        yield found


@pytest.fixture
def issuer(server: Issuer, settings) -> Issuer:
    settings.TRUSTED_ISSUERS = [f"github={server.url}"]
    server.asked.clear()
    return server


@pytest.fixture
def trusted(cast: Cast, issuer: Issuer) -> TrustedPublisher:
    """`@acme-utils/core` of acme, which takes unsigned archives, trusts the workflow release.yml of acme/tools."""
    cast.acme.signature_policy = "optional"
    cast.acme.save()
    package = builders.package(cast.acme, NAME)
    builders.release(package, "0.1.0")
    return managing.trust(package, WANTED, builders.actor(cast.alice))


def exchange(raw: str, path: str = EXCHANGE) -> Any:
    return Client().post(path, headers={"Authorization": f"Bearer {raw}"})


def minted(issuer: Issuer, **claims: Any) -> str:
    answer = exchange(issuer.token(**claims))
    assert answer.status_code == 201, answer.content
    return answer.json()["token"]


def publication(name: str, version: str) -> dict[str, Any]:
    """What npm puts into the body."""
    body = builders.npm_tarball(name, version)
    dist = {
        "integrity": "sha512-" + base64.b64encode(hashlib.sha512(body).digest()).decode(),
        "shasum": hashlib.sha1(body, usedforsecurity=False).hexdigest(),
    }
    data = {"content_type": "application/octet-stream", "data": base64.b64encode(body).decode(), "length": len(body)}
    return {
        "_id": name,
        "name": name,
        "dist-tags": {"latest": version},
        "versions": {version: {"name": name, "version": version, "dist": dist}},
        "access": None,
        "_attachments": {f"{name}-{version}.tgz": data},
    }


def put(raw: str, name: str, version: str) -> Any:
    path = f"/npm/{name.replace('/', '%2f')}"
    return Client().put(path, publication(name, version), "application/json", headers=builders.bearer(raw))


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


# --- Python --------------------------------------------------------------------------------------------------------
def test_twine_s_two_steps_give_a_token_for_one_version_with_all_its_files(cast: Cast, issuer: Issuer):
    cast.acme.signature_policy = "optional"
    cast.acme.save()
    package = builders.package(cast.acme, "demo-pkg", "pypi")
    builders.release(package, "0.1.0")
    raw = builders.token(cast.alice)
    path = "/pypi/-/package/Demo_Pkg/trust"
    assert Client().post(path, WANTED, "application/json", headers=builders.bearer(raw)).status_code == 201

    audience = Client().get("/_/oidc/audience").json()["audience"]
    assert audience == "pypi:testserver"
    refused = Client().post("/_/oidc/mint-token", {"token": issuer.token()}, "application/json")
    assert refused.status_code == 401
    assert refused.json()["errors"][0]["code"] == "id_token_refused"
    answer = Client().post("/_/oidc/mint-token", {"token": issuer.token(aud=audience)}, "application/json").json()
    assert answer["success"] is True

    def upload(name: str, content: bytes, version: str) -> int:
        from django.core.files.uploadedfile import SimpleUploadedFile

        fields = {":action": "file_upload", "protocol_version": "1", "name": "demo-pkg", "version": version}
        basic = base64.b64encode(f"__token__:{answer['token']}".encode()).decode()
        return (
            Client()
            .post(
                "/pypi/legacy/",
                {**fields, "filetype": "sdist", "content": SimpleUploadedFile(name, content)},
                headers={"Authorization": f"Basic {basic}"},
            )
            .status_code
        )

    assert upload("demo_pkg-1.0.0.tar.gz", builders.sdist(), "1.0.0") == 200
    assert upload("demo_pkg-1.0.0-py3-none-any.whl", builders.wheel(), "1.0.0") == 200
    assert upload("demo_pkg-1.0.1.tar.gz", builders.sdist(version="1.0.1"), "1.0.1") == 403


# --- the real client -----------------------------------------------------------------------------------------------
@pytest.mark.once
def test_npm_itself_trusts_and_publishes_without_a_secret(
    transactional_db, cast: Cast, issuer: Issuer, live_server, tmp_path: Path
):
    cast.acme.signature_policy = "optional"
    cast.acme.save()
    builders.release(builders.package(cast.acme, NAME), "0.1.0")
    registry = f"{live_server.url}/npm/"
    owner = RealNpm(tmp_path / "owner", registry, builders.token(cast.alice))
    words = ("--file", "release.yml", "--repo", "acme/tools", "--env", "release", "--allow-publish", "--yes")
    owner.run("trust", "github", NAME, *words)
    assert "acme/tools" in owner.run("trust", "list", NAME)

    asking = {"ACTIONS_ID_TOKEN_REQUEST_URL": f"{issuer.url}/run?v=1"}
    asking["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = issuers.REQUEST_TOKEN
    run = RealNpm(tmp_path / "run", registry, environment={"GITHUB_ACTIONS": "true", "CI": "true", **asking})
    run.write(name=NAME, version="1.0.0", license="MIT")
    run.run("publish")
    assert Release.objects.get(version="1.0.0").submitted_by == cast.alice

    owner.run("trust", "revoke", NAME, f"--id={TrustedPublisher.objects.get().pk}")
    run.write(name=NAME, version="1.0.1", license="MIT")
    run.run("publish", fails=True)
