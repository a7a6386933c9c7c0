"""What twine and `uv publish` send: files one by one, each checked before it is served, nothing believed."""

import base64
import hashlib
import json

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import AuditEvent, Project
from registry import approving, checking, gates, tasks
from registry.errors import Conflict
from registry.models import Artifact, Check, Decision, Release
from tests import builders
from tests.builders import Cast
from tests.protocols.pypi.conftest import Pip, read

WHEEL, SDIST = "acme_utils-1.2.0-py3-none-any.whl", "acme_utils-1.2.0.tar.gz"
LINUX = "acme_utils-1.2.0-cp311-cp311-linux_x86_64.whl"
FIELDS = {"requires_dist": ["six>=1"], "requires_python": ">=3.8"}


def wheel(tag: str = "py3-none-any", **fields) -> bytes:
    return builders.wheel("acme-utils", "1.2.0", tag, **{**FIELDS, **fields})


def sdist(**fields) -> bytes:
    return builders.sdist("acme-utils", "1.2.0", **{**FIELDS, **fields})


def attestation(body: bytes, filename: str, **changes) -> dict:
    """One in the shape of PEP 740, whose statement speaks of the file; nothing in it is signed for real."""
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": filename, "digest": {"sha256": hashlib.sha256(body).hexdigest()}}],
        "predicateType": "https://docs.example/attestations/publish/v1",
        "predicate": None,
        **changes,
    }
    text = {name: base64.b64encode(raw).decode() for name, raw in {"signature": b"s", "certificate": b"c"}.items()}
    return {
        "version": 1,
        "verification_material": {"certificate": text["certificate"], "transparency_entries": [{}]},
        "envelope": {
            "statement": base64.b64encode(json.dumps(statement).encode()).decode(),
            "signature": text["signature"],
        },
    }


def test_an_upload_is_kept_and_told_where_it_is_judged(twine: Pip, nobody: Pip):
    answer = twine.upload(wheel(), WHEEL, name="Acme.Utils", version="1.2")
    said = answer.json()

    assert (answer.status_code, said["status"], said["filename"]) == (200, "pending", WHEEL)
    assert said["url"] == "http://testserver/packages/pypi/acme-utils/versions/1.2.0"
    assert said["url"] in said["message"]
    held = nobody.ask(f"files/acme-utils/1.2.0/{WHEEL}")
    assert (held.status_code, held.reason_phrase[:38]) == (403, "This version is not approved yet. Its ")
    tasks.drain()
    assert nobody.ask(f"files/acme-utils/1.2.0/{WHEEL}").status_code == 200


def test_a_file_that_comes_late_sends_all_of_its_version_back(twine: Pip, nobody: Pip, utils: Release):
    """Nothing of what nobody has judged leaves, not even for the moment between two checks."""
    answer = twine.upload(wheel("cp311-cp311-linux_x86_64", requires_dist=["six>=1", "attrs"]), LINUX)
    assert (answer.status_code, answer.json()["status"]) == (200, "pending")

    for name in (WHEEL, SDIST, LINUX):
        assert nobody.ask(f"files/acme-utils/1.2.0/{name}").status_code == 403
    assert nobody.ask("simple/acme-utils/").json()["files"] == []
    tasks.drain()
    page = nobody.ask("simple/acme-utils/").json()
    assert {file["filename"] for file in page["files"]} == {WHEEL, SDIST, LINUX}
    assert read(nobody.ask(f"files/acme-utils/1.2.0/{LINUX}"))
    utils.refresh_from_db()
    assert sorted(utils.dependencies.values_list("name", flat=True)) == ["attrs", "six"]
    decided = Decision.objects.filter(release=utils).first()
    assert decided.sha256 == utils.files_sha256 != utils.sha256
    printed = "".join(f"{one.sha256}  {one.filename}\n" for one in Artifact.objects.order_by("filename"))
    assert decided.sha256 == hashlib.sha256(printed.encode()).hexdigest()
    event = AuditEvent.objects.filter(action="release.join").latest("seq")
    assert (event.details["file"], event.details["before"]) == (LINUX, "approved")


def test_a_decision_on_fewer_files_than_there_are_is_none(cast: Cast, twine: Pip):
    Project.objects.update(review_policy="manual")
    twine.upload(wheel(), WHEEL)
    tasks.drain()
    seen = Release.objects.get()
    twine.upload(sdist(), SDIST)
    tasks.drain()
    with pytest.raises(Conflict, match="not the one that was reviewed"):
        approving.approve(seen, builders.actor(cast.bob), sha256=seen.reviewed_sha256)
    reviewer = Client()
    reviewer.force_login(cast.bob)
    review = reverse("admin:review", args=[seen.pk])
    assert f"{reverse('admin:review-archive', args=[seen.pk])}?file={SDIST}" in reviewer.get(review).content.decode()
    assert read(reviewer.get(reverse("admin:review-archive", args=[seen.pk]), {"file": SDIST})) == sdist()
    seen.refresh_from_db()
    assert approving.approve(seen, builders.actor(cast.bob), sha256=seen.reviewed_sha256).status == "approved"
    late = twine.upload(wheel("cp311-cp311-linux_x86_64"), LINUX)
    assert late.status_code == 403
    assert "a maintainer has approved it with the files that it had" in late.reason_phrase


def test_an_approval_on_its_way_does_not_cover_a_file_that_joins_meanwhile(
    cast: Cast, twine: Pip, monkeypatch: pytest.MonkeyPatch
):
    Project.objects.update(review_policy="manual")
    twine.upload(wheel(), WHEEL)
    tasks.drain()
    ask = gates.ask

    def slow(question: str, subject: object, actor: Actor) -> list[gates.Verdict]:
        found = ask(question, subject, actor)
        if question == "approving":
            twine.upload(sdist(), SDIST)
        return found

    monkeypatch.setattr(gates, "ask", slow)
    with pytest.raises(Conflict, match="A file has joined this version meanwhile"):
        approving.approve(Release.objects.get(), builders.actor(cast.bob))
    assert Release.objects.get().status == "pending"


def test_what_a_check_finds_while_a_file_joins_is_not_taken(twine: Pip, monkeypatch: pytest.MonkeyPatch):
    """The check has looked at the first file alone; it is asked again for both."""
    twine.upload(wheel(), WHEEL)
    release, looks = Release.objects.get(), []
    look = checking.check_integrity

    def slow(of: Release) -> checking.Result:
        looks.append(of.artifacts.count())
        found = look(of)
        if len(looks) == 1:
            assert twine.upload(sdist(), SDIST).status_code == 200
        return found

    monkeypatch.setattr(checking, "check_integrity", slow)
    checking.run_checks(tasks.Job.objects.get(kind="check", ref=str(release.pk)))
    release.refresh_from_db()
    assert Check.objects.get(release=release, name="integrity").status == "pending"
    assert release.status == "pending"
    tasks.drain()
    release.refresh_from_db()
    assert (looks[-1], release.status) == (2, "approved")


@pytest.mark.parametrize(("days", "status"), [(13, 200), (15, 403)])
def test_a_version_takes_files_for_two_weeks(twine: Pip, utils: Release, days: int, status: int):
    with time_machine.travel(timezone.now() + timezone.timedelta(days=days), tick=False):
        answer = twine.upload(wheel("cp311-cp311-linux_x86_64"), LINUX)
    assert answer.status_code == status
    assert status == 200 or "it came more than 14 days ago" in answer.reason_phrase


@pytest.mark.parametrize("state", ["quarantined", "rejected", "unlisted"])
def test_what_was_decided_against_takes_no_file(twine: Pip, utils: Release, state: str):
    change = {"unlisted_at": timezone.now()} if state == "unlisted" else {"status": state}
    Release.objects.filter(pk=utils.pk).update(**change)
    answer = twine.upload(wheel("cp311-cp311-linux_x86_64"), LINUX)
    assert (answer.status_code, f"it is {state}" in answer.reason_phrase) == (403, True)


@pytest.mark.parametrize("body", [wheel(), wheel(summary="Other bytes")], ids=["the same", "other bytes"])
def test_a_file_that_is_there_is_refused_in_the_words_that_twine_skips_by(twine: Pip, utils: Release, body: bytes):
    answer = twine.upload(body, WHEEL)
    assert answer.status_code == 409
    assert "already exist" in answer.reason_phrase
    assert "already exist" in answer.content.decode()
    utils.refresh_from_db()
    assert utils.status == "approved"


@pytest.mark.parametrize(
    ("change", "status", "why"),
    [
        ({"md5_digest": "0" * 32}, 400, "The md5 digest sent along is not that of the file"),
        ({"sha256_digest": "0" * 64}, 400, "The sha256 digest sent along is not that of the file"),
        ({"blake2_256_digest": "0" * 64}, 400, "The blake2_256 digest sent along is not that of the file"),
        ({"name": "other"}, 400, "The file is acme-utils 1.2.0, and the fields sent along say other"),
        ({"version": "1.3.0"}, 400, "The file is acme-utils 1.2.0, and the fields sent along say"),
        ({":action": "doc_upload"}, 400, "This address takes :action=file_upload alone."),
        ({"name": ["acme-utils", "acme-utils"]}, 400, "This part came twice"),
        ({"description": "x" * 5 * 2**20}, 413, "larger than"),
        ({"attestations": "[]"}, 400, "attestations"),
    ],
)
def test_what_is_said_beside_the_file_must_be_true(twine: Pip, change: dict, status: int, why: str):
    answer = twine.upload(wheel(), WHEEL, **change)
    assert (answer.status_code, why in answer.json()["error"]) == (status, True), answer.content
    assert not Release.objects.exists()


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"license": "GPL-3.0"}, "license"), ({"requires_python": ">=2"}, "Requires-Python")],
)
def test_a_file_that_contradicts_its_version_is_refused(twine: Pip, utils: Release, fields: dict, why: str):
    answer = twine.upload(wheel("cp311-cp311-linux_x86_64", **fields), LINUX)
    assert (answer.status_code, f"The file has the {why}" in answer.reason_phrase) == (422, True)


def test_who_may_not_publish_is_told_in_the_status_line(cast: Cast, twine: Pip, utils: Release):
    body = wheel("cp311-cp311-linux_x86_64")
    answer = Pip().upload(body, LINUX)
    assert (answer.status_code, answer["WWW-Authenticate"][:5]) == (401, "Basic")
    for raw, why in (
        (builders.token(cast.alice, "read"), "lacks the scope"),
        (builders.token(cast.mallory, "publish"), "belongs to another project"),
    ):
        answer = Pip(raw).upload(body, LINUX)
        assert (answer.status_code, why in answer.reason_phrase) == (403, True), answer.reason_phrase
    Project.objects.update(signature_policy=Project.SignaturePolicy.REQUIRED)
    answer = twine.upload(body, LINUX)
    assert (answer.status_code, "takes signed archives only" in answer.reason_phrase) == (422, True)


def test_the_base_of_a_project_puts_the_package_there(cast: Cast, twine: Pip):
    assert Pip(builders.token(cast.alice, "publish"), "/pypi/acme/").upload(wheel(), WHEEL).status_code == 200
    assert Release.objects.get().project.slug == "acme"
    assert Pip(builders.token(cast.mallory, "publish"), "/pypi/acme/").upload(sdist(), SDIST).status_code == 403


def test_attestations_are_served_as_provenance_beside_the_file_that_they_speak_of(twine: Pip, nobody: Pip):
    body = wheel()
    said = [attestation(body, WHEEL)]
    wrong = {
        "speaks of other bytes": [attestation(b"other", WHEEL)],
        "speaks of another file": [attestation(body, "other-1.0.tar.gz")],
        "of an unknown type": [attestation(body, WHEEL, predicateType="https://x.test")],
        "two of one kind": said * 2,
    }
    for why, sent in wrong.items():
        answer = twine.upload(body, WHEEL, attestations=json.dumps(sent))
        assert (answer.status_code, why in answer.json()["error"]) == (400, True), answer.content
    assert twine.upload(body, WHEEL, attestations=json.dumps(said)).status_code == 200
    path = f"files/acme-utils/1.2.0/{WHEEL}.provenance"
    assert nobody.ask(path).status_code == 403
    tasks.drain()

    file = nobody.ask("simple/acme-utils/").json()["files"][0]
    assert file["provenance"] == f"http://testserver/pypi/{path}"
    answer = nobody.ask(path)
    assert answer["Content-Type"] == "application/vnd.pypi.integrity.v1+json"
    bundle = answer.json()["attestation_bundles"][0]
    assert (bundle["attestations"], bundle["publisher"]["verified"]) == (said, False)
    assert nobody.ask(f"integrity/acme-utils/1.2.0/{WHEEL}/provenance").content == answer.content


@pytest.mark.once  # one connection carries both uploads, which psycopg would not
@pytest.mark.django_db(transaction=True)
def test_an_upload_is_answered_though_another_file_joins_at_once(twine: Pip):
    done: list[int] = []

    def meanwhile(execute, sql, *rest):
        reads = sql.startswith("SELECT") and "registry_artifact" in sql and not connection.in_atomic_block
        if not done and reads and Release.objects.exists():
            done.append(0)
            done.append(twine.upload(sdist(), SDIST).status_code)
        return execute(sql, *rest)

    with connection.execute_wrapper(meanwhile):
        assert twine.upload(wheel(), WHEEL).status_code == 200
    assert done == [0, 200]
