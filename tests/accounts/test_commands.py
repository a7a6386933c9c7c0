"""`manage.py user|project|token|signing-key|audit`: what an installation's owner types."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts import auditing, tokens, users
from accounts.models import ApiToken, AuditEvent, Project, SigningKey, User
from tests.accounts.ssh_wire import Ed25519

pytestmark = pytest.mark.django_db
PASSWORD = "a long and unguessable phrase"


def run(*arguments: str) -> tuple[str, str]:
    """What the command writes on stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def make_alice() -> User:
    run("user", "create", "alice", "--email", "alice@example.com", "--password", PASSWORD)
    return User.objects.get(username="alice")


def test_a_user_has_a_role_a_group_and_a_project_of_their_own():
    alice = make_alice()
    assert alice.check_password(PASSWORD)
    assert (alice.role, alice.is_staff, alice.is_superuser) == ("developer", False, False)
    assert [group.name for group in alice.groups.all()] == ["developer"]
    assert alice.default_project.slug == f"own-{alice.pseudonym.hex[:12]}"


@pytest.mark.parametrize(("role", "staff", "superuser"), [("maintainer", True, False), ("admin", True, True)])
def test_roles_open_the_admin(role, staff, superuser):
    run("user", "create", "bob", "--email", "bob@example.com", "--role", role)
    bob = User.objects.get(username="bob")
    assert (bob.is_staff, bob.is_superuser) == (staff, superuser)
    assert bob.has_perm("registry.view_release")
    assert not bob.has_usable_password()


def test_a_maintainer_may_look_at_the_registry_but_not_change_people():
    users.sync_groups()
    run("user", "create", "bob", "--email", "bob@example.com", "--role", "maintainer")
    bob = User.objects.get(username="bob")
    assert bob.has_perm("registry.view_package")
    assert bob.has_perm("registry.change_release")
    assert not bob.has_perm("accounts.change_user")
    assert not bob.has_perm("registry.delete_release")


def test_creating_the_same_user_again_is_no_error_and_another_one_is():
    make_alice()
    make_alice()
    assert User.objects.count() == 1
    for other in (
        ("--email", "x@example.com"),
        ("--email", "alice@example.com", "--role", "admin"),
        ("--email", "alice@example.com", "--password", "another password of hers"),
    ):
        with pytest.raises(CommandError, match="exists already"):
            run("user", "create", "alice", *other)


def test_a_weak_password_is_taken_with_a_warning():
    _, err = run("user", "create", "carol", "--email", "carol@example.com", "--password", "secret")
    assert "weak" in err
    assert User.objects.get(username="carol").check_password("secret")


@pytest.mark.parametrize("name", ["", "a b", "x" * 151, "a/b"])
def test_odd_user_names_are_refused(name):
    with pytest.raises(CommandError):
        run("user", "create", name, "--email", "a@example.com")


def test_odd_addresses_are_refused():
    with pytest.raises(CommandError, match="e-mail"):
        run("user", "create", "alice", "--email", "nonsense")


def test_two_users_never_share_a_first_project():
    make_alice()
    run("project", "create", "bob", "--owner", "alice")
    run("user", "create", "bob", "--email", "bob@example.com")
    people = User.objects.filter(username__in=("alice", "bob"))
    assert len({person.default_project_id for person in people}) == 2


def test_a_project_is_created_as_asked_and_brought_up_to_date():
    make_alice()
    run("project", "create", "acme", "--owner", "alice", "--tier", "enterprise", "--review", "manual")
    run("project", "create", "acme", "--owner", "alice", "--visibility", "private")
    acme = Project.objects.get(slug="acme")
    assert (acme.tier, acme.review_policy, acme.visibility) == ("enterprise", "manual", "private")
    assert acme.memberships.get().role == "owner"
    _, err = run("project", "create", "acme", "--owner", "alice")
    assert "Nothing changed" in err


def test_someone_elses_project_is_refused():
    make_alice()
    run("user", "create", "mallory", "--email", "m@example.com")
    run("project", "create", "acme", "--owner", "alice")
    with pytest.raises(CommandError, match="does not own it"):
        run("project", "create", "acme", "--owner", "mallory")


@pytest.mark.parametrize("slug", ["Acme", "a_b", "-a", "a-", "", "x" * 65, "acme\n"])
def test_odd_slugs_are_refused(slug):
    make_alice()
    with pytest.raises(CommandError):
        run("project", "create", slug, "--owner", "alice")


def test_a_token_stands_alone_on_stdout():
    make_alice()
    run("project", "create", "acme", "--owner", "alice")
    out, _ = run(
        *("token", "create", "--user", "alice", "--name", "CI", "--scope", "read", "--scope", "publish"),
        *("--project", "acme", "--expires", "7"),
    )
    token = tokens.resolve(out.strip())
    assert token is not None
    assert (token.name, token.scopes, token.project.slug) == ("CI", ["publish", "read"], "acme")
    assert (token.expires_at - token.created_at).days == 7


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--user", "nobody", "--scope", "read"), "no user nobody"),
        (("--user", "alice", "--scope", "review"), "role developer"),
        (("--user", "alice", "--scope", "read", "--expires", "366"), "1 to 365"),
        (("--user", "alice", "--scope", "read", "--project", "nowhere"), "no project nowhere"),
        (("--user", "alice", "--scope", "fly"), "invalid choice"),
    ],
)
def test_a_refused_token_says_why(arguments, reason):
    make_alice()
    with pytest.raises(CommandError, match=reason):
        run("token", "create", "--name", "CI", *arguments)
    assert not ApiToken.objects.exists()


def test_a_signing_key_is_added_once(tmp_path):
    make_alice()
    file = tmp_path / "id.pub"
    file.write_text(Ed25519().line + "\n")
    for _ in range(2):
        out, _err = run("signing-key", "add", "--user", "alice", "--name", "laptop", str(file))
    assert out.strip() == SigningKey.objects.get().fingerprint


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xfe"])
def test_a_file_that_holds_no_key_is_refused(tmp_path, content):
    make_alice()
    file: Path = tmp_path / "id.pub"
    file.write_bytes(content)
    for name in (file, tmp_path / "missing.pub"):
        with pytest.raises(CommandError):
            run("signing-key", "add", "--user", "alice", "--name", "laptop", str(name))


def test_the_audit_trail_of_all_this_verifies():
    make_alice()
    out, _ = run("audit", "verify")
    assert out.startswith(f"{AuditEvent.objects.count()} events, an unbroken chain.")


def test_a_broken_trail_is_named_with_exit_code_one():
    make_alice()
    auditing.AuditHead.objects.update(seq=99)
    with pytest.raises(CommandError, match="broken at event 2") as failure:
        run("audit", "verify")
    assert failure.value.returncode == 1
