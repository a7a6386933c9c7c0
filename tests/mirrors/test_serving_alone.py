"""A region serves alone: a real nginx with the shipped configuration over what the engine wrote, no application."""

import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from config.brokering import free_port
from registry.mirrors import layout, stores
from tests import builders
from tests.mirrors import nginx, regions

pytestmark = [pytest.mark.django_db, pytest.mark.once]
CORE = builders.npm_tarball("@acme/core")
TWIN = builders.npm_tarball("demo-pkg")
WHEEL = builders.wheel("Demo_Pkg", "1.0.0+local.1")


@pytest.fixture
def published(cast, settings, tmp_path) -> None:
    """A scoped npm package, a wheel with a plus in its version, its younger npm namesake, and a private one."""
    settings.REGISTRY_GATES = {**settings.REGISTRY_GATES, "approving": ["registry.gates.review_policy"]}
    settings.REGISTRY_CHECKS = {}
    pair = builders.key_pair(tmp_path)
    for body in (CORE, WHEEL, TWIN):
        builders.published(cast.alice, pair, body)
    builders.published(cast.alice, pair, builders.npm_tarball("@acme/secret"), access="private")


@pytest.fixture
def region(published, anywhere, tmp_path) -> Iterator[str]:
    """The address of a region with everything public in it."""
    regions.catch_up()
    port, store = free_port(), stores.of(anywhere)
    if isinstance(store, stores.Directory):
        shipped, values = "mirror-nginx.conf", {"/srv/codesync/mirrors/frankfurt": str(store.root)}
        values |= {"8080": str(free_port())}
    else:
        let_everybody_read(store)
        shipped, host = "mirror-nginx-bucket.conf", urlsplit(store.client.meta.endpoint_url).netloc
        values = {"s3.eu-central-1.amazonaws.com:80": host, "s3.eu-central-1.amazonaws.com": host}
        values |= {"/codesync-frankfurt/mirror": f"/{store.name}/kept"}
        values |= {"/run/codesync-links.sock": str(tmp_path / "links.sock")}
    with nginx.serving(tmp_path / "nginx", shipped, values | {"8081": str(port)}, port) as address:
        yield address


def let_everybody_read(store: Any) -> None:
    """As the configuration asks of a bucket."""
    objects = f"arn:aws:s3:::{store.name}/*"
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": objects}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    store.client.put_bucket_policy(Bucket=store.name, Policy=policy)


def read(address: str, *options: str) -> dict:
    """The JSON that is answered with 200."""
    status, headers, body = nginx.get(address, *options)
    assert (status, headers["content-type"]) == (200, "application/json"), body
    return json.loads(body)


def test_metadata_and_files_answer_under_the_paths_of_the_api(region, tmp_path):
    for base in ("/api/v1", "/v1"):
        core = read(f"{region}{base}/packages/@acme/core")
        assert read(f"{region}{base}/packages/@acme%2Fcore") == core
        # without an ecosystem a name means the package that had it first, in either spelling
        for name, ecosystem in (("demo-pkg", ""), ("Demo_Pkg", ""), ("Demo_Pkg", "pypi"), ("demo-pkg", "npm")):
            found = read(f"{region}{base}/packages/{name}?ecosystem={ecosystem}")
            assert found["ecosystem"] == (ecosystem or "pypi")
    wheel = read(f"{region}/v1/packages/demo-pkg")
    files = {"core-1.0.0.tgz": (core, CORE), "demo_pkg-1.0.0+local.1-py3-none-any.whl": (wheel, WHEEL)}
    for filename, (document, sent) in files.items():
        version = document["versions"][0]
        download = version["download_url"]
        named = download.replace("/download", f"/files/{filename}")
        for path in (download, named, digest_path(version["sha256"])):
            status, headers, body = nginx.get(f"{region}{path}")
            assert (status, hashlib.sha256(body).hexdigest(), body) == (200, version["sha256"], sent)
            assert headers["cache-control"] == "public, max-age=31536000, immutable"
            assert headers["content-type"] == "application/octet-stream"
            assert nginx.get(f"{region}{path}", "--range", "2-5")[0::2] == (206, sent[2:6])
            assert nginx.get(f"{region}{path}", "--header", f"If-None-Match: {headers['etag']}")[0] == 304
        assert headers["x-checksum-sha256"] == version["sha256"]
    assert downloaded_by_pip(f"{region}{named}?ecosystem=pypi#sha256={version['sha256']}", tmp_path) == [WHEEL]


def downloaded_by_pip(address: str, folder: Path) -> list[bytes]:
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--isolated",
        "--disable-pip-version-check",
        "--quiet",
        "download",
        "--no-deps",
    ]
    subprocess.run([*pip, "--no-cache-dir", "--dest", folder / "got", address], check=True)
    return [one.read_bytes() for one in (folder / "got").iterdir()]


def digest_path(sha256: str) -> str:
    return f"/{layout.file_of(sha256)}"


def test_what_is_private_unknown_or_no_file_is_refused_in_the_shape_of_the_api(region):
    refused = {
        "/v1/packages/@acme/secret": 404,
        "/v1/packages/@acme/secret/versions/1.0.0/download": 404,
        "/v1/packages/@acme": 404,
        "/v1/packages/demo-pkg/versions/9.9.9/download": 404,
        "/v1/packages/demo-pkg?ecosystem=rubygems": 404,
        "/v1/packages/-%0d%0aX-Rest:1": 404,  # a line of its own, where names go into the address of a bucket
        "/v1/packages/demo-pkg%3Facl": 404,
        "/v1/packages/demo-pkg/versions/1.0.0%20HTTP/download": 404,
        "/v1/packages/..%2F..%2Fpackages": 503,
        "/v1/packages/demo-pkg/versions/1.0.0/files/..": 503,
        f"/{layout.file_of(hashlib.sha256(b'nothing').hexdigest())}": 404,
        "/v1/packages/demo-pkg/resolve?range=1": 503,
        "/v1/packages/stats/categories": 503,
        "/v1/packages": 503,
        "/names/any/-/demo-pkg": 503,
        "/": 503,
    }
    for path, expected in refused.items():
        status, headers, body = nginx.get(region + path, "--header", "Authorization: Bearer sk_live_whatever")
        assert (path, status) == (path, expected)
        assert headers["content-type"] == "application/json"
        assert json.loads(body)["statusCode"] == expected
    assert nginx.get(f"{region}/packages/pypi/-/demo-pkg/package.json")[0] in (404, 503)
    status, headers, _body = nginx.get(f"{region}/v1/packages/demo-pkg", "--data", "{}")
    assert (status, headers["retry-after"]) == (503, "30")


class Application(BaseHTTPRequestHandler):
    """An application that answers with `status`, and says what it was sent."""

    protocol_version = "HTTP/1.1"
    status = 200

    def answer(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.dumps({"by": "application", "sent": len(sent)}).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = answer  # noqa: N815  # the names that the base class asks for

    def log_message(self, *_: object) -> None:
        """Nothing: the test tells what it sees."""


@pytest.fixture
def application() -> Iterator[ThreadingHTTPServer]:
    Application.status = 200
    server = ThreadingHTTPServer(("127.0.0.1", 0), Application)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.server_close()


def test_the_application_answers_first_and_the_region_where_it_does_not(published, frankfurt, application, tmp_path):
    alone, port = free_port(), free_port()
    regions.catch_up()
    values = {"127.0.0.1:8000": f"127.0.0.1:{application.server_port}", "8081": str(alone), "8080": str(port)}
    values |= {"/srv/codesync/mirrors/frankfurt": str(stores.root_of(frankfurt))}
    with nginx.serving(tmp_path / "nginx", "mirror-nginx.conf", values, port) as at:
        core, secret = f"{at}/v1/packages/@acme%2Fcore", f"{at}/v1/packages/@acme/secret"
        assert read(core) == {"by": "application", "sent": 0}
        Application.status = 404
        assert nginx.get(core)[0::2] == (404, b'{"by": "application", "sent": 0}')
        Application.status = 503  # of the application itself, as while its database is away
        assert read(core)["name"] == "@acme/core"
        status, _headers, body = nginx.get(f"{at}/v1/packages/publish", "--data", "x" * 100_000)
        assert (status, json.loads(body)) == (503, {"by": "application", "sent": 100_000}), "its own words, of writes"
        application.shutdown()
        application.server_close()
        assert read(core)["name"] == "@acme/core"
        assert nginx.get(f"{core}/versions/1.0.0/download")[2] == CORE
        status, headers, body = nginx.get(secret)
        assert (status, headers["retry-after"]) == (503, "30"), "nobody may take it for a free name"
        assert json.loads(body)["statusCode"] == 503
        assert nginx.get(f"{at}/v1/packages/publish", "--data", "x")[0] == 502
