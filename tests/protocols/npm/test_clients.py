"""npm, pnpm and both Yarns themselves against a portal that runs: publish, held, installed, changed, signed in."""

import json
import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import ApiToken, Project, WebLogin
from licensing import keys as sold_keys
from licensing import minting
from registry import approving, documents, retiring, tasks
from registry.models import Package, Release
from tests import builders, tools
from tests.builders import Cast, KeyPair
from tests.protocols.npm.conftest import Npm
from tests.protocols.npm.real_npm import RealNpm

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("npm-clients"),
]
Desk = Callable[..., RealNpm]


@pytest.fixture
def desk(live_server, tmp_path: Path) -> Desk:
    """A folder for somebody's npm, told of this portal alone."""

    def make(name: str, token: str = "", base: str = "/npm/") -> RealNpm:
        return RealNpm(tmp_path / name, f"{live_server.url}{base}", token)

    return make


def decide(cast: Cast) -> None:
    """The checks end, and bob approves what is left: an emptied database has no license policy."""
    tasks.drain()
    for release in Release.objects.filter(status="pending"):
        approving.approve(release, builders.actor(cast.bob))


def publish(npm: RealNpm, name: str, version: str = "1.0.0", **manifest: object) -> str:
    npm.write(name=name, version=version, license="MIT", main="index.js", **manifest)
    (npm.work / "index.js").write_text(f"module.exports = {json.dumps(name)}\n")
    return npm.run("publish")


def test_npm_publishes_what_is_held_until_it_is_approved_and_installed_with_its_dependencies(cast: Cast, desk: Desk):
    Project.objects.update(signature_policy="optional", review_policy="manual")
    alice = desk("alice", builders.token(cast.alice, "read", "publish"))
    said = publish(alice, "@acme-utils/core")
    assert "@acme-utils/core 1.0.0 is pending here: http://" in said
    assert "/packages/npm/@acme-utils/core/versions/1.0.0" in said
    publish(alice, "@acme-utils/tool", dependencies={"@acme-utils/core": "^1.0.0"})
    assert "cannot publish over" in alice.run("publish", fails=True)
    tasks.drain()

    nobody = desk("nobody")
    assert "wants a maintainer to decide" in nobody.run("install", "@acme-utils/tool", fails=True)
    decide(cast)
    nobody.run("install", "@acme-utils/tool")
    script = "console.log(require('@acme-utils/tool'), require('@acme-utils/core'))"
    shown = subprocess.run([tools.need("node"), "-e", script], cwd=nobody.work, capture_output=True, text=True)
    assert shown.stdout == "@acme-utils/tool @acme-utils/core\n", shown.stderr

    withdrawn = Release.objects.get(package__name="@acme-utils/core")
    approving.quarantine(withdrawn, builders.actor(cast.bob), reason="It steals cookies.")
    assert "It steals cookies." in nobody.run("ci", "--prefer-online", "--cache", "fresh", fails=True)


def test_npm_deprecates_tags_finds_and_unpublishes(cast: Cast, desk: Desk, core: Release, pair: KeyPair):
    builders.published(cast.alice, pair, builders.npm_tarball("@acme-utils/core", "1.3.0"))
    decide(cast)
    alice = desk("alice", builders.token(cast.alice, "read", "publish"))
    root = desk("root", builders.token(cast.root, "read", "publish", "admin"))
    name = "@acme-utils/core"
    assert alice.run("whoami").endswith("alice\n")
    alice.run("deprecate", f"{name}@1.2.0", "use 1.3.0")
    assert "use 1.3.0" in alice.run("view", f"{name}@1.2.0", "deprecated")
    alice.run("dist-tag", "add", f"{name}@1.2.0", "stable")
    assert "stable: 1.2.0" in alice.run("dist-tag", "ls", name)
    assert json.loads(alice.run("view", f"{name}@stable", "--json"))["version"] == "1.2.0"
    alice.run("dist-tag", "rm", name, "stable")
    assert [one["name"] for one in json.loads(alice.run("search", "acme-utils", "--json"))] == [name]
    assert "name test created" in alice.run("token", "list")
    assert "npm deprecate" in alice.run("unpublish", f"{name}@1.2.0", fails=True)
    root.run("unpublish", f"{name}@1.2.0")
    assert "1.2.0" not in alice.run("view", name, "versions")
    root.run("unpublish", name, "--force")
    assert not Release.objects.listed().exists()
    retiring.restore(Release.objects.get(version="1.3.0"), builders.actor(cast.root))
    assert "1.3.0" in alice.run("view", name, "version")


def typed(npm: RealNpm, *words: str) -> "subprocess.Popen[str]":
    """Npm at a terminal of its own, waiting for what is typed."""
    kept = {"PATH": os.environ["PATH"], "HOME": str(npm.folder), "npm_config_userconfig": str(npm.folder / "npmrc")}
    how = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen([tools.need("npm"), *words], cwd=npm.work, env=kept, text=True, **how)


def until(process: "subprocess.Popen[str]", wanted: str) -> str:
    """What it prints until the words come."""
    assert process.stdout is not None
    said, ends = "", time.monotonic() + 60
    while not re.search(wanted, said):
        one = process.stdout.read(1)
        assert one, f"it ended, having said {said!r}"
        assert time.monotonic() < ends, said
        said += one
    return said


def test_npm_signs_in_by_password_and_by_browser_and_out(cast: Cast, desk: Desk):
    by_password = desk("password", base="/npm/acme/")
    login = typed(by_password, "login", "--auth-type=legacy")
    assert login.stdin is not None
    for prompt, answer in (("Username:", "alice"), ("Password:", builders.PASSWORD)):
        until(login, prompt)
        login.stdin.write(f"{answer}\n")
        login.stdin.flush()
    until(login, "Logged in on ")
    assert login.wait(30) == 0
    assert by_password.run("whoami").endswith("alice\n")
    assert ApiToken.objects.get().project == cast.acme

    by_browser = desk("browser")
    login = typed(by_browser, "login", "--auth-type=web")
    said = until(login, r"http://\S+/sign-in/terminal/\S+\n")
    row = WebLogin.objects.get()
    assert row.code in said
    browser = Client()
    browser.force_login(cast.bob)
    assert browser.post(f"/sign-in/terminal/{row.pk}", {"confirm": "1"}).status_code == 200
    until(login, "Logged in on ")
    assert login.wait(30) == 0
    assert by_browser.run("whoami").endswith("bob\n")
    by_browser.run("logout")
    assert "ENEEDAUTH" in by_browser.run("whoami", fails=True)
    assert ApiToken.objects.get(user=cast.bob).revoked_at is not None


def test_what_is_private_installs_with_a_token_or_a_key_that_covers_it(
    cast: Cast, desk: Desk, secret: Release, pair: KeyPair
):
    builders.published(cast.alice, pair, builders.npm_tarball("left-pad", "1.3.0"))
    decide(cast)
    stranger = desk("stranger", builders.token(cast.mallory, "read"))
    assert "E404" in stranger.run("install", "@acme-utils/core", fails=True)
    member = desk("member", builders.token(cast.bob, "read"), "/npm/acme/")
    member.run("install", "@acme-utils/core")
    sold = sold_keys.create(sold_keys.Wanted(packages=("@acme-utils/core",)), builders.actor(cast.alice))
    customer = desk("customer", minting.unseal(sold.sealed))
    customer.run("install", "@acme-utils/core")
    assert (customer.work / "node_modules" / "@acme-utils" / "core" / "package.json").exists()


INSTALLS = {
    "pnpm": ["add", "@acme-utils/tool", "--ignore-scripts", "--config.fetch-retries=0"],
    "yarn": ["add", "@acme-utils/tool", "--non-interactive", "--no-progress"],
    "yarn-berry": ["add", "@acme-utils/tool"],
}


@pytest.mark.parametrize("client", INSTALLS)
def test_other_clients_install_what_is_private_by_token_and_by_license_key(
    cast: Cast, live_server, tmp_path: Path, pair: KeyPair, client: str
):
    registry = f"{live_server.url}/npm/"
    builders.published(cast.alice, pair, builders.npm_tarball("@acme-utils/core", "1.2.0"))
    for version in ("2.0.0", "3.0.0"):
        needs = {"@acme-utils/core": "^1.0.0"}
        builders.published(cast.alice, pair, builders.npm_tarball("@acme-utils/tool", version, dependencies=needs))
    decide(cast)
    Package.objects.update(visibility="private")
    for package in Package.objects.all():
        with transaction.atomic():
            documents.rebuild(package)
    wanted = sold_keys.Wanted(("@acme-utils/core", "@acme-utils/tool"), constraint="version", range="<3.0.0")
    sold = minting.unseal(sold_keys.create(wanted, builders.actor(cast.alice)).sealed)
    # the newest for a member; for who bought a key, the newest that it covers
    for raw, newest in ((builders.token(cast.bob, "read"), "3.0.0"), (sold, "2.0.0")):
        folder = tmp_path / newest
        folder.mkdir()
        done = install(client, folder, registry, raw)
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads((folder / "node_modules/@acme-utils/tool/package.json").read_text())["version"] == newest
        assert [*folder.glob("node_modules/@acme-utils/core"), *folder.glob("node_modules/.pnpm/*/*/@acme-utils/core")]
        assert Npm(raw).ask("@acme-utils%2ftool").status_code == 200


def install(client: str, folder: Path, registry: str, raw: str) -> "subprocess.CompletedProcess[str]":
    """Let the client add the package in an empty project whose only credential is this one."""
    place = registry.removeprefix("http:")
    (folder / ".npmrc").write_text(f"registry={registry}\n{place}:_authToken={raw}\nalways-auth=true\n")
    (folder / "package.json").write_text('{"name": "work", "version": "1.0.0", "license": "MIT"}')
    (folder / "yarn.lock").write_text("")
    lines = (f'npmRegistryServer: "{registry}"', "npmAlwaysAuth: true", f'npmAuthToken: "{raw}"')
    more = ("unsafeHttpWhitelist: [localhost, 127.0.0.1]", "nodeLinker: node-modules", "enableTelemetry: false")
    (folder / ".yarnrc.yml").write_text("\n".join((*lines, *more, "enableGlobalCache: false", "httpRetry: 0", "")))
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "CI": ""}
    return subprocess.run(
        [tools.need("node"), tools.need(client), *INSTALLS[client]],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
