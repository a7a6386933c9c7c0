"""Who sends the bytes: this process, a real nginx before it, or the bucket. The gates are asked first, always."""

import hashlib
import http.client
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import boto3
import pytest
from django.core.checks import run_checks
from moto.server import ThreadedMotoServer

from config.brokering import free_port
from registry import approving, counting, storage
from registry.api.leaving import disposition
from registry.models import Artifact, DownloadCount, Release
from tests import builders, tools
from tests.api.clients import ApiClient
from tests.builders import Cast, KeyPair
from tests.servers import process, takes_connections, wait_for

SHIPPED = Path(__file__).resolve().parents[2] / "docs" / "nginx-downloads.conf"
FILE = "/api/v1/packages/@acme-utils/core/versions/1.2.0/download"
SAID = ("ETag", "Cache-Control", "Content-Type", "Content-Disposition", "Digest", "X-Checksum-Sha256", "Vary",
        "X-Content-Type-Options", "Content-Security-Policy", "Accept-Ranges", "Content-Length")  # fmt: skip
AROUND = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; {user}
events {{ worker_connections 64; }}
http {{
    access_log off; default_type text/plain;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; include {folder}/shipped.conf; }}
}}
"""
Ask = Callable[..., tuple[http.client.HTTPResponse, bytes]]


@pytest.fixture
def archive(core: Release) -> bytes:
    """The bytes of `@acme-utils/core` 1.2.0."""
    with storage.open_blob(core.artifacts.get().blob) as stream:
        return stream.read()


@pytest.fixture
def nginx(live_server, settings) -> Iterator[Ask]:
    """Ask an nginx that runs with the file we ship, of which only the two lines are changed that it says to change."""
    program = tools.need("nginx")
    settings.DOWNLOAD_VIA = "accel"
    # the license policy is seeded by a migration, and a test that drives a server ends with emptied tables
    ours = ["registry.gates.checks_pass", "registry.gates.review_policy"]
    settings.REGISTRY_GATES = {**settings.REGISTRY_GATES, "approving": ours}
    portal, blobs = urlsplit(live_server.url).netloc, f"{settings.STORAGE_URL.removeprefix('file://')}/"
    shipped = SHIPPED.read_text()
    for written, here in (("127.0.0.1:8000", portal), ("/var/lib/registry/blobs/", blobs)):
        assert shipped.count(written) == 1
        shipped = shipped.replace(written, here)
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        (folder / "shipped.conf").write_text(shipped)
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(AROUND.format(folder=folder, port=port, user=user))
        command = [program, "-c", str(folder / "nginx.conf"), "-p", name, "-e", str(folder / "error.log")]
        with process(command, folder / "log") as child:
            wait_for(child, lambda: takes_connections(port), folder / "log")
            yield lambda path, method="GET", **headers: ask(port, path, method, headers)


def ask(port: int, path: str, method: str, headers: dict[str, str]) -> tuple[http.client.HTTPResponse, bytes]:
    """One request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def downloads() -> int:
    counting.fold()
    return sum(DownloadCount.objects.values_list("count", flat=True))


def test_nginx_sends_what_the_portal_allows_and_says_what_the_portal_says(
    nginx: Ask, archive: bytes, live_server, settings
):
    answer, body = nginx(FILE)
    direct, nothing = ask(urlsplit(live_server.url).port, FILE, "GET", {})
    settings.DOWNLOAD_VIA = "stream"
    streamed, _ = ask(urlsplit(live_server.url).port, FILE, "GET", {})
    settings.DOWNLOAD_VIA = "accel"

    assert (answer.status, body) == (200, archive)
    assert (direct.headers["X-Accel-Redirect"].startswith("/_blobs/sha256/"), nothing) == (True, b"")
    assert [answer.headers[name] for name in SAID] == [streamed.headers[name] for name in SAID]
    assert (answer.headers["X-Accel-Redirect"], answer.headers["Last-Modified"]) == (None, None)
    assert downloads() == 3

    head, nothing = nginx(FILE, "HEAD")
    assert ([head.headers[name] for name in SAID], nothing) == ([answer.headers[name] for name in SAID], b"")
    assert nginx(FILE, If_None_Match=answer.headers["ETag"])[0].status == 304
    part, some = nginx(FILE, Range="bytes=10-19", If_Range=answer.headers["ETag"])
    assert (part.status, part.headers["Content-Range"], some) == (206, f"bytes 10-19/{len(archive)}", archive[10:20])
    assert nginx(FILE, Range="bytes=-5")[1] == archive[-5:]
    for odd in ({"Range": "bytes=0-1,4-5"}, {"Range": "bytes=9-1"}, {"Range": "bytes=0-1", "If_Range": '"other"'}):
        assert (nginx(FILE, **odd)[0].status, nginx(FILE, **odd)[1]) == (200, archive), odd
    beyond, sentence = nginx(FILE, Range="bytes=99999999-")
    assert (beyond.status, b"statusCode" in sentence) == (416, True)


def test_behind_nginx_private_stays_private_and_no_file_is_reached_without_the_portal(
    nginx: Ask, cast: Cast, pair: KeyPair, core: Release, settings
):
    secret = builders.npm_tarball("secret", "1.0.0")
    release = builders.published(cast.alice, pair, secret, access="private")
    address = "/api/v1/packages/secret/versions/1.0.0/download"
    blob = release.artifacts.get().blob

    assert nginx(address)[0].status == 404
    assert nginx(address, X_API_Key=builders.token(cast.mallory, "read"))[0].status == 404
    mine, body = nginx(address, X_API_Key=builders.token(cast.alice, "read"))
    assert (mine.status, body, mine.headers["Cache-Control"]) == (200, secret, "private, max-age=31536000, immutable")
    for path in (f"/_blobs/{blob.key}", f"/_blobs//{blob.key}", f"/x/../_blobs/{blob.key}", "/_blobs/"):
        answer, body = nginx(path)
        assert (answer.status, secret[:20] in body) == (404, False), path
    approving.quarantine(core, builders.actor(cast.bob), reason="A flaw was found.")
    assert nginx(FILE)[0].status == 403
    storage.local_path(blob).unlink()
    lost, sentence = nginx(address, X_API_Key=builders.token(cast.alice, "read"))
    assert (lost.status, b"statusCode" in sentence, b"nginx" in sentence) == (503, True, False)


# --- from the bucket ----------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def bucket(s3: str, settings, monkeypatch) -> str:
    """A bucket that holds what is published, and is told to give it itself."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "tests")
    boto3.client("s3", endpoint_url=s3, region_name="us-east-1").create_bucket(Bucket="leaving")
    settings.STORAGE_URL = f"s3://leaving/kept?endpoint_url={s3}&region_name=eu-central-1"
    settings.DOWNLOAD_VIA = "presign"
    return s3


def test_a_bucket_gives_the_file_itself_by_an_address_that_ends_within_a_minute(
    bucket: str, archive: bytes, nobody: ApiClient, settings
):
    answer = nobody.get(FILE.removeprefix("/api/v1"))
    address = answer["Location"]
    signed = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}

    assert (answer.status_code, answer.content, address.startswith(bucket)) == (302, b"", True)
    assert (answer["Cache-Control"], answer["X-Checksum-Sha256"]) == ("private, no-store", _sha256(archive))
    assert (signed["X-Amz-Expires"], signed["X-Amz-Algorithm"]) == ("60", "AWS4-HMAC-SHA256")
    assert signed["X-Amz-SignedHeaders"] == "host"
    with urlopen(address, timeout=20) as given:
        assert given.read() == archive
        assert given.headers["Content-Disposition"] == 'attachment; filename="core-1.2.0.tgz"'
        assert given.headers["Content-Type"] == Artifact.objects.get().media_type
    assert downloads() == 1

    path = FILE.removeprefix("/api/v1")
    etag = nobody.head(path)["ETag"]
    assert (nobody.head(path).status_code, nobody.get(path, headers={"If-None-Match": etag}).status_code) == (200, 304)
    assert nobody.get(path, headers={"Range": "bytes=5-"}).status_code == 302
    assert nobody.get(path, headers={"Range": "bytes=99999999-"}).status_code == 416
    assert downloads() == 1
    settings.STORAGE_URL += "&public_endpoint_url=https://files.example.org"
    assert nobody.get(path)["Location"].startswith("https://files.example.org/leaving/kept/sha256/")


def test_what_may_not_leave_gets_no_address(bucket: str, cast: Cast, pair: KeyPair, core: Release, nobody: ApiClient):
    builders.published(cast.alice, pair, builders.npm_tarball("secret", "1.0.0"), access="private")
    approving.quarantine(core, builders.actor(cast.bob), reason="A flaw was found.")

    refused = nobody.get(FILE.removeprefix("/api/v1")), nobody.get("/packages/secret/versions/1.0.0/download")
    assert [answer.status_code for answer in refused] == [403, 404]
    assert not [answer for answer in refused if "Location" in answer]


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


# --- what the settings may say, and names -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("via", "url", "more", "words"),
    [
        ("accel", "s3://bucket/x", {}, "names a bucket"),
        ("presign", "file:///srv/blobs", {}, "names a directory"),
        ("torrent", "file:///srv/blobs", {}, "stream, accel or presign"),
        ("accel", "file:///srv/blobs", {"ACCEL_PREFIX": "blobs"}, "begins and ends with a slash"),
        ("accel", "file:///srv/blobs", {"ACCEL_PREFIX": "/"}, "begins and ends with a slash"),
        ("presign", "s3://bucket/x", {"PRESIGN_SECONDS": 3600}, "1 to 60"),
        ("stream", "file:///srv/blobs", {"UPLOAD_STALL_SECONDS": 0.0}, "more than 0"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_the_start(settings, via: str, url: str, more, words: str):
    settings.DOWNLOAD_VIA, settings.STORAGE_URL = via, url
    for name, value in more.items():
        setattr(settings, name, value)
    found = [check.msg for check in run_checks(tags=["registry"]) if check.id == "registry.E008"]
    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize("via", ["stream", "accel"])
def test_settings_that_work_are_not(settings, via: str):
    settings.DOWNLOAD_VIA = via
    assert not [check for check in run_checks(tags=["registry"]) if check.id == "registry.E008"]


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("core-1.2.0.tgz", 'attachment; filename="core-1.2.0.tgz"'),
        ('my "best" file.bin', 'attachment; filename="my \\"best\\" file.bin"'),
        ("a\\b", 'attachment; filename="a\\\\b"'),
        ("größe.bin", "attachment; filename=\"gr__e.bin\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.bin"),
        ("a\r\nSet-Cookie: x=1", 'attachment; filename="a__Set-Cookie: x=1"'),
        ("", 'attachment; filename="file"'),
    ],
)
def test_a_file_is_saved_under_its_own_name_whatever_that_is(name: str, header: str):
    assert disposition(name) == header
    assert re.fullmatch(r"[ -~]+", header)
