"""`--json` everywhere: the API's own JSON, for answers and for refusals alike; tokens that rotate, and lockfiles."""

import json
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from django.utils import timezone

from accounts.models import ApiToken
from codesync.__main__ import main
from codesync.commands.app import app
from registry.mirrors.models import Mirror
from tests import builders
from tests.builders import Cast, KeyPair
from tests.cli.conftest import Terminal
from tests.scanning.conftest import load, osv, rated

pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True)]
CORE = "@acme-utils/core@1.2.0"
# every command, with what it is given here and how it ends
RUNS: dict[str, list[tuple[list[str], int]]] = {
    "login": [([], 0)],
    "whoami": [([], 0)],
    "publish": [(["core.tgz", "--no-wait"], 4), (["missing.tgz"], 2)],
    "submit": [(["npm:left-pad@1.3.0"], 0), (["left-pad@1.3.0"], 2)],
    "search": [(["core"], 0), (["--ordering", "taste"], 2)],
    "info": [([CORE], 0), (["@acme-utils/core"], 0), (["nonesuch"], 6)],
    "resolve": [(["@acme-utils/core", "^1"], 0), (["@acme-utils/core", "^9"], 6), (["@acme-utils/core", "^^"], 2)],
    "tree": [(["@acme-utils/core"], 0)],
    "explain": [([CORE], 0), (["npm:left-pad@1.3.0"], 3)],
    "download": [([CORE, "-o", "copy.tgz"], 0)],
    "verify": [([CORE], 0)],
    "audit": [(["requirements.txt"], 0), (["nothing.txt"], 2)],
    "scan show": [([CORE], 0)],
    "scan request": [([CORE], 0)],
    "reject": [(["npm:left-pad@1.3.0", "-m", "We have our own."], 0)],
    "approve": [(["npm:left-pad@1.3.0"], 4)],
    "unlist": [([CORE], 0)],
    "restore": [([CORE], 0)],
    "token create": [(["ci", "--scope", "read"], 0)],
    "token list": [([], 0)],
    "token rotate": [([], 0)],
    "token revoke": [(["00000000-0000-4000-8000-000000000000"], 6)],
    "license create": [(["@acme-utils/core", "--until", "2030-01-31"], 0)],
    "license list": [([], 0)],
    "license verify": [(["AAAAA-BBBBB", "@acme-utils/core", "1.2.0"], 8)],
    "license facts": [(["MIT"], 0)],
    "license show": [(["00000000-0000-4000-8000-000000000000"], 6)],
    "license suspend": [(["00000000-0000-4000-8000-000000000000"], 6)],
    "license delete": [(["00000000-0000-4000-8000-000000000000"], 6)],
    "sync status": [([], 7)],  # no region is left
    "sync start": [(["nonesuch"], 6)],
    "sync show": [(["00000000-0000-4000-8000-000000000000"], 6)],
    "sync cancel": [(["00000000-0000-4000-8000-000000000000"], 6)],
    "logout": [([], 0)],
}


def names(of: typer.Typer, prefix: str = "") -> Iterator[str]:
    """Every command there is."""
    yield from (prefix + (one.name or "") for one in of.registered_commands)
    for group in of.registered_groups:
        assert group.typer_instance is not None
        yield from names(group.typer_instance, f"{group.name} ")


def test_every_command_prints_json_and_nothing_else(
    cast: Cast, pair: KeyPair, terminal_of: Callable[..., Terminal], monkeypatch, capfd, tmp_path: Path
):
    assert set(names(app)) == set(RUNS)
    Mirror.objects.all().delete()
    archive = builders.npm_tarball("@acme-utils/core", "1.2.0")
    builders.published(cast.root, pair, archive)
    terminal = terminal_of(cast.root, "read", "publish", "review", "licenses", "sync", "admin")
    (terminal.home / "core.tgz").write_bytes(archive)
    (terminal.home / "requirements.txt").write_text("six==1.16.0\n")
    monkeypatch.chdir(terminal.home)
    for name in [name for name in os.environ if name.startswith("CODESYNC_")]:
        monkeypatch.delenv(name)
    for name, value in {**terminal.variables(), "CODESYNC_SIGNING_KEY": str(pair.path)}.items():
        monkeypatch.setenv(name, value)
    for command, runs in RUNS.items():
        for arguments, code in runs:
            monkeypatch.setattr("sys.argv", ["codesync", *command.split(), *arguments, "--json"])
            capfd.readouterr()
            with pytest.raises(SystemExit) as ended:
                main()
            printed = capfd.readouterr()
            assert int(ended.value.code or 0) == code, (command, arguments, printed)
            answer = json.loads(printed.out)
            assert printed.err == "" or set(answer) == {"error", "statusCode", "details"}, (command, printed.err)


def test_a_stored_token_replaces_itself_before_it_ends(cast: Cast, terminal_of: Callable[..., Terminal]):
    terminal = terminal_of(cast.alice)
    now = timezone.now()
    ApiToken.objects.update(created_at=now - timedelta(days=87), expires_at=now + timedelta(days=3))
    raw = terminal.environment["CODESYNC_TOKEN"]
    assert terminal.run("login", "--token", raw).code == 0
    del terminal.environment["CODESYNC_TOKEN"]
    first = json.loads(terminal.config.read_text())
    assert terminal.run("whoami", "--json").json["username"] == "alice"
    second = json.loads(terminal.config.read_text())
    assert first["token"] == raw
    assert second["token"] not in ("", raw)
    assert second["token_id"] == terminal.run("whoami", "--json").json["credential"]["id"]
    assert second == json.loads(terminal.config.read_text())  # once is enough


def test_an_audit_ends_with_1_from_the_severity_asked_for(cast: Cast, terminal_of: Callable[..., Terminal]):
    load(osv("OSV-2026-1", summary="It greets \x1b[31mstrangers.", **rated("MODERATE")))
    terminal = terminal_of(cast.alice, "read")
    locked = {"node_modules/left-pad": {"version": "1.3.0"}, "": {"name": "ours", "version": "1.0.0"}}
    lockfile = {"name": "ours", "version": "1.0.0", "lockfileVersion": 3, "packages": locked}
    (terminal.home / "package-lock.json").write_text(json.dumps(lockfile))
    found = terminal.run("audit")
    assert (found.code, "OSV-2026-1" in found.out, "\x1b" in found.out) == (1, True, False), found
    assert terminal.run("audit", "--fail-on", "high").code == 0
