"""pip, uv and twine themselves against a portal that runs: publish, held, install, withdrawn, private."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import transaction

from accounts.models import Project
from registry import approving, documents, tasks
from registry.models import Package, Release
from registry.protocols.pypi import negotiating
from tests import builders, tools
from tests.builders import Cast

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("pypi-clients"),
]
ALONE = ["--isolated", "--disable-pip-version-check", "--no-cache-dir", "--retries", "0"]
SKIPS = """
import pathlib, requests, sys
from twine.commands.upload import skip_upload
file, address, token = pathlib.Path(sys.argv[1]), *sys.argv[2:]
answer = requests.post(address, auth=("__token__", token), files={"content": (file.name, file.read_bytes())})
print(answer.status_code, skip_upload(answer, True, None))
"""


@dataclass
class Desk:
    """A person's folder with two distributions of `acme-app`, which needs `acme-lib`, and a portal to send them to."""

    folder: Path
    address: str
    token: str

    def run(self, *command: str | Path, fails: bool = False, **environment: str) -> str:
        """What the program prints, both streams; it must succeed, or fail."""
        own = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "NO_COLOR": "1", "LANG": "C.UTF-8"}
        done = subprocess.run(
            command, cwd=self.folder, env={**own, **environment}, capture_output=True, text=True, timeout=90
        )
        said = done.stdout + done.stderr
        assert (done.returncode != 0) is fails, f"{command}\n{said}"
        return said

    def pip(self, verb: str, *words: str, base: str = "pypi/simple/", fails: bool = False, **environment: str) -> str:
        """pip, told of this index alone."""
        index = ["--index-url", f"{self.address}/{base}"]
        return self.run(sys.executable, "-m", "pip", *ALONE, verb, *index, *words, fails=fails, **environment)

    def twine(self, *words: str | Path, fails: bool = False) -> str:
        """twine upload, with the token as its password."""
        keys = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": self.token}
        address = ["--repository-url", f"{self.address}/pypi/legacy/", "--disable-progress-bar", "--non-interactive"]
        return self.run(tools.need("twine"), "upload", *address, *words, fails=fails, **keys)

    def uv(self, *words: str | Path, fails: bool = False, **environment: str) -> str:
        """uv without a cache and without a look at other indexes."""
        return self.run(tools.need("uv"), "--no-cache", "--no-config", *words, fails=fails, **environment)

    def netrc(self) -> dict[str, str]:
        """An environment whose `.netrc` holds the token for the portal."""
        path = self.folder / "netrc"
        path.write_text(f"machine {urlsplit(self.address).hostname} login __token__ password {self.token}\n")
        path.chmod(0o600)
        return {"NETRC": str(path)}

    @property
    def files(self) -> Sequence[Path]:
        """What was built."""
        return sorted((self.folder / "dist").iterdir())


@pytest.fixture
def desk(cast: Cast, live_server, tmp_path: Path) -> Desk:
    """Alice's; her project takes unsigned archives."""
    Project.objects.update(signature_policy=Project.SignaturePolicy.OPTIONAL)
    folder = tmp_path / "desk"
    (folder / "dist").mkdir(parents=True)
    for name, fields in (("acme-lib", {}), ("acme-app", {"requires_dist": ["acme-lib>=1"]})):
        stem = f"{name.replace('-', '_')}-1.0.0"
        (folder / "dist" / f"{stem}-py3-none-any.whl").write_bytes(builders.wheel(name, "1.0.0", **fields))
        (folder / "dist" / f"{stem}.tar.gz").write_bytes(builders.sdist(name, "1.0.0", **fields))
    return Desk(folder, live_server.url, builders.token(cast.alice, "read", "publish"))


def decide(cast: Cast) -> None:
    """The checks end, and bob approves what is left: an emptied database has no license policy."""
    tasks.drain()
    for release in Release.objects.filter(status="pending"):
        approving.approve(release, builders.actor(cast.bob))


def installed(folder: Path) -> set[str]:
    return {one.name for one in folder.glob("*.dist-info")}


BOTH = {"acme_lib-1.0.0.dist-info", "acme_app-1.0.0.dist-info"}


def test_twine_publishes_and_pip_installs_once_it_is_approved(desk: Desk, cast: Cast, monkeypatch: pytest.MonkeyPatch):
    said = desk.twine("--verbose", *desk.files)
    assert "is being checked" in said
    assert f"{desk.address}/packages/pypi/acme-app/versions/1.0.0" in said
    assert "No matching distribution found" in desk.pip("install", "--target", "held", "acme-app", fails=True)

    decide(cast)
    desk.pip("install", "--target", "json", "acme-app")
    assert installed(desk.folder / "json") == BOTH
    # an index that speaks HTML alone, as pip's Accept allows
    only = {one: form for one, form in negotiating.OFFERED.items() if "json" not in one}
    monkeypatch.setattr(negotiating, "OFFERED", only)
    desk.pip("install", "--target", "html", "acme-app==1.0.0")
    assert installed(desk.folder / "html") == BOTH
    monkeypatch.undo()

    assert "already exist" in desk.twine(*desk.files, fails=True)
    # the command takes --skip-existing for the public index alone, so what it does then is asked of its own code
    asked = [desk.files[0], f"{desk.address}/pypi/legacy/", desk.token]
    assert desk.run(Path(tools.need("twine")).with_name("python"), "-c", SKIPS, *asked) == "409 True\n"
    assert set(Release.objects.values_list("status", flat=True)) == {"approved"}

    file = f"{desk.address}/pypi/files/acme-lib/1.0.0/acme_lib-1.0.0-py3-none-any.whl"
    approving.quarantine(Release.objects.get(package__name="acme-lib"), builders.actor(cast.bob), reason="Malware.")
    assert "No matching distribution" in desk.pip("download", "--dest", "d", "acme-lib==1.0.0", fails=True)
    assert "403 Client Error: This version is quarantined. Malware." in desk.pip("download", file, fails=True)


def test_a_range_goes_past_a_withdrawn_version_and_an_exact_pin_is_told_why(desk: Desk, cast: Cast):
    newer = desk.folder / "dist" / "acme_lib-1.1.0-py3-none-any.whl"
    newer.write_bytes(builders.wheel("acme-lib", "1.1.0"))
    desk.twine(*desk.files)
    decide(cast)
    approving.quarantine(Release.objects.get(version="1.1.0"), builders.actor(cast.bob), reason="Malware.")
    index = f"{desk.address}/pypi/simple/"
    desk.pip("install", "--target", "pip", "acme-lib>=1")
    desk.uv("pip", "install", "--target", "uv", "--index-url", index, "acme-lib>=1")
    assert [installed(desk.folder / one) for one in ("pip", "uv")] == [{"acme_lib-1.0.0.dist-info"}] * 2
    why = "This version is quarantined. Malware."
    assert why in desk.pip("install", "--target", "no", "acme-lib==1.1.0", fails=True)
    told = desk.uv("pip", "install", "--target", "no", "--index-url", index, "acme-lib==1.1.0", fails=True)
    assert why in told


def test_uv_publishes_and_installs(desk: Desk, cast: Cast):
    address = ["--publish-url", f"{desk.address}/pypi/legacy/", "--token", desk.token, "--trusted-publishing", "never"]
    desk.uv("publish", *address, *desk.files)
    decide(cast)
    index = ["--default-index", f"{desk.address}/pypi/simple/"]
    wanted = ["pip", "install", "--python", sys.executable, *index, "acme-app"]
    desk.uv(*wanted, "--target", "there")
    assert installed(desk.folder / "there") == BOTH
    again = desk.uv("publish", *address, "--check-url", f"{desk.address}/pypi/simple/", *desk.files)
    assert "already exists" in again.lower()
    other = builders.wheel("acme-lib", "1.0.0", summary="Other bytes")
    (desk.folder / "dist" / "acme_lib-1.0.0-py3-none-any.whl").write_bytes(other)
    refused = desk.uv("publish", *address, desk.folder / "dist" / "acme_lib-1.0.0-py3-none-any.whl", fails=True)
    assert "already exists" in refused


def test_a_netrc_opens_what_is_private(desk: Desk, cast: Cast):
    desk.twine(*desk.files)
    decide(cast)
    Package.objects.update(visibility="private")
    for package in Package.objects.all():
        with transaction.atomic():
            documents.rebuild(package)
    base = "pypi/acme/simple/"
    desk.pip("install", "--target", "no", "--no-input", "acme-app", base=base, fails=True)
    desk.pip("install", "--target", "no", "--no-input", "acme-app", fails=True)
    desk.pip("install", "--target", "yes", "acme-app", base=base, **desk.netrc())
    assert installed(desk.folder / "yes") == BOTH
    wanted = ["pip", "install", "--python", sys.executable, "--target", "uv", "acme-app"]
    index = ["--default-index", f"{desk.address}/{base}"]
    desk.uv(*wanted, *index, fails=True)
    desk.uv(*wanted, *index, **desk.netrc())
    assert installed(desk.folder / "uv") == BOTH
