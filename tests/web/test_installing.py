"""The install lines of the pages: they lead here, to the version shown, and real clients understand them."""

import html
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from registry import approving, documents, retiring
from registry.models import Artifact, Blob
from tests import builders, tools
from tests.web.test_pages import page, signed_in, text_of

pytestmark = pytest.mark.once
CORE = "/packages/npm/@acme-utils/core"
NOWHERE = "http://127.0.0.1:1/"  # a client that asks its usual registry fails


def lines_of(shown: str) -> list[str]:
    """The command lines on a page, as they are copied."""
    return [
        html.unescape(line)
        for line in re.findall(r'<div class="command"><code>([^<]+)</code>', shown.replace("<wbr>", ""))
    ]


def run(line: str, folder: Path, **variables: str) -> str:
    """The line in a shell, with clients that know no other registry and no cache; what it printed."""
    settings = {
        "npm_config_registry": NOWHERE, "npm_config_cache": str(folder / "cache"), "npm_config_audit": "false",
        "PIP_INDEX_URL": NOWHERE, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1",
        "PIP_TARGET": str(folder / "target"), "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }  # fmt: skip
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, **settings, **variables, "PATH": path}
    done = subprocess.run(["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def pair(tmp_path):
    return builders.key_pair(tmp_path)


@pytest.fixture
def core(only_our_gates, alice, pair):
    return builders.published(alice, pair, builders.npm_tarball("@acme-utils/core", "1.2.0"))


# --- real clients --------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_real_npm_and_real_pip_install_what_the_pages_say(live_server, only_our_gates, alice, pair, tmp_path):
    tools.need("npm")
    tools.need("curl")
    builders.published(alice, pair, builders.npm_tarball("@acme-utils/core", "1.2.0"))
    builders.published(alice, pair, builders.wheel("demo-pkg", "1.0.0+local.1"))
    builders.published(alice, pair, builders.npm_tarball("@acme-utils/inner", "0.1.0"), access="private")
    host = live_server.url.removeprefix("http://")
    (tmp_path / "package.json").write_text('{"name": "ours", "version": "1.0.0"}')
    shown = Client().get(f"{CORE}/versions/1.2.0", headers={"Host": host}).content.decode()
    run(lines_of(shown)[0], tmp_path)
    assert (tmp_path / "node_modules/@acme-utils/core/index.js").exists()

    shown = Client().get("/packages/pypi/demo-pkg", headers={"Host": host}).content.decode()
    assert "#sha256=" in lines_of(shown)[0]
    assert "demo-pkg-1.0.0+local.1" in run(lines_of(shown)[0], tmp_path)
    assert (tmp_path / "target/demo_pkg/__init__.py").exists()

    shown = signed_in(alice).get("/packages/npm/@acme-utils/inner", headers={"Host": host}).content.decode()
    run(lines_of(shown)[0], tmp_path, CODESYNC_TOKEN=builders.token(alice, "read"))
    assert (tmp_path / "node_modules/@acme-utils/inner/index.js").exists()


# --- what the lines say ---------------------------------------------------------------------------------------------
def test_the_lines_lead_to_the_host_that_the_page_is_seen_on(client, core, settings):
    file = "/api/v1/packages/@acme-utils/core/versions/1.2.0/files/core-1.2.0.tgz"
    assert lines_of(page(client, CORE))[0] == f"npm install http://testserver{file}"
    assert lines_of(page(client, CORE, Host="localhost:8000"))[0] == f"npm install http://localhost:8000{file}"
    settings.PUBLIC_URL = "https://packages.example.org"
    for path in (CORE, f"{CORE}/versions/1.2.0"):
        lines = lines_of(page(client, path))
        assert lines[0] == f"npm install https://packages.example.org{file}"
        assert lines[2] == f"yarn add @acme-utils/core@https://packages.example.org{file}"


def test_where_another_ecosystem_holds_the_name_the_line_says_which(client, only_our_gates, alice, pair):
    first = builders.published(alice, pair, builders.npm_tarball("shared", "1.0.0"))
    second = builders.published(alice, pair, builders.wheel("shared", "1.0.0"))
    for release, slug in ((first, "npm"), (second, "pypi")):
        line = lines_of(page(client, f"/packages/{slug}/shared"))[0]
        address = shlex.split(line)[-1].partition("#")[0]
        answer = client.get(address.removeprefix("http://testserver"))
        assert answer.headers["X-Checksum-Sha256"] == release.sha256, line


def test_a_private_package_says_how_to_send_a_token(alice, mallory, pair, only_our_gates):
    builders.published(alice, pair, builders.wheel("inner", "1.0.0"), access="private")
    shown = page(signed_in(alice), "/packages/pypi/inner")
    lines = lines_of(shown)
    assert lines[0].startswith('curl -fOJ -H "Authorization: Bearer $CODESYNC_TOKEN" http://testserver/api/v1/')
    assert lines[0].endswith("&& pip install ./inner-1.0.0-py3-none-any.whl")
    assert "/profile/tokens" in shown
    page(signed_in(mallory), "/packages/pypi/inner", 404)


def test_a_plain_file_is_fetched_with_curl(client, acme):
    release = builders.release(builders.package(acme, "installer", "generic"), "1.0")
    blob = Blob.objects.create(sha256="5" * 64, size=1)
    Artifact.objects.create(release=release, blob=blob, filename="setup-1.0+x.run", kind="file", size=1)
    documents.rebuild(release.package)
    file = "http://testserver/api/v1/packages/installer/versions/1.0/files/setup-1.0+x.run"
    assert lines_of(page(client, "/packages/generic/installer")) == [f"curl -fOJ {file}"]


def test_what_was_submitted_by_name_only_has_no_line_and_says_so(client, acme):
    release = builders.release(builders.package(acme, "installer", "generic"))
    documents.rebuild(release.package)
    shown = page(client, "/packages/generic/installer")
    assert lines_of(shown) == []
    assert "No file of this version is held here" in text_of(shown)


def test_only_what_may_be_had_shows_a_line(client, cast, core):
    approving.quarantine(core, builders.actor(cast.bob), reason="A flaw was found.")
    for path in (CORE, f"{CORE}/versions/1.2.0"):
        shown = page(client, path)
        assert lines_of(shown) == []
        assert "A flaw was found." in text_of(shown)


def test_what_is_unlisted_is_offered_no_more(client, cast, core):
    retiring.unlist(core, builders.actor(cast.root))
    assert lines_of(page(client, f"{CORE}/versions/1.2.0")) == []
