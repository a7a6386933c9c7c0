"""What pipelines ask for, and the package that trusts one."""

from typing import Any

from django.test import Client

from tests import builders
from tests.protocols.issuers import Issuer
from tests.protocols.npm.bodies import published

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


def exchange(raw: str, path: str = EXCHANGE) -> Any:
    return Client().post(path, headers={"Authorization": f"Bearer {raw}"})


def minted(issuer: Issuer, **claims: Any) -> str:
    answer = exchange(issuer.token(**claims))
    assert answer.status_code == 201, answer.content
    return answer.json()["token"]


def publication(name: str, version: str) -> dict[str, Any]:
    """What npm puts into the body."""
    return published(builders.npm_tarball(name, version), name, version)


def put(raw: str, name: str, version: str) -> Any:
    path = f"/npm/{name.replace('/', '%2f')}"
    return Client().put(path, publication(name, version), "application/json", headers=builders.bearer(raw))
