"""`npm stage`: a version that waits for a person, who is not its submitter, whatever the project's policy."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from registry import documents, tasks
from registry.models import Decision, DownloadRecord, Release
from tests import builders
from tests.builders import Cast
from tests.protocols.exchanges import publication
from tests.protocols.npm.conftest import Npm
from tests.protocols.npm.real_npm import RealNpm

STAGE = "/npm/-/stage"
NAME = "@acme-utils/core"


@pytest.fixture
def people(cast: Cast) -> dict[str, Npm]:
    """Alice, who publishes; bob and root, who review; mallory of another project. Acme takes unsigned archives."""
    cast.acme.signature_policy = "optional"
    cast.acme.save()
    return {
        "alice": Npm(builders.token(cast.alice, "read", "publish")),
        "bob": Npm(builders.token(cast.bob, "read", "publish", "review")),
        "bob-without": Npm(builders.token(cast.bob, "read", "publish")),
        "mallory": Npm(builders.token(cast.mallory, "read", "publish")),
    }


def stage(client: Npm, version: str = "1.0.0", name: str = NAME) -> str:
    """The id; every check has ended."""
    body = publication(name, version)
    answer = client.post(f"{STAGE}/package/{name.replace('/', '%2f')}", body, "application/json")
    assert answer.status_code == 201, answer.content
    tasks.drain()
    return answer.json()["stageId"]


def listed(client: Npm, query: str = "") -> list[str]:
    return [one["version"] for one in client.get(f"{STAGE}{query}").json()["items"]]


def read(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_what_is_staged_waits_where_the_policy_is_automatic_and_holds_its_number(people: dict[str, Npm]):
    alice = people["alice"]
    key = stage(alice)
    release = Release.objects.get(stage_id=key)
    assert (release.status, "staged" in release.held_because) == ("pending", True)
    assert alice.ask("@acme-utils%2fcore").status_code == 404
    assert alice.get("/npm/@acme-utils/core/-/core-1.0.0.tgz").status_code == 403
    again = alice.put("/npm/@acme-utils%2fcore", publication(NAME, "1.0.0"), "application/json")
    assert again.status_code == 403
    assert "cannot publish over" in again.json()["error"]
    told = alice.get(f"{STAGE}/{key}").json()
    assert told | {"createdAt": "", "shasum": ""} == {
        "id": key,
        "packageName": NAME,
        "version": "1.0.0",
        "tag": "latest",
        "createdAt": "",
        "actor": "alice",
        "actorType": "user",
        "access": "public",
        "shasum": "",
    }


def test_somebody_else_approves_what_they_have_looked_at(people: dict[str, Npm]):
    key = stage(people["alice"])
    for who in ("alice", "bob-without"):
        assert people[who].post(f"{STAGE}/{key}/approve").status_code in (403, 404)
        assert people[who].get(f"{STAGE}/{key}/tarball").status_code in (403, 404)
    assert read(people["bob"].get(f"{STAGE}/{key}/tarball")) == builders.npm_tarball(NAME, "1.0.0")
    assert not DownloadRecord.objects.exists()  # who reviews it does not use it
    assert people["bob"].post(f"{STAGE}/{key}/approve").status_code == 200
    assert people["alice"].get("/npm/@acme-utils/core/-/core-1.0.0.tgz").status_code == 200
    assert Decision.objects.get(answer="approved").by.username == "bob"
    assert people["bob"].post(f"{STAGE}/{key}/approve").status_code == 404
    assert listed(people["bob"]) == []


def test_nobody_approves_their_own(cast: Cast, people: dict[str, Npm]):
    key = stage(people["bob"])
    answer = people["bob"].post(f"{STAGE}/{key}/approve")
    assert (answer.status_code, answer.json()["details"]["code"]) == (403, "self_approval")
    assert Release.objects.get(stage_id=key).status == "pending"


def test_a_check_that_objects_is_not_overruled_from_a_client(people: dict[str, Npm]):
    key = stage(people["alice"])
    release = Release.objects.get(stage_id=key)
    release.checks.filter(name="integrity").update(status="failed", summary="Other bytes.")
    answer = people["bob"].post(f"{STAGE}/{key}/approve")
    assert answer.status_code == 409
    assert "Other bytes." in answer.json()["error"]


@pytest.mark.parametrize(("who", "reason"), [("bob", "A maintainer rejected it"), ("alice", "Its submitter")])
def test_a_reviewer_rejects_and_its_submitter_takes_it_back(people: dict[str, Npm], who: str, reason: str):
    key = stage(people["alice"])
    assert people["mallory"].delete(f"{STAGE}/{key}").status_code == 404
    assert people[who].delete(f"{STAGE}/{key}").status_code == 204
    release = Release.objects.get(stage_id=key)
    assert (release.status, release.held_because.startswith(reason)) == ("rejected", True)
    assert people[who].delete(f"{STAGE}/{key}").status_code == 404
    body = publication(NAME, "1.0.0")
    assert people["alice"].put("/npm/@acme-utils%2fcore", body, "application/json").status_code == 403


def test_everybody_sees_what_they_may_decide_or_have_staged(cast: Cast, people: dict[str, Npm]):
    for version in ("1.0.0", "1.0.1", "1.0.2"):
        stage(people["alice"], version)
    stage(people["bob-without"], "9.0.0", "@acme-utils/other")
    builders.release(builders.package(cast.acme, "waiting"), "3.0.0", status="pending")  # which nobody staged
    assert listed(people["alice"]) == ["1.0.0", "1.0.1", "1.0.2"]
    assert listed(people["bob"]) == ["1.0.0", "1.0.1", "1.0.2", "9.0.0"]
    assert listed(people["bob"], "?package=@acme-utils/other") == ["9.0.0"]
    page = people["bob"].get(f"{STAGE}?page=1&perPage=3").json()
    assert ([one["version"] for one in page["items"]], page["total"]) == (["9.0.0"], 4)
    assert listed(people["mallory"]) == []
    assert Npm().get(STAGE).status_code == 401
    for query in ("?page=-1", "?perPage=0", "?perPage=101", "?page=x", "?package=%00"):
        assert people["bob"].get(STAGE + query).status_code == 400


def test_a_private_version_is_staged_for_its_own_project(cast: Cast, people: dict[str, Npm]):
    key = stage(people["alice"])
    release = Release.objects.get(stage_id=key)
    release.package.visibility = "private"
    release.package.save()
    documents.rebuild(release.package)
    elsewhere = Npm(builders.token(builders.user("carol", "maintainer"), "read", "review"), "/npm/acme/")
    assert elsewhere.get(f"/npm/acme/-/stage/{key}").status_code == 403
    for path in ("", "/tarball"):
        assert people["mallory"].get(f"{STAGE}/{key}{path}").status_code == 404


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.django_db(transaction=True)
def test_npm_itself_stages_lists_views_downloads_approves_and_rejects(
    cast: Cast, people: dict[str, Npm], live_server, tmp_path: Path
):
    registry = f"{live_server.url}/npm/"
    alice = RealNpm(tmp_path / "alice", registry, builders.token(cast.alice, "read", "publish"))
    bob = RealNpm(tmp_path / "bob", registry, builders.token(cast.bob, "read", "publish", "review"))
    keys = []
    for version in ("1.0.0", "1.1.0"):
        alice.write(name=NAME, version=version, license="MIT")
        said = alice.run("stage", "publish")
        keys.append(re.search(r"staged with id ([0-9a-f-]{36})", said)[1])
    tasks.drain()
    assert [one["id"] for one in json.loads(bob.run("stage", "list", "--json"))] == keys
    assert "1.1.0" in bob.run("stage", "view", keys[1])
    bob.run("stage", "download", keys[0])
    assert [one.name for one in bob.work.glob("*.tgz")] == [f"acme-utils-core-1.0.0-{keys[0]}.tgz"]
    alice.run("stage", "approve", keys[0], fails=True)
    bob.run("stage", "approve", keys[0])
    bob.run("stage", "reject", keys[1])
    assert "No staged packages found" in bob.run("stage", "list")
    assert bob.run("view", NAME, "versions", "--json").split() == ["[", '"1.0.0"', "]"]
