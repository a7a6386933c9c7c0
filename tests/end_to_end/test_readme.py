"""The README's tour, walked in a fresh clone: every command runs, and prints what the README says it prints."""

import sys
from pathlib import Path

import pytest

from tests import tools
from tests.end_to_end.portals import ROOT, RunningPortal
from tests.end_to_end.tours import commands_of, steady, walk

pytestmark = [
    pytest.mark.once,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("end_to_end"),
    pytest.mark.skipif(sys.platform != "linux", reason="the tour is told on Linux"),
]


@pytest.fixture
def portal(folder: Path, tmp_path: Path):
    """A portal in a fresh clone, over fresh data."""
    running = RunningPortal(folder, settings={"DATA_DIR": str(tmp_path / "var")})
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
