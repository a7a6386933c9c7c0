"""Small programs that stand in for scanners, good and bad, where the user that scanners run as can reach them."""

import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from scanning import unpacking
from scanning.scanners.base import Target
from tests import builders

TRIVY_HEAD = {"SchemaVersion": 2, "ArtifactName": "/some/folder", "ArtifactType": "filesystem"}
RIGHT: dict[str, Any] = {
    "trivy": {
        "SchemaVersion": 2,
        "ArtifactName": "bom.cdx.json",
        "ArtifactType": "cyclonedx",
        "Results": [
            {
                "Target": "Node.js",
                "Type": "node-pkg",
                "Packages": [{"Name": "left-pad", "Version": "1.0.0"}],
                "Vulnerabilities": [
                    {
                        "VulnerabilityID": "CVE-2026-0001",
                        "PkgName": "left-pad",
                        "InstalledVersion": "1.0.0",
                        "FixedVersion": "0.9.1, 1.0.1",
                        "Severity": "HIGH",
                    }
                ],
            }
        ],
    },
    "grype": {
        "descriptor": {"name": "grype"},
        "matches": [
            {
                "vulnerability": {
                    "id": "GHSA-aaaa-bbbb-cccc",
                    "severity": "Critical",
                    "fix": {"versions": ["1.0.1"]},
                },
                "relatedVulnerabilities": [{"id": "CVE-2026-0001"}],
                "artifact": {"name": "left-pad", "version": "1.0.0", "type": "npm"},
            }
        ],
    },
    "osv-scanner": {
        "results": [
            {
                "packages": [
                    {
                        "package": {"name": "left-pad", "version": "1.0.0", "ecosystem": "npm"},
                        "vulnerabilities": [{"id": "GHSA-aaaa-bbbb-cccc", "aliases": None}],
                        "groups": [
                            {
                                "ids": ["GHSA-aaaa-bbbb-cccc"],
                                "aliases": ["CVE-2026-0001"],
                                "max_severity": "5.0",
                            }
                        ],
                    }
                ]
            }
        ]
    },
    "trivy-files": {
        **TRIVY_HEAD,
        "Results": [
            {
                "Target": "0/package/index.js",
                "Class": "secret",
                "Secrets": [{"RuleID": "github-pat", "Severity": "CRITICAL", "StartLine": 3}],
            },
            {"Licenses": [{"Name": "GPL-3.0", "Severity": "HIGH", "FilePath": "0/package/COPYING"}]},
            {"Licenses": [{"Name": "MIT", "Severity": "LOW", "FilePath": "0/package/LICENSE"}]},
        ],
    },
    "guarddog": {
        "results": {},
        "errors": {},
        "risk_score": {"label": "high_risk"},
        "risks": [
            {"threat_rule": "download-exec", "file_path": "0/package/index.js", "threat_location": "index.js:7"}
        ],
    },
}
WRONG_TYPES: dict[str, Any] = {
    "trivy": {**RIGHT["trivy"], "Results": [{"Vulnerabilities": {"CVE-2026-0001": "HIGH"}}]},
    "grype": {**RIGHT["grype"], "matches": [{"vulnerability": ["GHSA-aaaa-bbbb-cccc"]}]},
    "osv-scanner": {"results": [{"packages": "left-pad"}]},
    "trivy-files": {**TRIVY_HEAD, "Results": "none"},
    "guarddog": {**RIGHT["guarddog"], "risks": 27},
}
# A report of the right shape, with nothing in it, about something else.
OF_ANOTHER: dict[str, Any] = {
    "trivy": {"SchemaVersion": 2, "Results": [{"Packages": [{"Name": "right-pad", "Version": "9.9.9"}]}]},
    "grype": {"descriptor": {"name": "syft"}, "matches": []},
    "osv-scanner": {"results": []},
    "trivy-files": {**TRIVY_HEAD, "ArtifactType": "cyclonedx"},
    "guarddog": {"results": {}, "risks": []},
}
BINARIES = {name: name.removesuffix("-files") for name in RIGHT}
DATABASES = ("trivy/db/trivy.db", "grype/6/vulnerability.db", "osv-scanner/osv-scanner/npm/all.zip")


class Toolbox:
    """A folder on PATH, a folder for what scans write, and a mark by which the processes of a test are known."""

    def __init__(self, root: Path) -> None:
        self.bin, self.temp, self.data = root / "bin", root / "temp", root / "data"
        for folder in (self.bin, self.temp, self.data):
            folder.mkdir()
            folder.chmod(0o755)
        self.mark = f"600.{secrets.randbelow(10**9):09}"

    def put(self, binary: str, body: str) -> None:
        """A program of that name."""
        path = self.bin / binary
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def report(self, binary: str, said: Any) -> str:
        """The shell command that prints the report."""
        path = self.bin / f"{binary}.json"
        path.write_text(json.dumps(said))
        path.chmod(0o644)
        return f"cat {path}"

    def databases(self) -> None:
        """A file where each tool keeps its database."""
        for name in DATABASES:
            path = self.data / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    def left_running(self) -> list[str]:
        """The processes with our mark that are still there."""
        lines = (path for path in Path("/proc").glob("[0-9]*/cmdline"))
        return [line for path in lines if self.mark in (line := _read(path))]

    def left_lying(self) -> list[str]:
        """What scans left behind."""
        return [path.name for path in self.temp.iterdir()]


def _read(path: Path) -> str:
    try:
        return path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


@contextmanager
def opened() -> Iterator[Toolbox]:
    """A toolbox below a folder that everybody may enter."""
    root = Path(tempfile.mkdtemp(prefix="toolbox-"))
    root.chmod(0o755)
    try:
        yield Toolbox(root)
    finally:
        shutil.rmtree(root)


@contextmanager
def target(archive: bytes | None = None, ecosystem: str = "npm", name: str = "left-pad") -> Iterator[Target]:
    """left-pad 1.0.0 with its files, as tools are shown it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "archive"
        path.write_bytes(builders.npm_tarball() if archive is None else archive)
        openers = [partial(nullcontext, path)]
        with unpacking.unpacked(ecosystem, name, "1.0.0", openers) as material:
            yield Target(ecosystem, name, name, "1.0.0", material)
