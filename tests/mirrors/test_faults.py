"""The run of random faults, made small: real worker processes, a real bucket, and two judges at the end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.timeout(400)
def test_after_random_faults_the_regions_hold_what_they_should():
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "DATA_DIR"))}
    command = [sys.executable, "-m", "benchmarks.mirror_faults", "--count", "15"]
    ended = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr[-3000:]
    assert "15 events and 15 faults" in ended.stdout
