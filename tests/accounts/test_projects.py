"""Projects: who may do what in which role, and policies that only owners at the portal change."""

import io

import pytest
from django.core.management import call_command
from django.test import Client

from accounts import asking, projects
from accounts.actors import SYSTEM
from accounts.errors import Conflict, Forbidden, InvalidInput
from accounts.models import AuditEvent, Membership, Project
from registry import publishing, tasks
from registry.errors import Refused, RegistryError
from registry.models import Check, Package, Release
from tests import builders
from tests.builders import actor

pytestmark = pytest.mark.django_db
OPTIONAL = {"signature_policy": "optional"}


def unsigned(person, name: str = "plain", version: str = "1.0.0", **options) -> Release:
    """An archive published without a signature, and checked."""
    with publishing.receive(io.BytesIO(builders.npm_tarball(name, version))) as staged:
        made = publishing.publish_upload(staged, actor(person), **options)
    tasks.drain()
    made.refresh_from_db()
    return made


def browser(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


# --- the signature policy -----------------------------------------------------------------------------------------
def test_where_signatures_are_optional_an_unsigned_archive_is_published_and_says_so(alice, acme, client):
    projects.configure(acme, actor(alice), **OPTIONAL)
    release = unsigned(alice)
    check = release.checks.get(name="signature")
    assert (release.status, check.status) == ("approved", "skipped")
    assert check.summary == "It is not signed, and the project acme does not ask for signatures."
    shown = client.get("/api/v1/packages/plain/versions/1.0.0").json()
    assert shown["signature"] is None
    assert {"name": "signature", "status": "skipped"}.items() <= next(
        one for one in shown["checks"] if one["name"] == "signature"
    ).items()
    assert "signature skipped" in str(release.decisions.get().verdicts)


def test_a_signature_that_is_there_must_be_good_whatever_the_policy(alice, acme, tmp_path):
    projects.configure(acme, actor(alice), **OPTIONAL)
    stranger = builders.key_pair(tmp_path)
    body = builders.npm_tarball("plain")
    for armored in (stranger.sign(body), stranger.sign(b"other bytes"), "nonsense"):
        with pytest.raises(RegistryError) as refusal, publishing.receive(io.BytesIO(body)) as staged:
            publishing.publish_upload(staged, actor(alice), signature=armored)
        assert refusal.value.code in ("unknown_key", "signature_invalid")
    assert not Package.objects.exists()


def test_the_policy_of_the_project_that_owns_the_package_counts_too(alice, acme):
    """A member of a lax project cannot bring unsigned versions into a package of a strict one."""
    lax = builders.project("lax", owner=alice, **OPTIONAL)
    builders.package(acme, "strict")
    for project, name, accepted in ((lax, "strict", False), (acme, "free", False), (lax, "free", True)):
        who = builders.actor(alice, project=project)
        with publishing.receive(io.BytesIO(builders.npm_tarball(name))) as staged:
            if accepted:
                assert publishing.publish_upload(staged, who).package.project == lax
                continue
            with pytest.raises(Refused) as refusal:
                publishing.publish_upload(staged, who)
        assert refusal.value.code == "unsigned"


def test_what_was_approved_unsigned_stays_when_signatures_are_asked_for_later(alice, bob, acme):
    from registry import checking

    projects.configure(acme, actor(alice), **OPTIONAL)
    release = unsigned(alice)
    projects.configure(acme, actor(alice), signature_policy="required")
    with pytest.raises(Refused):
        unsigned(alice, version="1.0.1")
    checking.rescan(release, actor(bob))
    tasks.drain()
    release.refresh_from_db()
    assert (release.status, release.checks.get(name="signature").status) == ("approved", Check.Status.WARNED)


# --- who may set what ---------------------------------------------------------------------------------------------
def test_only_owners_at_the_portal_and_admins_change_a_policy(cast):
    carol = builders.user("carol")
    Membership.objects.create(project=cast.acme, user=carol, role=Membership.Role.READER)
    refused = [
        actor(cast.bob), actor(carol), actor(cast.mallory), actor(cast.alice, "read", "publish", kind="token"),
        actor(cast.root, "admin", kind="token"),
    ]  # fmt: skip
    for who in refused:
        for wanted in (OPTIONAL, {"review_policy": "manual"}, {"visibility": "private"}):
            with pytest.raises(Forbidden):
                projects.configure(cast.acme, who, **wanted)
    assert projects.configure(cast.acme, actor(cast.alice), **OPTIONAL, review_policy="manual") == [
        "review_policy", "signature_policy",
    ]  # fmt: skip
    assert projects.configure(cast.acme, actor(cast.root), signature_policy="required") == ["signature_policy"]
    events = AuditEvent.objects.filter(action="project.configured").order_by("seq")
    assert [event.details for event in events] == [
        {"review_policy": "manual", "signature_policy": "optional"}, {"signature_policy": "required"},
    ]  # fmt: skip
    assert events[0].actor == str(cast.alice.pseudonym)


def test_owners_do_not_raise_their_own_tier(cast):
    with pytest.raises(Forbidden, match="tier"):
        projects.configure(cast.acme, actor(cast.alice), tier="enterprise")
    assert projects.configure(cast.acme, actor(cast.root), tier="enterprise") == ["tier"]


@pytest.mark.parametrize("wanted", [{"signature_policy": "no"}, {"tier": "gold"}, {"slug": "other"}, {"name": "x"}])
def test_settings_that_do_not_exist_are_refused(acme, wanted):
    with pytest.raises(InvalidInput):
        projects.configure(acme, SYSTEM, **wanted)


def test_an_owner_sets_policies_on_the_page_and_members_see_no_form(cast):
    page = browser(cast.alice).get("/profile/projects").content.decode()
    assert 'name="signature_policy"' in page
    assert 'name="signature_policy"' not in browser(cast.bob).get("/profile/projects").content.decode()
    path = "/profile/projects/acme/settings"
    wanted = {"review_policy": "manual", "signature_policy": "optional", "visibility": "private"}
    assert browser(cast.alice).post(path, wanted).status_code == 302
    assert Project.objects.filter(slug="acme", **wanted).exists()
    assert "Unsigned archives are accepted" in browser(cast.alice).get("/profile/projects").content.decode()
    other = wanted | {"signature_policy": "required"}
    browser(cast.alice).post(path, wanted | {"signature_policy": "nonsense"})
    browser(cast.bob).post(path, other)
    assert browser(cast.mallory).post(path, other).status_code == 404
    assert Project.objects.filter(slug="acme", **wanted).exists()


def test_the_command_and_the_admin_set_it_too(cast):
    call_command("project", "create", "acme", "--owner", "alice", "--signatures", "optional", stdout=io.StringIO())
    cast.acme.refresh_from_db()
    assert cast.acme.signature_policy == "optional"
    path = f"/admin/accounts/project/{cast.acme.pk}/change/"
    inline = {f"memberships-{name}_FORMS": "0" for name in ("TOTAL", "INITIAL")}
    form = {
        "slug": "acme", "name": "Acme", "tier": "free", "visibility": "public", "review_policy": "automatic",
        "signature_policy": "required", "rate_limit": "", **inline,
    }  # fmt: skip
    assert browser(cast.root).post(path, form).status_code == 302
    cast.acme.refresh_from_db()
    event = AuditEvent.objects.filter(action="project.changed").get()
    assert (cast.acme.signature_policy, event.details["signature_policy"]) == ("required", "required")


# --- members ------------------------------------------------------------------------------------------------------
def test_what_each_role_may_do(cast):
    carol = builders.user("carol")
    projects.add_member(cast.acme, carol, actor(cast.alice), role="reader")
    may_publish = {one.username: projects.may_publish(one, cast.acme) for one in (cast.alice, cast.bob, carol)}
    assert may_publish == {"alice": True, "bob": True, "carol": False}
    assert cast.acme.pk in asking.session_actor(carol).project_ids
    for who in (cast.bob, carol):
        with pytest.raises(Forbidden):
            projects.add_member(cast.acme, cast.mallory, actor(who))
        with pytest.raises(Forbidden):
            projects.remove_member(cast.acme, cast.alice, actor(who))


def test_the_last_owner_is_neither_removed_nor_made_less(cast):
    with pytest.raises(Conflict, match="needs an owner"):
        projects.remove_member(cast.acme, cast.alice, actor(cast.alice))
    for role in ("member", "reader"):
        with pytest.raises(Conflict, match="needs an owner"):
            projects.add_member(cast.acme, cast.alice, actor(cast.alice), role=role)
    projects.add_member(cast.acme, cast.bob, actor(cast.alice), role="owner")
    assert projects.add_member(cast.acme, cast.alice, actor(cast.alice), role="reader").role == "reader"
