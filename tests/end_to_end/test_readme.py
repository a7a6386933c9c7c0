"""The README's tour, walked in a fresh clone: every command runs, and prints what the README says it prints."""

import sys
import urllib.request
from pathlib import Path

import pytest

from tests import tools
from tests.end_to_end.portals import ROOT, RunningPortal
from tests.end_to_end.tours import commands_of, steady, walk
from tests.web.test_installing import lines_of, run

pytestmark = [
    pytest.mark.once,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("end_to_end"),
    pytest.mark.skipif(sys.platform != "linux", reason="the tour is told on Linux"),
]

# packages of the demo, and what a client makes of them
HELD = {
    "npm/is-number": "node_modules/is-number/package.json",
    "npm/@types/ms": "node_modules/@types/ms/package.json",
    "pypi/six": "target/six.py",
}


@pytest.fixture(scope="module")
def portal(folder: Path, tmp_path_factory: pytest.TempPathFactory):
    """A portal in a fresh clone, over fresh data."""
    running = RunningPortal(folder, settings={"DATA_DIR": str(tmp_path_factory.mktemp("tour") / "var")})
    yield running.start()
    running.stop()


def test_the_tour_is_as_the_readme_tells_it(portal: RunningPortal):
    for tool in ("ssh-keygen", "curl"):
        tools.need(tool)
    commands = commands_of(ROOT / "README.md")
    assert len(commands) > 20
    for command in commands:
        command.line = command.line.replace("127.0.0.1:8000", f"127.0.0.1:{portal.port}")
    printed = walk(commands, portal.folder, portal.environment())
    for command, lines in zip(commands, printed, strict=True):
        assert steady(lines) == steady(command.shown), command.line


@pytest.mark.parametrize("package", HELD)
def test_the_install_lines_of_the_demo_install_from_this_portal(portal: RunningPortal, tmp_path: Path, package: str):
    tools.need("npm")
    with urllib.request.urlopen(f"{portal.address}/packages/{package}", timeout=10) as answer:
        line = lines_of(answer.read().decode())[0]
    assert f" {portal.address}/api/v1/packages/" in line.replace('"', "")
    (tmp_path / "package.json").write_text('{"name": "ours", "version": "1.0.0"}')
    run(line, tmp_path)
    assert (tmp_path / HELD[package]).exists()
