"""What stays when the supervisor of `make run` is killed: nothing, whatever its children think of signals."""

import subprocess

import pytest

from config.supervising import UNDERTAKER

pytestmark = [pytest.mark.once, pytest.mark.slow]


def test_who_heeds_no_signal_is_killed_though_others_are_gone_already():
    gone = subprocess.Popen(["/bin/sh", "-c", "exit"], start_new_session=True)
    gone.wait()
    deaf = subprocess.Popen(["/bin/sh", "-c", "trap '' TERM QUIT; sleep 60 & wait; wait"], start_new_session=True)
    undertaker = subprocess.Popen(["/bin/sh", "-c", UNDERTAKER], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    undertaker.communicate(f"{gone.pid}\n{deaf.pid}\n".encode())  # and closes its input, as a supervisor that dies
    assert deaf.wait(10) == -9
