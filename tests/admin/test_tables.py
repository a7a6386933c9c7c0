"""Every table of the admin opens, for those who may, in few queries; rows that are history cannot be written."""

import re
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import auditing, projects, tokens, users
from accounts.actors import SYSTEM
from accounts.models import ApiToken, AuditEvent, SigningKey, User
from licensing.models import LicensePolicy
from registry import documents
from registry.models import Blob, Decision, DownloadCount, DownloadRecord, Job, Package, Release
from scanning.models import Advisory, AdvisorySource, AffectedPackage, Finding, Scan, ToolResult, Waiver
from tests import builders
from tests.admin import queue_rows
from tests.builders import Cast

pytestmark = pytest.mark.django_db
TABLES = sorted(admin.site._registry.items(), key=lambda item: item[0]._meta.label)
LABELS = [model._meta.label for model, _table in TABLES]
HISTORY = {
    "accounts.ApiToken", "accounts.AuditEvent", "accounts.SigningKey", "registry.Artifact", "registry.Blob",
    "registry.Change", "registry.Check", "registry.Decision", "registry.Document", "registry.DownloadCount",
    "registry.DownloadRecord", "registry.Job", "registry.Release", "scanning.Advisory", "scanning.Finding",
    "scanning.Scan",
}  # fmt: skip
PEOPLE_LOOK_UP = HISTORY | {
    "accounts.User", "accounts.Project", "accounts.Membership", "registry.Package", "licensing.LicensePolicy",
    "scanning.AdvisorySource", "scanning.Waiver",
}  # fmt: skip


@pytest.fixture
def room(cast: Cast) -> Release:
    """At least one row in every table, several where queries could multiply."""
    troubled = queue_rows.full_queue(cast)
    actor = builders.actor(cast.bob)
    for number, release in enumerate(Release.objects.select_related("package")[:8]):
        documents.rebuild(release.package, "changed", release)
        Decision.objects.create(
            release=release, answer="approved", by=cast.bob, by_name="bob", pseudonym="p", sha256=release.sha256,
            verdicts=[{"gate": "checks", "answer": "allow"}], checks=[{"name": "license", "status": "passed"}],
        )  # fmt: skip
        day = timezone.now().date() - timedelta(days=number)
        DownloadCount.objects.create(release=release, package=release.package, day=day, count=number)
        DownloadRecord.objects.create(release=release, day=day, credential="token:1", user=cast.alice, count=1)
        Job.objects.create(
            kind="check", ref=str(release.pk), dedupe_key=f"check:{number}", state=("open", "dead")[number % 2]
        )
        blob = Blob.objects.create(sha256=f"{number:064d}", size=10, state="ready")
        release.artifacts.update(blob=blob)
        scan = Scan.objects.create(release=release, status="failed", counts={"high": 1}, tools_used=["osv"])
        Finding.objects.create(
            scan=scan, identifier="CVE-1", ecosystem="npm", package="a", version="1", severity="high"
        )
        advisory = Advisory.objects.create(osv_id=f"GHSA-{number}", modified_at=timezone.now(), digest=str(number))
        AffectedPackage.objects.create(advisory=advisory, ecosystem="npm", name="a", normalized="a")
        AdvisorySource.objects.create(name=f"feed {number}", url="https://feeds.example", failures=number % 2)
        ApiToken.objects.create(
            user=cast.alice, name="ci", prefix="sk_live_abc", digest=str(number), scopes=["read"],
            expires_at=timezone.now() + timedelta(days=3), project=cast.acme,
        )  # fmt: skip
        SigningKey.objects.create(
            user=cast.alice, name="k", algorithm="ed25519", public_key="k", fingerprint=f"F{number}"
        )
        Waiver.objects.create(
            owner=cast.bob, reason="known", identifier=f"CVE-{number}", ecosystem="npm", package="a",
            version_range="*", project=cast.acme, expires_at=timezone.now() + timedelta(days=1),
        )  # fmt: skip
        ToolResult.objects.create(scan=scan, release=release, tool="osv", status="good", began_at=timezone.now())
        auditing.record("release.looked-at", f"npm:thing-{number}", actor, details={"why": ["a", {"b": 1}]})
    users.sync_groups()
    return troubled


def url(model, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_every_model_people_look_up_has_a_table():
    assert set(LABELS) >= PEOPLE_LOOK_UP


def test_every_list_opens_in_a_fixed_number_of_queries(as_bob, room):
    problems: dict[str, Any] = {}
    for model, _table in TABLES:
        with CaptureQueriesContext(connection) as captured:
            page = as_bob.get(url(model, "changelist"))
        assert page.status_code == 200, model
        assert "<style" not in page.content.decode(), model
        shapes = Counter(re.sub(r"'[^']*'|\b\d+\b", "?", query["sql"]) for query in captured)
        if len(captured) > 16 or max(shapes.values()) > 2:
            problems[model._meta.label] = (len(captured), shapes.most_common(1))
    assert not problems, f"a query per row: {problems}"


def test_every_row_opens(as_bob, as_root, room):
    for model, _table in TABLES:
        row = model._default_manager.first()
        assert row is not None or model._meta.label not in PEOPLE_LOOK_UP, model
        for client in (as_bob, as_root):
            if row is not None:
                assert client.get(url(model, "change", row.pk)).status_code == 200, model


def test_every_list_can_be_searched_filtered_and_sorted(as_root, room):
    for model, table in TABLES:
        listing = url(model, "changelist")
        order = ".".join(str(column) for column in range(1, len(table.list_display) + 1))
        for query in ({"q": "left-pad"}, {"_facets": "True"}, {"o": order}):
            assert as_root.get(listing, query).status_code == 200, (model, query)
        if model._meta.label in PEOPLE_LOOK_UP:
            assert table.search_fields, model
            assert table.list_filter, model
            assert table.search_help_text, model


def test_history_is_not_written_by_anybody(as_root, room):
    for model in (model for model, _table in TABLES if model._meta.label in HISTORY):
        row = model._default_manager.first()
        assert as_root.get(url(model, "add")).status_code == 403, model
        assert as_root.post(url(model, "change", row.pk), {}).status_code == 403, model
        assert as_root.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403, model
        assert model._default_manager.filter(pk=row.pk).exists()


def test_developers_and_strangers_see_no_table(client, as_alice, cast):
    for model, _table in TABLES:
        for browser in (client, as_alice):
            page = browser.get(url(model, "changelist"))
            assert (page.status_code, page.url.partition("?")[0]) == (302, "/admin/login/"), model


def test_a_maintainer_reads_where_an_admin_writes(as_bob, as_root, room):
    for model, _table in TABLES:
        if model._meta.label in HISTORY or model is Waiver:
            continue
        row = model._default_manager.first()
        assert as_root.get(url(model, "add")).status_code in (200, 403), model
        assert as_bob.get(url(model, "add")).status_code == 403, model
        if row is not None:
            assert as_bob.post(url(model, "change", row.pk), {}).status_code == 403, model


def test_the_tables_stay_within_reach(as_bob, room):
    text = as_bob.get("/admin/tables/").content.decode()
    for label in PEOPLE_LOOK_UP:
        app, _dot, name = label.lower().partition(".")
        assert f"/admin/{app}/{name}/" in text
    assert "/admin/tables/" in as_bob.get("/admin/").content.decode()


# --- what may be done ------------------------------------------------------------------------------------------------
def act(client, model, action: str, *rows) -> str:
    form = {"action": action, "_selected_action": [row.pk for row in rows], "index": 0}
    page = client.post(url(model, "changelist"), form, follow=True)
    return " ".join(str(message) for message in page.context["messages"])


def test_a_token_shows_no_value_and_can_be_revoked(as_root, alice):
    token, raw = tokens.issue(alice, "ci", ["read"], actor=builders.actor(alice))
    page = as_root.get(url(ApiToken, "change", token.pk)).content.decode()
    assert raw not in page
    assert token.digest not in page
    assert "1 token no longer works." in act(as_root, ApiToken, "revoke", token)
    assert tokens.resolve(raw) is None
    assert AuditEvent.objects.filter(action="token.revoked").exists()


def test_a_maintainer_revokes_nobodys_token(as_bob, alice):
    token, raw = tokens.issue(alice, "ci", ["read"], actor=builders.actor(alice))
    act(as_bob, ApiToken, "revoke", token)
    assert tokens.resolve(raw) == token


def test_a_signing_key_can_be_removed(as_root, alice):
    key = SigningKey.objects.create(user=alice, name="k", algorithm="ed25519", public_key="k", fingerprint="F")
    assert "1 key signs nothing new." in act(as_root, SigningKey, "remove", key)
    key.refresh_from_db()
    assert key.removed_at is not None


def test_a_dead_job_runs_again_and_a_waiting_one_before_its_time(as_root, room):
    dead, (waiting, running) = Job.objects.filter(state="dead").first(), Job.objects.filter(state="open")[:2]
    later = timezone.now() + timedelta(hours=1)
    Job.objects.filter(pk=waiting.pk).update(due_at=later, attempts=5)
    Job.objects.filter(pk=running.pk).update(lease_until=later, attempts=1)
    assert "2 jobs run again." in act(as_root, Job, "retry", dead, waiting, running)
    again = Job.objects.filter(pk__in=(dead.pk, waiting.pk))
    assert [(job.state, job.attempts, job.due_at < later) for job in again] == [("open", 0, True)] * 2
    assert Job.objects.get(pk=running.pk).attempts == 1


def test_a_release_is_unlisted_and_restored_by_admins_alone(as_root, as_bob, room):
    act(as_bob, Release, "unlist", room)
    room.refresh_from_db()
    assert room.unlisted_at is None
    assert "1 unlisted." in act(as_root, Release, "unlist", room)
    assert "unlisted already" in act(as_root, Release, "unlist", room)
    assert "1 restored." in act(as_root, Release, "restore", room)
    room.refresh_from_db()
    assert room.unlisted_at is None


def test_a_new_person_gets_a_role_its_group_and_a_project(as_root, cast):
    form = {"username": "carol", "email": "carol@example.com", "role": "maintainer", "usable_password": "true"}
    form |= {"password1": builders.PASSWORD, "password2": builders.PASSWORD}
    form |= {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
    page = as_root.post(url(User, "add"), form)
    assert page.status_code == 302
    carol = User.objects.get(username="carol")
    assert (carol.role, carol.is_staff, carol.is_superuser) == ("maintainer", True, False)
    assert list(carol.groups.values_list("name", flat=True)) == ["maintainer"]
    assert projects.default_for(carol) is not None
    assert AuditEvent.objects.filter(action="user.created").exists()


def test_a_role_that_is_taken_away_takes_its_flags_along(as_root, bob):
    form = {"username": "bob", "email": bob.email, "role": "developer", "is_active": "on"}
    form |= {"first_name": "", "last_name": "", "default_project": str(bob.default_project_id)}
    form |= {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
    assert as_root.post(url(User, "change", bob.pk), form).status_code == 302
    bob.refresh_from_db()
    assert (bob.role, bob.is_staff) == ("developer", False)
    event = AuditEvent.objects.get(action="user.role_changed")
    assert event.details == {"from": "maintainer", "to": "developer"}


def test_a_package_made_private_is_private_in_its_document_at_once(as_root, cast):
    package = builders.package(cast.acme, "left-pad")
    builders.release(package)
    documents.rebuild(package)
    form = {"project": str(cast.acme.pk), "visibility": "private", "category": ""}
    for prefix in ("maintainers", "dist_tags"):
        form |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    assert as_root.post(url(Package, "change", package.pk), form).status_code == 302
    document = documents.read("left-pad", "npm")
    assert document is not None
    assert document.private


def test_people_are_found_in_the_audit_trail_by_name(as_bob, bob, room):
    page = as_bob.get(url(AuditEvent, "changelist"), {"q": "bob"})
    text = page.content.decode()
    assert page.context["cl"].result_count >= 8
    assert "bob</td>" in text
    assert f'"field-who">{bob.pseudonym}' not in text


def test_writing_in_a_table_is_in_the_audit_trail(as_root, root):
    as_root.post(url(LicensePolicy, "add"), {"kind": "license", "key": "WTFPL", "status": "denied", "note": "Rude."})
    event = AuditEvent.objects.get(action="license_policy.changed")
    assert (event.actor, event.object) == (str(root.pseudonym), "license:WTFPL")


# --- policy and waivers ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "key"), [("license", "GPL3"), ("license", ""), ("category", "nice"), ("license", "gpl-2.0-only")]
)
def test_a_line_about_nothing_is_refused(as_root, kind, key):
    before = LicensePolicy.objects.count()
    page = as_root.post(url(LicensePolicy, "add"), {"kind": kind, "key": key, "status": "denied", "note": ""})
    assert page.status_code == 200
    assert LicensePolicy.objects.count() == before


def test_a_changed_line_is_signed_and_judged_again_in_the_worker(as_root, root):
    line = LicensePolicy.objects.get(kind="license", key="MIT") if _has_mit() else LicensePolicy.objects.first()
    form = {"kind": line.kind, "key": line.key, "status": "denied", "note": "For the test."}
    assert as_root.post(url(LicensePolicy, "change", line.pk), form).status_code == 302
    line.refresh_from_db()
    assert (line.status, line.changed_by) == ("denied", root)
    assert Job.objects.filter(kind="license-policy-changed", state="open").count() == 1


def _has_mit() -> bool:
    return LicensePolicy.objects.filter(kind="license", key="MIT").exists()


def waiver_form(project, **fields: str) -> dict[str, str]:
    tomorrow = timezone.now() + timedelta(days=1)
    return {
        "identifier": "CVE-2020-0001",
        "ecosystem": "npm",
        "package": "lodash",
        "version_range": "<4.17.21",
        "project": str(project.pk),
        "reason": "Not reachable from our code.",
        "expires_at_0": tomorrow.strftime("%Y-%m-%d"),
        "expires_at_1": tomorrow.strftime("%H:%M:%S"),
        **fields,
    }


def test_a_maintainer_gives_a_waiver_and_owns_it(as_bob, bob, acme):
    assert as_bob.post(url(Waiver, "add"), waiver_form(acme)).status_code == 302
    waiver = Waiver.objects.get()
    assert waiver.owner == bob
    kinds = Job.objects.filter(kind="waiver-changed").order_by("due_at")
    assert [job.due_at > timezone.now() for job in kinds] == [False, True]
    assert AuditEvent.objects.filter(action="waiver.given", actor=str(bob.pseudonym)).exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": ""},
        {"version_range": "not a range"},
        {"ecosystem": "cobol"},
        {"expires_at_0": "2020-01-01"},
        {"identifier": ""},
    ],
)
def test_a_waiver_that_could_never_hold_is_refused(as_bob, acme, wrong):
    assert as_bob.post(url(Waiver, "add"), waiver_form(acme, **wrong)).status_code == 200
    assert Waiver.objects.count() == 0


def test_nobody_forgets_a_waiver(as_root, room):
    waiver = Waiver.objects.first()
    assert as_root.post(url(Waiver, "delete", waiver.pk), {"post": "yes"}).status_code == 403


def test_the_system_is_nobody_in_the_audit_trail(as_bob, cast):
    auditing.record("release.approved", "npm:left-pad@1", SYSTEM)
    assert "system" in as_bob.get(url(AuditEvent, "changelist")).content.decode()
