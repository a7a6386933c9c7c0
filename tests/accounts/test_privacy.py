"""Taking one's data along, and leaving: afterwards nothing of the person is found anywhere."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import audit_export, auditing, privacy, projects, tokens, users, web_login
from accounts.actors import SYSTEM
from accounts.errors import Conflict, Forbidden
from accounts.models import ApiToken, AuditEvent, Membership, SigningKey, User
from licensing.models import LicensePolicy
from registry import approving, tasks
from registry.mirrors import following
from registry.mirrors.models import Mirror
from registry.models import (
    Artifact,
    Decision,
    Document,
    DownloadRecord,
    Package,
    Product,
    ProductGrant,
    ReleasePin,
    TrustedPublisher,
)
from registry.upstreams.models import SyncRun
from registry.webhooks import announcing
from registry.webhooks.models import Webhook
from scanning.models import Advisory, Notice, RecallLetter, ScanPolicy, Waiver
from tests import builders
from tests.builders import actor, bearer

pytestmark = pytest.mark.django_db
PASSWORD = "a wide and windy bridge"
# Every table that points at a person, and where the person finds its rows in what they take along.
HELD = {
    "admin.LogEntry.user": "administration",
    "account.EmailAddress.user": "email_addresses",
    "socialaccount.SocialAccount.user": "github",
    "mfa.Authenticator.user": "second_factor",
    "accounts.Membership.user": "projects",
    "accounts.SigningKey.user": "signing_keys",
    "accounts.ApiToken.user": "tokens",
    "accounts.User_groups.user": "groups",
    "accounts.WebLogin.user": "terminals",
    "registry.Decision.by": "registry.decisions",
    "registry.DownloadRecord.user": "registry.downloads",
    "registry.PackageMaintainer.user": "registry.maintains",
    "registry.ProductGrant.granted_by": "registry.granted",
    "registry.ReleasePin.pinned_by": "registry.pinned",
    "registry.Release.submitted_by": "registry.versions",
    "registry.TrustedPublisher.created_by": "registry.trusts",
    "webhooks.Webhook.created_by": "registry.webhooks",
    "upstreams.SyncRun.asked_by": "upstreams.sync_runs",
    "licensing.LicensePolicy.changed_by": "licensing.policy",
    "scanning.Notice.user": "scanning.notices",
    "scanning.RecallLetter.user": "scanning.recalls",
    "scanning.ScanPolicy.changed_by": "scanning.policies",
    "scanning.Waiver.owner": "scanning.waivers",
    "scanning.Waiver.ended_by": "scanning.waivers",
}
# The portal gives no permission to single people, and projects know their members by memberships.
NOT_USED = {"accounts.User_user_permissions.user"}
TRACES = ("zelda.quux", "zelda.q@quuxmail.example", "griselda", "quuxington")


@pytest.fixture
def zelda(cast, tmp_path) -> User:
    """A maintainer who has published, submitted, decided, signed, made tokens, and was looked at in the admin."""
    person = users.create("zelda.quux", "Zelda.Q@quuxmail.example", SYSTEM, role="maintainer", password=PASSWORD)
    User.objects.filter(pk=person.pk).update(first_name="Griselda", last_name="Quuxington")
    person.refresh_from_db()
    by = "Griselda Quuxington <zelda.q@quuxmail.example>"
    words = {"README.md": f"# zeppelin\nBy {by}", "LICENSE": "MIT\nCopyright Griselda Quuxington"}
    archive = builders.npm_tarball("zeppelin", files=words, author=by, description=f"By {by}", keywords=["zelda.quux"])
    made = builders.published(person, builders.key_pair(tmp_path), archive)
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
    hook = Webhook.objects.create(
        project=cast.acme, url="https://x.example/", created_by=person, description="Griselda"
    )
    announcing.send_to([hook], "release.rejected", {"reason": "zelda.quux said so"})
    _leave_traces_elsewhere(person, cast, made)
    return person


def _leave_traces_elsewhere(person: User, cast, release) -> None:
    """In the tables of signing in, the records of downloads and the policy of scans; and refusals of every kind."""
    LogEntry.objects.create(user=person, object_repr="zelda.quux’s", action_flag=CHANGE)
    SocialAccount.objects.create(user=person, provider="github", uid="77", extra_data={"login": "zelda.quux"})
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    terminal, _secret = web_login.begin("192.0.2.7", "a program of zelda.quux")
    web_login.confirm(terminal, actor(person))
    Authenticator.objects.create(user=person, type="totp", data={"secret": "zelda.quux"})
    DownloadRecord.objects.create(release=release, day=timezone.now().date(), credential="session:1", user=person)
    ScanPolicy.objects.update_or_create(project=cast.acme, defaults={"changed_by": person})
    product = Product.objects.create(package=builders.package(cast.acme, "zipped", "generic"))
    token, _ = tokens.issue(cast.alice, "pipeline", ["read"], actor=actor(cast.alice))
    ProductGrant.objects.create(product=product, token=token, granted_by=person, download=True)
    ReleasePin.objects.create(release=release, pinned_by=person)
    TrustedPublisher.objects.create(package=product.package, subject="zelda.quux/tools", created_by=person)
    SyncRun.objects.create(asked_by=person)
    Waiver.objects.update(ended_by=person, ended_at=timezone.now())
    Notice.objects.create(user=person, event="1", title="zelda.quux’s thing", text="By zelda.quux")
    Notice.objects.create(user=cast.alice, event="2", title="Recall", text="taken by zelda.quux for the project acme")
    flaw = Advisory.objects.create(osv_id="GHSA-1", modified_at=timezone.now(), digest="1")
    RecallLetter.objects.create(advisory=flaw, user=person, release=release, through=timezone.now())
    client = browser(person)
    for name, password in (("zelda.quux", "wrong"), ("Zelda.Q@quuxmail.example", PASSWORD)):
        assert not Client().login(username=name, password=password)
    file = SimpleUploadedFile("zelda.quux-1.0.tgz", b"nothing that could be read")
    assert client.post("/api/v1/packages/publish", {"file": file}).status_code >= 400
    token, raw = tokens.issue(person, "CI of Griselda", ["read"], actor=actor(person))
    assert Client().get("/api/v1/me", headers=bearer(raw)).status_code == 200
    tokens.revoke(token, actor(person))


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
    found["files"] = files()
    found["sessions"] = "\n".join(str(session.get_decoded()) for session in Session.objects.all())
    return found


def _text(value: object) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


def people_are_named_in() -> set[str]:
    """Every column of every table that points at a person, as `app.Model.field`."""
    found = set()
    for model in apps.get_models(include_auto_created=True):
        columns = [field for field in model._meta.concrete_fields if field.remote_field]
        found |= {f"{model._meta.label}.{field.name}" for field in columns if field.related_model is User}
    return found


def rows_of(column: str, person: User) -> int:
    label, _, field = column.rpartition(".")
    return apps.get_model(label)._default_manager.filter(**{field: person}).count()


def files() -> str:
    """The names of all files that the portal keeps, and what stands in those that are neither blobs nor a database."""
    found = []
    for place in (Path(settings.DATA_DIR), Path(settings.STORAGE_URL.removeprefix("file://")), settings.STAGING_DIR):
        for path in (one for one in Path(place).rglob("*") if one.is_file()):
            found.append(path.name)
            if not re.fullmatch(r"[0-9a-f]{64}(\.\d+)?|.*\.sqlite3(_gw\d+)?(-\w+)?", path.name):
                found.append(path.read_bytes().decode("latin-1"))
    return "\n".join(found)


def traces() -> set[tuple[str, str]]:
    """Where which trace of zelda stands."""
    return {(place, trace) for place, text in everything().items() for trace in TRACES if trace in text.lower()}


# --- what is held ---------------------------------------------------------------------------------------------------
def test_every_table_that_points_at_people_is_told_to_them(zelda):
    """A new one fails here until it is exported, erased, and zelda has a row in it."""
    assert people_are_named_in() == set(HELD) | NOT_USED
    assert {column for column in HELD if not rows_of(column, zelda)} == set()
    data = privacy.export(zelda, actor(zelda))
    for column, place in HELD.items():
        told = data
        for step in place.split("."):
            told = told[step]
        assert told, column


# --- leaving ------------------------------------------------------------------------------------------------------
def test_after_leaving_no_table_file_blob_name_or_export_holds_a_trace(zelda, tmp_path):
    """Searched: every column of every table, indexes of search included; the mirrors are told, too."""
    storage = f"file://{settings.STORAGE_URL.removeprefix('file://')}/mirror"
    Mirror.objects.create(region="fra", city="Frankfurt", country="DE", storage_url=storage)
    following.catch_up()
    tasks.drain()
    places = {place for place, _ in traces()}
    assert {"accounts_user", "registry_release", "registry_decision", "registry_artifact"} <= places
    assert {"registry_releasemanifest", "registry_document", "socialaccount_socialaccount", "files"} <= places
    privacy.erase(zelda, actor(zelda))
    following.catch_up()
    tasks.drain()
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
    assert Document.objects.get(package__name="zeppelin", kind="detail").body
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
    assert [one["name"] for one in data["tokens"]] == ["CI of Griselda", "zelda.quux’s laptop"]
    assert data["signing_keys"][0]["fingerprint"].startswith("SHA256:")
    assert "session.opened" in {event["action"] for event in data["audit_events"]}
    assert not any(token.digest in answer.content.decode() for token in ApiToken.objects.filter(user=zelda))
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
