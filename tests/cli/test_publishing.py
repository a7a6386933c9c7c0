"""From a folder to a decision: the journey of a package by `codesync`, with npm and ssh-keygen."""

from collections.abc import Callable

import pytest

from accounts.models import Project, User
from licensing.models import LicensePolicy
from registry.models import Release
from tests import builders, tools
from tests.builders import Cast, KeyPair
from tests.cli.conftest import Terminal, npm_folder
from tests.scanning.conftest import load, osv

pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True)]


def ready_to_publish(person: User, pair: KeyPair) -> None:
    """Their key is registered, and nothing but they themselves keeps a package under MIT from being approved."""
    builders.registered_key(person, pair)
    LicensePolicy.objects.get_or_create(kind="license", key="MIT", defaults={"status": "approved"})
    load(osv(name="nobody-has-this"))  # where none is loaded, nothing counts as safe


@pytest.fixture
def alice(cast: Cast, terminal_of: Callable[..., Terminal], pair: KeyPair) -> Terminal:
    """Alice's terminal; her key is registered and named."""
    for tool in ("npm", "ssh-keygen"):
        tools.need(tool)
    ready_to_publish(cast.alice, pair)
    terminal = terminal_of(cast.alice)
    terminal.environment["CODESYNC_SIGNING_KEY"] = str(pair.path)
    return terminal


def test_a_signed_package_goes_from_its_folder_to_approved_and_is_found(alice: Terminal, cast: Cast, pair: KeyPair):
    raw = alice.environment.pop("CODESYNC_TOKEN")
    assert alice.run("login", "--key", str(pair.path), typed=raw + "\n").code == 0
    assert alice.config.stat().st_mode & 0o777 == 0o600
    url = alice.environment.pop("CODESYNC_URL")

    base = alice.home / "base.tgz"
    base.write_bytes(builders.npm_tarball("@acme-utils/base"))
    assert alice.run("publish", str(base)).code == 0
    greet = npm_folder(alice.home, "@acme-utils/greet", dependencies={"@acme-utils/base": "^1.0.0"})
    published = alice.run("publish", folder=greet)
    assert (published.code, published.out) == (0, "✓ approved @acme-utils/greet 1.0.0 is approved.\n")
    told = [line.split()[1] for line in published.err.splitlines() if line.startswith("  ")]
    assert told == list(Release.objects.latest("pk").checks.values_list("name", flat=True))

    assert alice.run("resolve", "@acme-utils/greet", "^1.0").out == "@acme-utils/greet 1.0.0\n"
    assert alice.run("tree", "@acme-utils/greet").out.split() == [
        "@acme-utils/greet",
        "1.0.0",
        "└──",
        "@acme-utils/base",
        "1.0.0",
    ]
    trusted = alice.home / "signers"
    trusted.write_text(f"alice {pair.public}\n")
    verified = alice.run("verify", "@acme-utils/greet", "--signers", str(trusted), "--signer", "alice")
    assert (verified.code, "Good" in verified.out) == (0, True), verified
    trusted.write_text(f"alice {builders.key_pair(alice.home).public}\n")
    refused = alice.run("verify", "@acme-utils/greet", "--signers", str(trusted))
    assert (refused.code, refused.err.count("\n")) == (8, 2), refused  # the download and the one line

    again = alice.run("publish", "--quiet", str(base))
    assert (again.code, again.out) == (4, "")
    assert (
        again.err
        == "Error: @acme-utils/base 1.0.0 exists already. Versions are immutable: raise the version number.\n"
    )
    assert url in alice.config.read_text()


def test_a_held_package_ends_with_3_and_says_why_and_where(alice: Terminal, cast: Cast):
    Project.objects.filter(pk=cast.acme.pk).update(review_policy="manual")
    held = alice.run("publish", folder=npm_folder(alice.home, "@acme-utils/held"))
    assert held.code == 3, held
    page = f"{alice.environment['CODESYNC_URL']}/packages/npm/@acme-utils/held/versions/1.0.0"
    assert held.out.splitlines()[0] == "… pending @acme-utils/held 1.0.0 is held."
    assert "The project acme wants a maintainer to decide." in held.out
    assert held.out.splitlines()[-1] == f"  more: {page}"
    refused = alice.run("download", "@acme-utils/held@1.0.0")
    assert (refused.code, list(alice.home.glob("*.tgz*"))) == (3, [])


def test_a_terminal_shows_check_by_check(alice: Terminal):
    drawn = alice.watch("publish", folder=npm_folder(alice.home, "@acme-utils/drawn"))
    assert drawn.code == 0, drawn
    assert "Checks: 8 of 8" in drawn.out
    assert "━" in drawn.out
    assert "is approved." in drawn.out.splitlines()[-1]


def test_what_a_portal_does_not_take_is_one_line_that_says_what_to_do(alice: Terminal, tmp_path):
    (tmp_path / "empty").mkdir()
    archive = tmp_path / "greet.tgz"
    archive.write_bytes(builders.npm_tarball("@acme-utils/greet"))
    url = alice.environment["CODESYNC_URL"]
    wrong = {
        ("publish", str(tmp_path / "empty")): (2, "holds no package.json and no pyproject.toml."),
        ("publish", "--key", "nokey", str(archive)): (2, "Name one with --key"),
        ("publish", "--no-sign", str(archive)): (4, "ssh-keygen -Y sign"),
        ("whoami", "--token", "sk_live_wrong"): (5, "Run `codesync login`"),
        ("whoami", "--url", "http://127.0.0.1:9"): (7, "Check the address"),
        ("whoami", "--url", f"{url}/admin"): (7, "as no portal does. Check the address"),
        ("whoami", "--project", "nonesuch"): (4, "CODESYNC_PROJECT"),
        ("search", "greet", "--url", f"{url}/npm/", "--token", "sk_live_wrong"): (5, "Run `codesync login`"),
        ("verify", str(archive), "--signature", str(archive)): (2, "--signers"),
        ("info", "nonesuch"): (6, "Check the spelling"),
        ("info",): (2, "See `codesync --help`."),
    }
    for arguments, (code, said) in wrong.items():
        done = alice.run(*arguments, "--quiet")
        assert (done.code, done.out, done.err.count("\n")) == (code, "", 1), done
        assert said in done.err
