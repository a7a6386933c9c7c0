"""Starts one tool where it can do little harm. A program of its own, so that it needs nothing of ours.

It is run as `python -I -S launching.py '{"command": [...], ...}'`, needs the standard library alone, and ends with
the status of the tool, 128 + N where a signal ended that, or one of the two statuses below. A SIGTERM, and the death
of whoever started it, end the tool and everything that the tool has started.

Where the system lets it, the tool has a network of its own with nothing in it, and its own tree of processes, which
the kernel ends as a whole; elsewhere strays are looked for and ended one by one.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

CANNOT_BE_RUN = 126
NOT_FOUND = 127
SIGNALLED = 128
NOBODY = 65534

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS, PR_SET_CHILD_SUBREAPER = 1, 38, 36
NEW_USER, NEW_PROCESSES, NEW_NETWORK, NEW_IPC = 0x10000000, 0x20000000, 0x40000000, 0x08000000

LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def launch(order: dict[str, Any]) -> int:
    """Run the command and answer its status."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    separate(network=not order["network"])
    child = os.fork()
    if child == 0:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os._exit(_watch(order))
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGKILL))
    status = _wait_for(child)
    _end_strays()
    return status


def separate(*, network: bool) -> set[str]:
    """Leave the common network and process tree; says which of `network` and `processes` worked."""
    if LIBC is None:
        return set()
    wanted = {"processes": NEW_PROCESSES | NEW_IPC, **({"network": NEW_NETWORK} if network else {})}
    flags = sum(wanted.values())
    if LIBC.unshare(flags) == 0:
        return set(wanted)
    user, group = os.geteuid(), os.getegid()
    if user and LIBC.unshare(NEW_USER | flags) == 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        return set(wanted)
    return set()


def _watch(order: dict[str, Any]) -> int:
    """The first process of the new tree: when it ends, the kernel ends whatever is left in it."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    tool = os.fork()
    if tool == 0:
        os._exit(_become(order))
    status = _wait_for(tool)
    _end_strays()
    return status


def _become(order: dict[str, Any]) -> int:
    """Give up what the tool does not need, and turn into it; returns only where that fails."""
    try:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.chdir(order["folder"])
        os.umask(0o077)
        os.nice(10)  # web and worker come first
        if order["user"] is not None:
            os.setgroups([])
            os.setgid(order["user"])
            os.setuid(order["user"])
        _prctl(PR_SET_NO_NEW_PRIVS, 1)
        for name, limit in order["limits"].items():
            _limit(getattr(resource, name), limit)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores, and a tool would inherit that
            signal.signal(number, signal.SIG_DFL)
        os.execve(order["command"][0], order["command"], order["environment"])  # noqa: S606  # turning into the tool is the point
    except OSError as problem:
        os.write(2, f"{problem.strerror}: {order['command'][0]}\n".encode())
        return NOT_FOUND if isinstance(problem, FileNotFoundError) else CANNOT_BE_RUN


def _limit(kind: int, wanted: int) -> None:
    allowed = resource.getrlimit(kind)[1]
    wanted = wanted if allowed == resource.RLIM_INFINITY else min(wanted, allowed)
    resource.setrlimit(kind, (wanted, wanted))


def _wait_for(child: int) -> int:
    """The status of that child; others that end meanwhile are buried."""
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else SIGNALLED - code


def _end_strays() -> None:
    """Kill and bury what has come down to us from processes that left their group."""
    while True:
        listed = Path("/proc/thread-self/children")
        try:
            for child in listed.read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(child), signal.SIGKILL)
            os.waitpid(-1, 0)
        except OSError:  # no child is left, or the system lists none
            return


def _prctl(option: int, value: int) -> None:
    if LIBC is not None:
        LIBC.prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    if sys.argv[1] == "--probe":
        print(json.dumps(sorted(separate(network=True))))  # noqa: T201  # this is its answer
    else:
        sys.exit(launch(json.loads(sys.argv[1])))
