"""Slow readers while their file is removed: each gets all of it, or a clean refusal at the start.

SLOW_READERS=200 makes the long run.
"""

import hashlib
import itertools
import os
import random
import selectors
import socket
import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from moto.server import ThreadedMotoServer

from registry import blobstores, downloading, retiring, storage, tasks
from registry.models import Blob, Release
from tests import builders

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.once]
READERS = int(os.environ.get("SLOW_READERS", "60"))
LONG_AGO = timezone.now() - timedelta(days=30)
SIP = 64 * 1024
BUCKETS = itertools.count()


@pytest.fixture(scope="module")
def s3_server():
    """An S3 server in this process."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture(params=["directory", "s3"])
def stored(request, settings, monkeypatch):
    """Where the file lies; how many read it before the removal, and how many come while it goes on."""
    if request.param == "directory":
        return READERS * 4 // 5, READERS // 5
    server = request.getfixturevalue("s3_server")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "tests")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    settings.STORAGE_URL = f"s3://slow-{next(BUCKETS)}/kept?endpoint_url={server}"
    store = blobstores.from_url(settings.STORAGE_URL)
    place = {"LocationConstraint": "eu-central-1"}
    store.client.create_bucket(Bucket=store.bucket, CreateBucketConfiguration=place)
    return READERS // 4, READERS // 8


class Reader:
    """A client on a thin line: it asks, and takes little at a time."""

    def __init__(self, server, path: str) -> None:
        self.line = socket.socket()
        self.line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024)
        self.line.settimeout(60)
        self.line.connect((server.thread.host, server.thread.port))
        self.line.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        self.answer = b""

    def sip(self) -> bool:
        """Take a little; False at the end."""
        taken = self.line.recv(SIP)
        self.answer += taken
        return bool(taken)

    def ended(self, digest: str) -> str:
        """How it ended: whole, refused, or torn."""
        self.line.close()
        head, _, body = self.answer.partition(b"\r\n\r\n")
        status = head.split()[1].decode()
        if status != "200":
            return f"refused {status}"
        return "whole" if hashlib.sha256(body).hexdigest() == digest else "torn"


def drink_up(readers: list[Reader]) -> None:
    """All of them to the end, each as its line has something."""
    with selectors.DefaultSelector() as lines:
        for reader in readers:
            reader.line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            lines.register(reader.line, selectors.EVENT_READ, reader)
        while lines.get_map():
            for key, _events in lines.select(60):
                if not key.data.sip():
                    lines.unregister(key.fileobj)


def remove(release: Release) -> None:
    """All that time would do: the grace ends, the worker removes, the clean-up deletes the object."""
    Release.objects.filter(pk=release.pk).update(purge_at=LONG_AGO)
    tasks.sweep()
    Blob.objects.update(state=Blob.State.DELETING, touched_at=LONG_AGO)
    storage.reconcile()
    connection.close()


def test_slow_readers_of_a_file_that_is_removed_get_all_of_it_or_a_refusal_at_the_start(
    stored, publish, root, live_server
):
    before, meanwhile = stored
    live_server.thread.httpd.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SIP)  # nothing waits in between
    body = builders.npm_tarball(files={"filler.js": random.Random(2).randbytes(1_200_000)})
    assert len(body) > downloading.READ_WHOLE
    release = publish(body)
    digest, key = release.sha256, release.artifacts.get().blob.key
    path = f"/api/v1/packages/left-pad/versions/{release.version}/download"
    retiring.unlist(release, builders.actor(root))

    readers = [Reader(live_server, path) for _ in range(before)]
    for reader in readers:
        reader.sip()  # the server has opened the file for each of them
    removing = threading.Thread(target=remove, args=(release,))
    removing.start()
    late = [Reader(live_server, path) for _ in range(meanwhile)]
    removing.join()
    assert not storage.store().exists(key)
    assert max(len(reader.answer) for reader in readers) < len(body) / 2
    readers.append(Reader(live_server, path))
    drink_up(readers + late)

    assert Counter(reader.ended(digest) for reader in readers) == {"whole": before, "refused 410": 1}
    assert {reader.ended(digest) for reader in late} <= {"whole", "refused 410", "refused 503"}
