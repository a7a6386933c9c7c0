"""The status of a portal that really runs: a server, a worker, a directory and a bucket that go away and come back."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings as configured
from moto.server import ThreadedMotoServer

from registry.mirrors import stores
from registry.mirrors.models import Mirror
from tests import servers, tools
from tests.accounts import serving
from tests.end_to_end.portals import wait_until
from tests.mirrors import regions

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.django_db(transaction=True)]


def s3(port: int = 0) -> ThreadedMotoServer:
    """A server that speaks S3; what it holds outlives it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    return server


@contextmanager
def worker(folder: Path, storage_url: str) -> Iterator[None]:
    """`manage.py work` over the database of the tests, until the block ends."""
    log = folder / "worker.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment |= {"DATABASE_URL": serving._address(), "SECRET_KEY": configured.SECRET_KEY, "SWEEP_SECONDS": "1"}
    environment |= {"STORAGE_URL": storage_url, "REDIS_URL": ""}
    command = [sys.executable, "manage.py", "work", "--pause", "0.1"]
    with servers.process(command, log, cwd=configured.BASE_DIR, env=environment) as child:
        servers.wait_for(child, lambda: b"Working" in log.read_bytes(), log)
        yield


class Watched:
    """What the snippet of the documents says, and the whole answer."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}/v1/registry/sync/status"

    def status(self) -> str:
        """Word for word, with a real curl and a real jq."""
        snippet = f"{tools.need('curl')} -s {self.address} | {tools.need('jq')} -r .status"
        return subprocess.run(["bash", "-c", snippet], capture_output=True, text=True, check=True).stdout.strip()

    def region(self, name: str) -> dict:
        """One region's row."""
        raw = subprocess.run(["curl", "-s", self.address], capture_output=True, check=True).stdout
        return next(one for one in json.loads(raw)["regions"] if one["region"] == name)

    def becomes(self, wanted: str, seconds: float = 40.0) -> bool:
        """Whether the snippet comes to say so."""
        return wait_until(lambda: self.status() == wanted, seconds)


def test_a_region_that_goes_away_shows_counts_what_waits_and_is_healthy_when_it_has_caught_up(
    cast, settings, monkeypatch, tmp_path
):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "tests")
    Mirror.objects.all().delete()
    place, bucket = tmp_path / "frankfurt", s3()
    port = bucket.get_host_and_port()[1]
    regions.region(place)
    url = f"s3://paris-live/kept?endpoint_url=http://127.0.0.1:{port}&region_name=eu-west-3"
    store = stores.of(regions.region(url, "paris", country="FR"))
    store.client.create_bucket(Bucket=store.name, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    with serving.served(tmp_path) as portal, worker(tmp_path, settings.STORAGE_URL):
        watched = Watched(portal.port)
        assert watched.becomes("healthy")

        bucket.stop()
        assert watched.becomes("degraded")
        assert (watched.region("paris")["status"], watched.region("frankfurt")["status"]) == ("down", "healthy")
        regions.held(cast.acme, "left-pad")
        assert wait_until(lambda: any(place.glob("files/*/*/*/*")), 40), "Frankfurt does not wait for Paris"
        assert wait_until(lambda: watched.region("frankfurt")["pending"] == 0, 20)
        assert watched.region("paris")["pending"] == 1

        place.rename(tmp_path / "aside")
        place.write_text("a file in the place of the directory")
        assert watched.becomes("down"), "neither answers"

        place.unlink()
        (tmp_path / "aside").rename(place)
        bucket = s3(port)
        assert watched.becomes("healthy")
        back = watched.region("paris")
        assert (back["pending"], back["failed_packages"], back["last_success_at"] is None) == (0, 0, False)
    bucket.stop()
