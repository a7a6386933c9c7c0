"""Keyless publishing as twine and npm do it."""

import base64
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from registry.models import Release, TrustedPublisher
from tests import builders
from tests.builders import Cast
from tests.protocols import issuers
from tests.protocols.exchanges import NAME, WANTED
from tests.protocols.issuers import Issuer
from tests.protocols.npm.real_npm import RealNpm


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
