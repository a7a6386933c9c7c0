"""Taking one's data along, and leaving: afterwards nothing of the person is found anywhere."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import audit_export, auditing, privacy, projects, tokens, users
from accounts.actors import SYSTEM
from accounts.errors import Conflict, Forbidden
from accounts.models import ApiToken, AuditEvent, Membership, SigningKey, User
from licensing.models import LicensePolicy
from registry import approving, tasks
from registry.models import Artifact, Decision, Document, Package
from scanning.models import Waiver
from tests import builders
from tests.builders import actor, bearer

pytestmark = pytest.mark.django_db
PASSWORD = "a wide and windy bridge"
TRACES = ("zelda.quux", "zelda.q@quuxmail.example", "griselda", "quuxington")


@pytest.fixture
def zelda(cast, tmp_path) -> User:
    """A maintainer who has published, submitted, decided, signed, made tokens, and was looked at in the admin."""
    person = users.create("zelda.quux", "Zelda.Q@quuxmail.example", SYSTEM, role="maintainer", password=PASSWORD)
    User.objects.filter(pk=person.pk).update(first_name="Griselda", last_name="Quuxington")
    person.refresh_from_db()
    builders.published(person, builders.key_pair(tmp_path), builders.npm_tarball("zeppelin"))
    asked = builders.submitted(person, "left-pad", note="Griselda Quuxington needs it (zelda.q@quuxmail.example)")
    other = builders.submitted(cast.alice, "right-pad", note="zelda.quux knows why")
    tasks.drain()
    approving.approve(other, actor(person), override=True, reason="Seen by zelda.quux.")
    approving.reject(asked, actor(cast.bob), reason="Not for us, Zelda.Quux.")
    tokens.issue(person, "zelda.quux’s laptop", ["read"], actor=actor(person))
    projects.add_member(cast.acme, person, actor(cast.alice))
    people = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(
        user=cast.root, content_type=people, object_id=str(person.pk), object_repr="zelda.quux", action_flag=CHANGE
    )
    Waiver.objects.create(
        owner=person, reason="zelda.quux answers for it", identifier="GHSA-aaaa-bbbb-cccc", ecosystem="npm",
        package="left-pad", version_range="*", project=cast.acme, expires_at=timezone.now() + timedelta(days=9),
    )  # fmt: skip
    LicensePolicy.objects.update_or_create(
        kind="license", key="WTFPL", defaults={"status": "denied", "note": "Ask Griselda.", "changed_by": person}
    )
    browser(person)
    return person


def browser(person: User) -> Client:
    client = Client()
    assert client.login(username=person.username, password=PASSWORD)
    return client


def everything() -> dict[str, str]:
    """All that is stored, table by table, as text; and the keys of the blobs, and the audit exports."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found[table] = "\n".join(_text(value) for row in cursor.fetchall() for value in row)
    kept = Path(settings.STORAGE_URL.removeprefix("file://"))
    found["blobs"] = "\n".join(str(path.relative_to(kept)) for path in kept.rglob("*"))
    for form in audit_export.MEDIA_TYPES:
        found[form] = b"".join(audit_export.lines(AuditEvent.objects.all(), form)).decode()
    found["sessions"] = "\n".join(str(session.get_decoded()) for session in Session.objects.all())
    return found


def _text(value: object) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


def traces() -> set[tuple[str, str]]:
    """Where which trace of zelda stands."""
    return {(place, trace) for place, text in everything().items() for trace in TRACES if trace in text.lower()}


# --- leaving ------------------------------------------------------------------------------------------------------
def test_after_leaving_no_table_blob_name_or_export_holds_a_trace(zelda):
    places = {place for place, _ in traces()}
    assert {"accounts_user", "registry_release", "registry_decision", "registry_artifact"} <= places
    privacy.erase(zelda, actor(zelda))
    assert traces() == set()
    assert auditing.verify() == []


def test_packages_stay_served_and_signatures_verifiable(zelda, client):
    privacy.erase(zelda, actor(zelda))
    artifact = Artifact.objects.get(release__package__name="zeppelin")
    key = SigningKey.objects.get(fingerprint=artifact.signature_fingerprint)
    assert (key.name, key.removed_at is None, artifact.signer) == ("", False, str(zelda.pseudonym))
    assert key.public_key.split()[1] in artifact.signature_public_key
    shown = client.get("/api/v1/packages/zeppelin").json()
    assert shown["versions"][0]["signature"]["signer"] == str(zelda.pseudonym)
    assert Document.objects.get(package__name="zeppelin").body
    answer = client.get("/api/v1/packages/zeppelin/versions/1.0.0/signature")
    assert (answer.status_code, answer.content.decode()) == (200, artifact.signature)
    decision = Decision.objects.get(release__package__name="right-pad", answer="approved")
    assert (decision.by_name, decision.by.username) == (str(zelda.pseudonym), str(zelda.pseudonym))
    assert client.get("/api/v1/packages/right-pad").json()["approved_by"] == str(zelda.pseudonym)


def test_tokens_sessions_and_memberships_end(zelda):
    _, raw = tokens.issue(zelda, "CI", ["read"], actor=actor(zelda))
    inside = browser(zelda)
    privacy.erase(zelda, actor(zelda))
    assert Client().get("/api/v1/me", headers=bearer(raw)).status_code == 401
    assert inside.get("/profile/privacy").status_code == 302
    assert not ApiToken.objects.filter(user=zelda).exists()
    assert not Membership.objects.filter(user=zelda).exists()
    assert not Client().login(username=str(zelda.pseudonym), password=PASSWORD)


def test_the_name_is_free_again_and_leads_to_nothing_old(zelda):
    privacy.erase(zelda, actor(zelda))
    again = users.create("zelda.quux", "other@quuxmail.example", SYSTEM, password=PASSWORD)
    assert again.pseudonym != zelda.pseudonym
    assert not Package.objects.filter(maintainers__user=again).exists()
    assert privacy.export(again, SYSTEM)["registry"]["versions"] == []


def test_a_project_without_another_owner_passes_to_an_admin(zelda, root, acme):
    own = zelda.default_project
    privacy.erase(zelda, actor(zelda))
    assert Membership.objects.get(project=own, role="owner").user == root
    assert not Membership.objects.filter(project=acme, user=root).exists()


def test_the_last_admin_cannot_leave(root):
    with pytest.raises(Conflict, match="only admin"):
        privacy.erase(root, actor(root))
    root.refresh_from_db()
    assert root.username == "root"


def test_nobody_erases_or_exports_another_and_no_token_does(alice, mallory, root):
    for asked in (actor(mallory), actor(root), actor(alice, "read", kind="token")):
        with pytest.raises(Forbidden):
            privacy.erase(alice, asked)
        with pytest.raises(Forbidden):
            privacy.export(alice, asked)


def test_an_eraser_that_fails_leaves_everything_as_it_was(alice, monkeypatch):
    def fail(person: privacy.Identity) -> None:
        raise Conflict("not now")

    monkeypatch.setitem(privacy._contributions, "failing", (lambda user: None, fail))
    with pytest.raises(Conflict):
        privacy.erase(alice, actor(alice))
    assert User.objects.filter(username="alice", is_active=True).exists()
    assert not AuditEvent.objects.filter(action="user.erased").exists()


# --- the pages ----------------------------------------------------------------------------------------------------
def test_the_download_holds_all_that_concerns_the_person_and_no_secret(zelda):
    answer = browser(zelda).post("/profile/privacy/download")
    data = json.loads(answer.content)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert "no-store" in answer.headers["Cache-Control"]
    assert data["person"]["email"] == "Zelda.Q@quuxmail.example"
    assert {one["package__name"] for one in data["registry"]["versions"]} == {"zeppelin", "left-pad"}
    assert [one["answer"] for one in data["registry"]["decisions"]] == ["approved"]
    assert [one["identifier"] for one in data["scanning"]["waivers"]] == ["GHSA-aaaa-bbbb-cccc"]
    assert [one["key"] for one in data["licensing"]["policy"]] == ["WTFPL"]
    assert [one["filename"] for one in data["registry"]["signatures"]] == ["zeppelin-1.0.0.tgz"]
    assert [one["name"] for one in data["tokens"]] == ["zelda.quux’s laptop"]
    assert data["signing_keys"][0]["fingerprint"].startswith("SHA256:")
    assert "session.opened" in {event["action"] for event in data["audit_events"]}
    assert ApiToken.objects.get(user=zelda).digest not in answer.content.decode()
    assert zelda.password not in answer.content.decode()


def test_the_page_deletes_only_with_the_password(zelda):
    client = browser(zelda)
    page = client.get("/profile/privacy").content.decode()
    assert "Download my data" in page
    assert "Delete my account" in page
    wrong = client.post("/profile/privacy/delete", {"password": "not mine"})
    assert (wrong.status_code, "not your password" in wrong.content.decode()) == (400, True)
    assert User.objects.filter(username="zelda.quux").exists()
    gone = client.post("/profile/privacy/delete", {"password": PASSWORD})
    assert (gone.status_code, gone.headers["Location"]) == (302, "/")
    assert not User.objects.filter(username="zelda.quux").exists()
    assert client.get("/profile/privacy").status_code == 302


def test_strangers_are_sent_to_sign_in(client):
    assert client.get("/profile/privacy").headers["Location"].startswith("/sign-in")
    assert client.post("/profile/privacy/delete", {"password": "x"}).status_code == 401
