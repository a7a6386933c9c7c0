"""Keyless publishing as twine and npm do it."""

import base64
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from registry.models import Release, TrustedPublisher
from registry.trusting import managing
from tests import builders, tools
from tests.builders import Cast
from tests.protocols import issuers, payloads, tls
from tests.protocols.exchanges import NAME, WANTED
from tests.protocols.issuers import Issuer
from tests.protocols.npm.real_npm import RealNpm

ROOT = Path(__file__).resolve().parents[2]


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


@pytest.fixture
def runs(transactional_db, cast: Cast, server: Issuer, settings) -> Any:
    """An npm and a Python package of acme that trust a pipeline of each house; what signs the tokens of its runs."""
    settings.TRUSTED_ISSUERS = [f"{house}={server.url}/{house}" for house in payloads.MADE]
    cast.acme.signature_policy = "optional"
    cast.acme.save()
    for name, ecosystem in ((NAME, "npm"), ("demo-pkg", "pypi")):
        package = builders.package(cast.acme, name, ecosystem)
        for house, claims in payloads.WANTED.items():
            managing.trust(package, {"type": house, "claims": claims}, builders.actor(cast.alice))

    def sign(house: str, audience: str) -> str:
        return server.sign(payloads.MADE[house](f"{server.url}/{house}", audience))

    return sign


def run_of_github(server: Issuer) -> dict[str, Any]:
    """What the next token says that its runner asks for; for whom, the runner says."""
    said = payloads.github(f"{server.url}/github", "")
    return {name: value for name, value in said.items() if name != "aud"}


@pytest.mark.once
@pytest.mark.slow
def test_twine_and_uv_themselves_publish_from_every_house(runs, server: Issuer, live_server, tmp_path: Path):
    program = tmp_path / "bin" / "circleci"  # `circleci run oidc get --claims {...}` prints the token
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf %s "$TOKEN_OF_CIRCLECI"\n')
    program.chmod(0o755)
    kept = {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path), "NO_COLOR": "1"}

    def run(client: str, version: str, environment: dict[str, str], fails: bool = False) -> str:
        folder = tmp_path / client / version
        folder.mkdir(parents=True)
        (folder / f"demo_pkg-{version}.tar.gz").write_bytes(builders.sdist(version=version))
        (folder / f"demo_pkg-{version}-py3-none-any.whl").write_bytes(builders.wheel(version=version))
        words = {
            "twine": ["upload", "--non-interactive", "--disable-progress-bar", "--repository-url"],
            "uv": ["--no-config", "--no-cache", "publish", "--trusted-publishing", "always", "--publish-url"],
        }[client]
        with tls.before(live_server.url, tmp_path) as (address, trusted):
            known = {"REQUESTS_CA_BUNDLE": str(trusted), "SSL_CERT_FILE": str(trusted)}
            done = subprocess.run(
                [tools.need(client), *words, f"{address}/pypi/legacy/", *sorted(folder.iterdir())],
                env={**kept, **known, **environment}, capture_output=True, text=True, timeout=90, check=False,
            )  # fmt: skip
        assert bool(done.returncode) == fails, done.stdout + done.stderr
        return " ".join((done.stdout + done.stderr).split())

    host = "pypi:localhost"
    server.given = run_of_github(server)
    asking = {"ACTIONS_ID_TOKEN_REQUEST_URL": f"{server.url}/run?v=1"}
    asking |= {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": issuers.REQUEST_TOKEN, "GITHUB_ACTIONS": "true"}
    gitlab = {"GITLAB_CI": "true", "PYPI_LOCALHOST_ID_TOKEN": runs("gitlab", host)}
    run("uv", "1.0.0", asking)
    run("uv", "1.1.0", gitlab)
    run("uv", "1.2.0", {"CIRCLECI": "true", "TOKEN_OF_CIRCLECI": runs("circleci", host)})
    assert "it was used before" in run("uv", "1.3.0", gitlab, fails=True)
    # twine asks for tokens of the public index alone, so it is handed one as docs/trusted-publishing.md has it
    [line] = re.findall(r"TWINE_PASSWORD=\$\((.+)\)\n", (ROOT / "docs" / "trusted-publishing.md").read_text())
    with tls.before(live_server.url, tmp_path) as (address, trusted):
        asked = {**kept, "CURL_CA_BUNDLE": str(trusted), "PYPI_ID_TOKEN": runs("gitlab", host)}
        line = line.replace("https://HOST", address)
        minted = subprocess.run(["bash", "-c", line], env=asked, capture_output=True, text=True, check=True)
    run("twine", "1.3.0", {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": minted.stdout.strip()})
    TrustedPublisher.objects.filter(provider="github").delete()
    server.given = run_of_github(server)
    assert "No pipeline that is trusted here" in run("uv", "1.4.0", asking, fails=True)
    found = {(one.version, one.artifacts.count()) for one in Release.objects.filter(package__ecosystem="pypi")}
    assert found == {(f"1.{number}.0", 2) for number in range(4)}


@pytest.mark.once
@pytest.mark.slow
def test_npm_itself_publishes_from_gitlab_and_circleci(runs, live_server, tmp_path: Path):
    for number, (house, variable) in enumerate({"gitlab": "GITLAB_CI", "circleci": "CIRCLECI"}.items()):
        token = runs(house, "npm:localhost")
        place = {"CI": "true", variable: "true", "NPM_ID_TOKEN": token}
        npm = RealNpm(tmp_path / house, f"{live_server.url}/npm/", environment=place)
        npm.write(name=NAME, version=f"1.{number}.0", license="MIT")
        npm.run("publish")
    assert set(Release.objects.values_list("version", flat=True)) == {"1.0.0", "1.1.0"}


@pytest.mark.once
def test_npm_trust_knows_all_three_houses(
    transactional_db, cast: Cast, server: Issuer, live_server, settings, tmp_path
):
    settings.TRUSTED_ISSUERS = [f"{house}={server.url}/{house}" for house in payloads.MADE]
    builders.package(cast.acme, NAME)
    owner = RealNpm(tmp_path / "owner", f"{live_server.url}/npm/", builders.token(cast.alice))
    circle = [f"--org-id={payloads.ORG}", f"--project-id={payloads.PROJECT}", f"--context-id={payloads.CONTEXT}"]
    circle += [f"--pipeline-definition-id={payloads.DEFINITION}", "--vcs-origin=github.com/acme/tools"]
    for words in (["gitlab", NAME, "--project=acme/tools", "--file=.gitlab-ci.yml"], ["circleci", NAME, *circle]):
        owner.run("trust", *words, "--allow-publish", "--yes")
    listed = owner.run("trust", "list", NAME)
    assert payloads.DEFINITION in listed
    assert ".gitlab-ci.yml" in listed
