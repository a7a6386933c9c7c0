"""The snippets for GitHub Actions and GitLab CI publish as they are written."""

import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from accounts.models import Project
from registry.models import Release
from tests import tools
from tests.builders import Cast, KeyPair
from tests.cli.conftest import COMMAND, ROOT, Terminal, npm_folder
from tests.cli.test_publishing import ready_to_publish

pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True)]


def snippet(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docs" / name).read_text())


def runner(terminal: Terminal, folder: Path, script: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the script as both houses do: bash that stops at the first failure, `codesync` on its PATH."""
    programs = terminal.home / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "codesync").write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n')
    (programs / "codesync").chmod(0o755)
    environment = {**terminal.variables(), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", **variables}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_both_publish_as_they_are_written(
    cast: Cast, terminal_of: Callable[..., Terminal], pair: KeyPair, tmp_path: Path
):
    for tool in ("npm", "ssh-keygen"):
        tools.need(tool)
    ready_to_publish(cast.alice, pair)
    terminal = terminal_of(cast.alice)
    key = pair.path.read_text().rstrip("\n")  # as both houses keep it
    (tmp_path / "variable").write_text(key)

    script = "\n".join(snippet("ci-gitlab.yml")["publish"]["script"])
    folder = npm_folder(terminal.home, "@acme-utils/gitlab")
    done = runner(terminal, folder, script, CODESYNC_SIGNING_KEY=str(tmp_path / "variable"))
    assert (done.returncode, done.stdout) == (0, "✓ approved @acme-utils/gitlab 1.0.0 is approved.\n"), done

    Project.objects.filter(pk=cast.acme.pk).update(review_policy="manual")
    (step,) = (one for one in snippet("ci-github.yml")["jobs"]["publish"]["steps"] if one.get("name") == "Publish")
    folder = npm_folder(terminal.home, "@acme-utils/github")
    done = runner(terminal, folder, step["run"], SIGNING_KEY=key, RUNNER_TEMP=str(tmp_path))
    assert (done.returncode, done.stdout.splitlines()[-1][:9]) == (0, "::warning"), done
    assert Release.objects.get(package__name="@acme-utils/github").held_because
    assert not (tmp_path / "signing-key").exists()
