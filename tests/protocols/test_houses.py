"""GitHub Actions, GitLab CI/CD and CircleCI: ID tokens that say what each house documents, and what must not pass."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent
from registry.models import TrustedPublisher
from registry.trusting import managing
from tests import builders
from tests.builders import Cast
from tests.protocols import payloads
from tests.protocols.exchanges import NAME, exchange
from tests.protocols.issuers import Issuer
from tests.protocols.payloads import CIRCLE, MADE, ORG, WANTED

NPM = "npm:testserver"


@pytest.fixture
def packages(cast: Cast, server: Issuer, settings) -> None:
    """An npm and a Python package of acme that trust a pipeline of each house, all with the issuer of these tests."""
    settings.TRUSTED_ISSUERS = [f"{house}={server.url}/{house}" for house in WANTED]
    for name, ecosystem in ((NAME, "npm"), ("demo-pkg", "pypi")):
        package = builders.package(cast.acme, name, ecosystem)
        for house, claims in WANTED.items():
            managing.trust(package, {"type": house, "claims": claims}, builders.actor(cast.alice))


def told(server: Issuer, house: str, audience: str = NPM, **changed: Any) -> dict[str, Any]:
    issuer = f"{server.url}/{house}" + (f"/org/{ORG}" if house == "circleci" else "")
    said = MADE[house](issuer, audience) | changed
    return {name: value for name, value in said.items() if value is not None}


@pytest.mark.parametrize("house", MADE)
def test_a_run_as_its_house_documents_it_gets_one_token_and_leaves_no_names(packages, server: Issuer, house: str):
    said = told(server, house)
    raw = server.sign(said)
    assert exchange(raw).status_code == 201
    assert exchange(raw).status_code == 401  # once is enough, whether the token has an id or not
    minted = Client().post(
        "/_/oidc/mint-token", {"token": server.sign(told(server, house, "pypi:testserver"))}, "application/json"
    )
    assert minted.json()["success"] is True
    event = AuditEvent.objects.filter(action="token.exchanged").latest("pk")
    people = ("octocat", "sample-user", "25cf0ed0-3b32-4c24-9b6f-ad5e1a6f7a9b")
    assert not any(one in str(event.details) for one in people)
    assert "tools" in str(event.details["claims"])


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("github", {"event_name": "pull_request_target"}),
    ("github", {"workflow_ref": "acme/tools/.github/workflows/release.yml.evil@refs/heads/main"}),
    ("gitlab", {"pipeline_source": "merge_request_event"}),
    ("gitlab", {"ref_type": "branch"}),
    ("gitlab", {"ref_protected": "false"}),
    ("gitlab", {"ref": "main"}),
    ("gitlab", {"ci_config_ref_uri": None}),
    ("gitlab", {"ci_config_ref_uri": "gitlab.com/Acme/tools//.gitlab-ci.yml@refs/tags/v1.0.0"}),
    ("gitlab", {"project_path": "acme/tools-evil"}),
    ("gitlab", {"jti": None}),
    ("circleci", {f"{CIRCLE}ssh-rerun": True}),
    ("circleci", {f"{CIRCLE}org-id": payloads.PROJECT}),
    ("circleci", {f"{CIRCLE}project-id": ORG}),
    ("circleci", {f"{CIRCLE}pipeline-definition-id": None}),
    ("circleci", {f"{CIRCLE}context-ids": []}),
    ("circleci", {f"{CIRCLE}context-ids": [ORG]}),
    ("circleci", {f"{CIRCLE}vcs-origin": "github.com/evil/tools"}),
    ("circleci", {"aud": ORG}),
]


def test_a_run_that_differs_in_one_claim_gets_nothing(packages, server: Issuer):
    for house, changed in WRONG:
        answer = exchange(server.sign(told(server, house, **changed)))
        assert answer.status_code in (401, 403), (house, changed)
    assert not AuditEvent.objects.filter(action="token.exchanged").exists()


def test_both_issuers_of_circleci_are_listened_to_and_no_other_organization_s(packages, server: Issuer):
    root = f"{server.url}/circleci"
    assert exchange(server.sign(told(server, "circleci", iss=root))).status_code == 201
    server.asked.clear()
    assert exchange(server.sign(told(server, "circleci", iss=f"{root}/org/{payloads.PROJECT}"))).status_code == 401
    assert server.asked == []  # nobody trusts it, so it is not even asked for its keys
    assert set(TrustedPublisher.objects.filter(provider="circleci").values_list("issuer", flat=True)) == {
        f"{root}/org/{ORG}"
    }


@pytest.mark.parametrize("missing", [f"{CIRCLE}org-id", f"{CIRCLE}project-id", f"{CIRCLE}pipeline-definition-id"])
def test_a_pipeline_of_circleci_is_named_whole_or_not_trusted(packages, cast: Cast, missing: str):
    claims = {name: value for name, value in WANTED["circleci"].items() if name != missing}
    package = builders.package(cast.acme, "other")
    for wrong in (claims, claims | {missing: ["a"]}, WANTED["circleci"] | {f"{CIRCLE}context-ids": [1]}):
        with pytest.raises(managing.InvalidInput):
            managing.trust(package, {"type": "circleci", "claims": wrong}, builders.actor(cast.alice))
