"""Clients that ask for a large index and take nothing of it: they hold a thread for a while, and not for ever."""

import contextlib
import socket
from pathlib import Path

import pytest

from registry.models import Document, Release
from tests.accounts.serving import served

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.once]
MORE_THAN_BUFFERS_HOLD = 24 * 1024 * 1024


def lazy_reader(port: int) -> socket.socket:
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect(("127.0.0.1", port))
    line.sendall(b"GET /npm/@acme-utils%2fcore HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return line


def test_readers_that_take_nothing_keep_nobody_else_waiting(core: Release, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("WEB_PATIENCE_SECONDS", "1")
    assert Document.objects.filter(package=core.package).update(body=b" " * MORE_THAN_BUFFERS_HOLD)
    with served(tmp_path, workers=1) as portal, contextlib.ExitStack() as lines:
        for _ in range(8):  # twice the threads
            lines.enter_context(lazy_reader(portal.port))
        status, _ = portal.ask("", "/npm/-/ping")
    assert status in (200, 401)
