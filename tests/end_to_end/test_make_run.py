"""`make run` as a stranger meets it: from a fresh clone to a running portal, and what a signal leaves behind."""

import json
import os
import signal
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.end_to_end.portals import RunningPortal, processes_of, wait_until

pytestmark = [
    pytest.mark.once,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("end_to_end"),
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to see what is left behind"),
]


@pytest.fixture
def portal(folder: Path):
    """A portal that is stopped at the end of the test."""
    running = RunningPortal(folder)
    yield running
    running.stop()


def get(address: str) -> dict:
    """The JSON that stands there."""
    with urllib.request.urlopen(address, timeout=10) as answer:
        return json.load(answer)


def test_a_fresh_clone_becomes_a_portal_and_ctrl_c_leaves_nothing(portal: RunningPortal):
    portal.start()
    assert "Installing what the portal runs on" in portal.text
    assert portal.address in portal.text
    assert len(portal.password) >= 12

    health = get(f"{portal.address}/health")
    assert health["status"] == "ok", health
    assert health["broker"]["detail"].startswith("Valkey")
    demo = get(f"{portal.address}/api/v1/packages?limit=100")
    statuses = {row["status"] for row in demo["packages"]}
    assert demo["total"] >= 15
    assert {"approved", "pending"} <= statuses

    assert portal.interrupt() < 15
    assert processes_of(portal.folder) == {}, portal.text


def test_the_second_start_is_quick_keeps_the_data_and_prints_no_password(portal: RunningPortal):
    portal.start(timeout=20)
    assert "password" not in portal.text
    assert get(f"{portal.address}/api/v1/packages?limit=1")["total"] >= 15


def test_what_crashes_is_started_again(portal: RunningPortal):
    portal.start(timeout=90)
    before = {pid for pid, line in processes_of(portal.folder).items() if "gunicorn" in line}
    for pid in before:
        os.kill(pid, signal.SIGKILL)

    def is_back() -> bool:
        try:
            return bool(get(f"{portal.address}/api/v1/packages?limit=1"))
        except OSError:
            return False

    assert wait_until(is_back, 30), portal.text + portal.logs()
    assert "starting it again" in portal.text


def test_nothing_outlives_a_supervisor_that_is_killed(portal: RunningPortal):
    portal.start(timeout=90)
    os.kill(portal.supervisor(), signal.SIGKILL)
    assert wait_until(lambda: processes_of(portal.folder) == {}, 30), processes_of(portal.folder)


def test_a_taken_port_and_a_second_portal_are_refused_in_a_sentence(portal: RunningPortal, folder: Path):
    portal.start(timeout=90)
    with pytest.raises(AssertionError, match="Cannot listen on"):
        RunningPortal(folder, port=portal.port).start(timeout=60)
    with pytest.raises(AssertionError, match="A portal runs on"):
        RunningPortal(folder).start(timeout=60)


def test_without_a_broker_the_worker_polls(portal: RunningPortal, folder: Path):
    portal.settings = {"BROKER": "none", "DATA_DIR": str(folder / "var-without-broker"), "DEMO": "0"}
    portal.settings["ADMIN_PASSWORD"] = "a password that the operator chose"
    portal.start(timeout=120)
    assert "a password that" not in portal.text
    assert "password as ADMIN_PASSWORD has it" in portal.text
    assert "polls the database" in portal.text
    assert get(f"{portal.address}/health")["broker"]["detail"].startswith("none")
    assert get(f"{portal.address}/api/v1/packages")["total"] == 0
    assert any("manage.py work" in line for line in processes_of(folder).values())
