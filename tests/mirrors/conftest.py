"""A region in a directory, one in a bucket, and where the bucket is: a real server that speaks S3."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from registry.mirrors import stores
from registry.mirrors.models import Mirror
from tests.mirrors import regions

BUCKETS = itertools.count()


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    """Its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def frankfurt(cast, tmp_path: Path) -> Mirror:
    """The only region, in an empty directory."""
    Mirror.objects.all().delete()
    return regions.region(tmp_path / "frankfurt")


@pytest.fixture
def bucket(cast, s3_server, monkeypatch) -> Mirror:
    """The only region, in an empty bucket."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "tests")
    Mirror.objects.all().delete()
    url = f"s3://region-{next(BUCKETS)}/kept?endpoint_url={s3_server}&region_name=eu-central-1"
    mirror = regions.region(url, "paris", country="FR")
    store = stores.of(mirror)
    store.client.create_bucket(Bucket=store.name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return mirror


@pytest.fixture(params=["directory", "bucket"])
def anywhere(request) -> Mirror:
    """Each kind of region."""
    return request.getfixturevalue("frankfurt" if request.param == "directory" else "bucket")
