"""`npm publish` as it arrives: kept and waiting, or refused with the reason, and nothing left of it."""

import hashlib
from typing import Any

import pytest
from django.conf import settings

from accounts.models import AuditEvent, Project
from registry import tasks
from registry.models import Package, Release
from tests import builders
from tests.builders import Cast
from tests.protocols.npm.bodies import published
from tests.protocols.npm.conftest import Npm

BODY = builders.npm_tarball("@acme/tool", "1.0.0")


@pytest.fixture
def alice_npm(cast: Cast, unsigned: None) -> Npm:
    """Npm with a token of alice."""
    return Npm(builders.token(cast.alice, "read", "publish"))


def publish(client: Npm, document: dict[str, Any], path: str = "@acme%2ftool") -> Any:
    return client.send("PUT", path, document)


def test_a_version_is_kept_and_its_sender_told_where_it_waits(alice_npm: Npm, cast: Cast):
    Project.objects.update(review_policy=Project.ReviewPolicy.MANUAL)
    answer = publish(alice_npm, published(BODY, tag="next", access="restricted"))

    assert answer.status_code == 201, answer.json()
    page = "http://testserver/packages/npm/@acme/tool/versions/1.0.0"
    assert (answer.json()["success"], answer.json()["url"], answer.json()["status"]) == (True, page, "pending")
    assert answer["npm-notice"].startswith(f"@acme/tool 1.0.0 is pending here: {page} ")
    release = Release.objects.get()
    assert (release.sha256, release.requested_tag) == (hashlib.sha256(BODY).hexdigest(), "next")
    assert (release.package.project, release.package.visibility) == (cast.acme, "private")
    tasks.drain()
    said = alice_npm.ask("@acme%2ftool")
    assert (said.status_code, "1.0.0 is pending: " in said.json()["error"]) == (404, True)
    assert list(settings.STAGING_DIR.glob("*")) == []


def test_what_nothing_holds_is_served_under_its_tag(alice_npm: Npm, cast: Cast):
    assert publish(alice_npm, published(BODY, tag="next")).status_code == 201
    tasks.drain()
    said = alice_npm.ask("@acme%2ftool", Accept="application/json").json()
    assert said["dist-tags"] == {"next": "1.0.0", "latest": "1.0.0"}
    assert said["versions"]["1.0.0"]["dist"]["tarball"] == "http://testserver/npm/@acme/tool/-/tool-1.0.0.tgz"
    assert alice_npm.ask("@acme/tool/next").json()["version"] == "1.0.0"
    assert Npm(base="/npm/").ask("@acme/tool/next").status_code == 200


def test_the_base_of_a_project_says_where_it_lands(cast: Cast, unsigned: None):
    second = builders.project("second", owner=cast.alice, signature_policy="optional")
    raw = builders.token(cast.alice, "read", "publish")
    assert publish(Npm(raw, "/npm/second/"), published(BODY)).status_code == 201
    assert Package.objects.get().project == second
    assert publish(Npm(raw, "/npm/elsewhere/"), published(BODY, version="1.1.0")).status_code == 403
    assert Npm(raw, "/npm/second/").send("PUT", "-/package/@acme%2ftool/dist-tags/stable", "1.0.0").status_code == 409
    assert Npm(raw, "/npm/acme/").send("PUT", "-/package/@acme%2ftool/dist-tags/stable", "1.0.0").status_code == 403


OTHER = builders.npm_tarball("@acme/other", "1.0.0")
LATER = builders.npm_tarball("@acme/tool", "1.0.1")
REFUSALS = {
    "other name in the address": ({}, "@acme%2fother", 400, "must all be"),
    "other _id": ({"_id": "x"}, "", 400, "must all be"),
    "an _id that is no text": ({"_id": []}, "", 400, "must all be"),
    "a name that is no text": ({"name": {}}, "", 400, "must all be"),
    "other name": ({"name": "x"}, "", 400, "must all be"),
    "no version": ({"versions": {}}, "", 400, "one version"),
    "a version that is no object": ({"versions": {"1.0.0": 1}}, "", 400, "an object"),
    "shasum": ({"dist": {"shasum": "0" * 40}}, "", 422, "dist.shasum"),
    "integrity": ({"dist": {"integrity": "sha512-AAAA"}}, "", 422, "dist.integrity"),
    "no digest": ({"dist": {"integrity": None, "shasum": ""}}, "", 400, "digest"),
    "length": ({"attachment": {"length": 1}}, "", 422, "announced"),
    "no base64": ({"attachment": {"data": "!"}}, "", 400, "base64"),
    "empty": ({"attachment": {"data": "", "length": 0}}, "", 400, "no file"),
    "other package inside": ({"body": OTHER}, "", 422, "@acme/other"),
    "other version inside": ({"body": LATER}, "", 422, "1.0.1"),
    "a python package": ({"body": builders.sdist()}, "", 422, "pypi"),
    "no archive": ({"body": b"nothing"}, "", 422, ""),
    "a range for a tag": ({"tag": "x"}, "", 400, "range"),
    "a version for a tag": ({"tag": "v1.2"}, "", 400, "range"),
    "no tag": ({"dist-tags": {}}, "", 400, "dist-tag"),
    "a tag for another version": ({"dist-tags": {"latest": "2.0.0"}}, "", 400, "dist-tag"),
    "strange access": ({"access": "everybody"}, "", 400, "restricted"),
    "another name of the file": ({"_attachments": {"y.tgz": {"data": "QUJD", "length": 3}}}, "", 400, "called"),
    "two files": (
        {"_attachments": {"a.tgz": {"data": "QUJD"}, "b.tgz": {"data": "QUJD"}}}, "", 400, "one tarball",
    ),
    "provenance": (
        {"_attachments": {"@acme/tool-1.0.0.tgz": {"data": "QUJD"}, "@acme/tool-1.0.0.sigstore": {"data": "{}"}}},
        "", 422, "provenance",
    ),
    "no file": ({"_attachments": {"x.txt": {}}}, "", 400, "tarball"),
}  # fmt: skip


def test_what_contradicts_itself_is_refused_with_the_reason(alice_npm: Npm):
    wrong = []
    for case, (change, path, status, why) in REFUSALS.items():
        said = {key: value for key, value in change.items() if key != "body"}
        answer = publish(alice_npm, published(change.get("body", BODY), **said), path or "@acme%2ftool")
        if answer.status_code != status or why not in answer.json()["error"]:
            wrong.append(f"{case}: {answer.status_code} {answer.json()}")
    assert wrong == [], "\n".join(wrong)
    assert not Release.objects.exists()
    assert list(settings.STAGING_DIR.glob("*")) == []


def test_a_second_publish_is_403_in_the_words_that_clients_look_for(alice_npm: Npm):
    """After 409 npm would merge what it finds here and try again."""
    assert publish(alice_npm, published(BODY)).status_code == 201
    answer = publish(alice_npm, published(builders.npm_tarball("@acme/tool", "1.0.0", {"x.js": "other"})))
    assert answer.status_code == 403
    assert "cannot publish over" in answer.json()["error"]
    assert AuditEvent.objects.filter(outcome="refused").count() == 1


def test_a_project_that_asks_for_signatures_says_how_to_publish(cast: Cast):
    answer = publish(Npm(builders.token(cast.alice, "read", "publish")), published(BODY))
    assert answer.status_code == 422
    assert "codesync publish" in answer.json()["error"]


def test_what_is_too_large_is_refused_before_it_is_read(alice_npm: Npm, settings):
    settings.MAX_UPLOAD_MB = 1
    large = published(b"x" * (2**20 + 1))
    assert publish(alice_npm, large).status_code == 413
    told = {"CONTENT_LENGTH": str(12 * 2**20)}
    assert alice_npm.put("/npm/@acme%2ftool", b"{}", "application/json", **told).status_code == 413


@pytest.mark.parametrize("scopes", [(), ("read",)])
def test_who_may_not_publish_is_refused_before_the_body_is_looked_at(cast: Cast, unsigned: None, scopes):
    client = Npm(builders.token(cast.alice, *scopes)) if scopes else Npm()
    answer = client.send("PUT", "@acme%2ftool", {"no": "packument"})
    assert answer.status_code == (403 if scopes else 401)
    assert AuditEvent.objects.filter(outcome="refused").count() == 1


def test_a_stranger_takes_no_name_of_others(alice_npm: Npm, cast: Cast):
    assert publish(alice_npm, published(BODY)).status_code == 201
    answer = publish(Npm(builders.token(cast.mallory)), published(LATER, version="1.0.1"))
    assert (answer.status_code, "another project" in answer.json()["error"]) == (403, True)
    assert Release.objects.count() == 1
