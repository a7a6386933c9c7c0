"""Products as they are served: 64 uploads at once, connections that lie or break, and the shell script of the docs."""

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from accounts.models import AuditEvent
from registry import products, storage
from registry.models import Blob, Release
from tests import builders
from tests.accounts.serving import Served, served
from tests.end_to_end.portals import wait_until
from tests.registry import invariants

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
RACERS = 64
SCRIPT = Path(django_settings.BASE_DIR) / "docs" / "products.sh"


@pytest.fixture(scope="module")
def portal(django_db_setup, tmp_path_factory) -> Iterator[Served]:
    """Two processes over the database of the tests, and folders of their own."""
    folder = tmp_path_factory.mktemp("portal")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_URL", f"file://{folder / 'blobs'}")
        patch.setenv("STAGING_DIR", str(folder / "staging"))
        with served(folder) as portal:
            yield portal


@pytest.fixture(autouse=True)
def same_folders(portal: Served, settings) -> None:
    """What the portal stores is what the test looks at."""
    settings.STORAGE_URL = f"file://{portal.log.parent / 'blobs'}"
    settings.STAGING_DIR = portal.log.parent / "staging"


def form(version: str, content: bytes) -> tuple[bytes, str]:
    """The body of an upload, and its media type."""
    parts = [("product", "tool"), ("version", version)]
    head = "".join(f'--b\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in parts)
    head += '--b\r\nContent-Disposition: form-data; name="file"; filename="tool.bin"\r\n\r\n'
    return head.encode() + content + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"


def send(portal: Served, raw: str, version: str, content: bytes) -> int:
    """One upload on a connection of its own."""
    body, media_type = form(version, content)
    link = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=120)
    with contextlib.closing(link):
        link.request("POST", "/product/upload", body, {"X-Api-Token": raw, "Content-Type": media_type})
        return link.getresponse().status


def break_off(portal: Served, raw: str, announced: int, *, half_open: bool) -> int:
    """Announce so many bytes, send fewer, and hang up, or only stop; the status, 0 where nobody is left to hear it."""
    body, media_type = form("v-broken", b"x" * 200_000)
    head = f"POST /product/upload HTTP/1.1\r\nHost: portal\r\nX-Api-Token: {raw}\r\nContent-Type: {media_type}\r\n"
    with socket.create_connection(("127.0.0.1", portal.port), 60) as link:
        link.sendall(f"{head}Content-Length: {announced}\r\n\r\n".encode() + body[:150_000])
        if not half_open:
            return 0
        link.shutdown(socket.SHUT_WR)
        answer = link.makefile("rb").readline().split()
        return int(answer[1]) if answer else 0


def test_many_uploads_of_one_version_at_once_leave_one_and_broken_ones_none(cast, portal: Served):
    products.create("tool", builders.actor(cast.alice))
    raw = builders.token(cast.root, "admin")
    gate = threading.Barrier(RACERS)

    def race(number: int) -> int:
        gate.wait(60)
        return send(portal, raw, "v1", f"build {number} ".encode() * 4000)

    with ThreadPoolExecutor(RACERS) as pool:
        ended = Counter(pool.map(race, range(RACERS)))

    assert ended == {201: 1, 409: RACERS - 1}
    storage.reconcile()
    assert Release.objects.get().version == "v1"
    assert Blob.objects.count() == len(invariants.objects()) == 1
    assert invariants.staged() == []

    assert break_off(portal, raw, 400_000, half_open=True) in (0, 400)
    assert break_off(portal, raw, 140_000, half_open=True) == 400  # less than what is sent: cut in the file
    break_off(portal, raw, 400_000, half_open=False)
    refused = AuditEvent.objects.filter(action="release.publish", outcome="done")
    wait_until(lambda: invariants.staged() == [])
    assert send(portal, raw, "v2", b"whole") == 201
    assert refused.count() == Release.objects.count() == 2
    invariants.assert_bytes_are_those_that_rows_name(settled=True)


@pytest.mark.once
def test_the_script_of_the_docs_walks_the_whole_life_of_a_product(cast, portal: Served, tmp_path: Path):
    environment = {
        "PATH": os.environ["PATH"], "BASE": f"http://127.0.0.1:{portal.port}", "HOME": str(tmp_path),
        "ADMIN_TOKEN": builders.token(cast.root, "admin"), "LC_ALL": "C.UTF-8", "PRODUCT": "pipeline",
    }  # fmt: skip
    assert shutil.which("curl")

    ran = subprocess.run(["sh", str(SCRIPT)], env=environment, capture_output=True, text=True, timeout=120)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Everything answered as it should." in ran.stdout
    assert ran.stdout.count("\n  ") >= 25
    assert "sk_live_" not in ran.stdout.replace("sk_live_...", "")
    assert "sk_live_" not in portal.log.read_text()
    assert json.dumps(list(AuditEvent.objects.values_list("object", "details"))).count("sk_live_") == 0
    assert not Release.objects.filter(purged_at=None).exists()
