"""The JavaScript SDK as its users have it: Node, npm and the TypeScript compiler."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import tools

SDK = Path(__file__).resolve().parents[3] / "sdk" / "js"
Run = Callable[..., str]


def run(*command: str, folder: Path = SDK, **environment: str) -> str:
    """What the command prints; its whole output where it fails."""
    own = {**os.environ, "npm_config_update_notifier": "false", "NO_COLOR": "1", **environment}
    done = subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
    return done.stdout


@pytest.fixture(scope="session")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The node_modules with the TypeScript that package.json pins."""
    tools.need("node")
    npm = tools.need("npm")
    folder = tmp_path_factory.mktemp("typescript")
    wanted = json.loads((SDK / "package.json").read_text())["devDependencies"]
    (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": wanted}))
    quiet = (
        "--no-audit",
        "--no-fund",
        "--no-package-lock",
        "--ignore-scripts",
        "--prefer-offline",
        "--loglevel=error",
    )
    done = subprocess.run(
        [npm, "install", *quiet], cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )
    if done.returncode:
        reason = f"npm cannot fetch TypeScript here: {done.stderr.strip()[-300:]}"
        if os.environ.get("REQUIRE_ALL") == "1":
            pytest.fail(f"{reason}; REQUIRE_ALL=1 says that it must.")
        pytest.skip(reason)
    return folder / "node_modules"
