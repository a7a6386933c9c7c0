"""Pull-through as pip and uv meet it: what nobody has asked for yet, what waits for a person, what is withdrawn."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from registry import approving
from registry.models import Release
from registry.upstreams.through import allowing
from tests import builders, tools
from tests.upstreams import shops
from tests.upstreams.test_pull_through_live import upstream, working

pytestmark = [pytest.mark.once, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PIP = ["-m", "pip", "--isolated", "--disable-pip-version-check", "--no-cache-dir", "--retries", "0", "install"]


@pytest.fixture
def shop():
    """A Python index on which wide needs left-pad, and left-pad nothing: wheels with metadata, and sdists."""
    with shops.opened(shops.PyPiShop()) as shop:
        for name, needs in (("wide", ["left-pad>=1"]), ("left-pad", [])):
            for version in ("1.0.0", "1.3.0"):
                stem = f"{name.replace('-', '_')}-{version}"
                body = builders.wheel(name, version, requires_dist=needs)
                shop.put(name, version, f"{stem}-py3-none-any.whl", body)
                shop.put(name, version, f"{stem}.tar.gz", builders.sdist(name, version, requires_dist=needs))
        yield shop


@pytest.fixture
def client(live_server, cast, tmp_path: Path):
    """`client("pip", "wide")`: what it prints in a folder of its own; it must install, or fail."""
    netrc = tmp_path / "netrc"
    place = f"machine {urlsplit(live_server.url).hostname} login __token__"
    netrc.write_text(f"{place} password {builders.token(cast.alice, 'read')}\n")
    netrc.chmod(0o600)

    def run(name: str, *wanted: str, fails: bool = False, knows: bool = True) -> str:
        index = f"{live_server.url}/pypi/simple/"
        target = ["--target", str(tmp_path / f"{name}-{len(list(tmp_path.iterdir()))}")]
        words = {
            "pip": [sys.executable, *PIP, "--index-url", index, *target],
            "uv": [tools.need("uv"), "--no-cache", "--no-config", "pip", "install", "--python", sys.executable,
                   "--default-index", index, *target],
        }  # fmt: skip
        own = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NO_COLOR": "1", "LANG": "C.UTF-8"}
        own |= {"NETRC": str(netrc)} if knows else {}
        done = subprocess.run(
            [*words[name], *wanted], env=own, cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False
        )
        assert bool(done.returncode) == fails, done.stdout + done.stderr
        return " ".join((done.stdout + done.stderr).split())

    return run


@pytest.mark.parametrize("name", ["pip", "uv"])
def test_a_client_installs_what_nobody_has_asked_for_yet_and_reads_where_the_rest_waits(
    shop, cast, live_server, client, name: str
):
    one = upstream(shop, cast, name="public-python", kind="pypi")
    with working():
        told = client(name, "wide", fails=True)
        assert "403" in told
        assert re.search(rf"It waits at {live_server.url}/packages/pypi/wide/versions/1\.3\.0", told), told
        for waiting in Release.objects.filter(status="pending"):
            approving.approve(waiting, builders.actor(cast.bob), reason="Needed.")
        one.needs_review = False
        one.save()
        allowing.forget()
        client(name, "wide")
    there = sorted(Release.objects.values_list("package__name", "version", "status"))
    assert there == [("left-pad", "1.3.0", "approved"), ("wide", "1.3.0", "approved")]
    shop.fault = lambda ask: (500, {}, b"")
    client(name, "wide", knows=False)  # by now for everybody

    withdrawn = Release.objects.get(package__name="left-pad")
    approving.quarantine(withdrawn, builders.actor(cast.bob), reason="Malware.")
    client(name, "wide", fails=True, knows=False)
    pinned = f"{live_server.url}/pypi/files/left-pad/1.3.0/left_pad-1.3.0-py3-none-any.whl"  # as a lock file has it
    assert "403 This version is quarantined. Malware." in client(name, pinned, fails=True).replace(
        "Client Error: ", ""
    )
