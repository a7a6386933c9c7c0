"""A queue as maintainers meet it: many packages, every kind of trouble, rows only."""

import hashlib
from datetime import timedelta
from typing import Any

from django.utils import timezone

from registry.models import Artifact, ArtifactContents, Check, Dependency, Package, Release, ReleaseManifest
from scanning.models import Finding, Scan
from tests import builders
from tests.builders import Cast

NAMES = ("archive", "manifest", "integrity", "signature", "name", "license", "vulnerabilities", "age")
FINGERPRINT = "SHA256:Vv0Rw2fM6wq7b0mJ4uJm0qT4v8oY0p9Zt1nXl3cKk8E"


def checked(release: Release, **statuses: str) -> Release:
    """The checks of a release: passed, unless said otherwise (`license="failed"`)."""
    Check.objects.bulk_create(
        Check(
            release=release,
            name=name,
            position=position,
            status=statuses.get(name, "passed"),
            summary=SUMMARIES.get((name, statuses.get(name, "passed")), ""),
            details=DETAILS.get((name, statuses.get(name, "passed")), {}),
            duration_ms=None if statuses.get(name) in ("pending", "running") else 12 + 31 * position,
        )
        for position, name in enumerate(NAMES)
    )
    return release


def waiting(
    package: Package, version: str, days: float = 0.2, status: str = "pending", files: Any = (), **fields: Any
) -> Release:
    """A release with a manifest, a file and its listing, asked for some days ago."""
    sha256 = hashlib.sha256(f"{package.name}{version}".encode()).hexdigest()
    scripts, raw = fields.pop("install_scripts", {}), fields.pop("raw", {})
    release = builders.release(
        package,
        version,
        status,
        sha256=sha256,
        size=18_432,
        submitted_at=timezone.now() - timedelta(days=days),
        **fields,
    )
    ReleaseManifest.objects.create(
        release=release,
        description=package.description,
        repository=f"https://git.example.com/{package.normalized}",
        license_declared=release.license,
        install_scripts=scripts,
        raw=raw,
    )
    signed = release.origin == "published"
    artifact = Artifact.objects.create(
        release=release,
        filename=f"{package.normalized.rpartition('/')[2]}-{version}.tgz",
        kind="tarball",
        size=18_432,
        sha256=sha256,
        sha512="5" * 128,
        sha1="1" * 40,
        entry_count=len(files),
        unpacked_size=sum(size for _path, size, *_rest in files),
        signature="-----BEGIN SSH SIGNATURE-----" if signed else "",
        signature_fingerprint=FINGERPRINT if signed else "",
        signer="alice" if signed else "",
    )
    ArtifactContents.objects.create(artifact=artifact, entries=[list(row) for row in files])
    return release


def depends(release: Release, **ranges: str) -> None:
    """What the release asks for; underscores in names stand for hyphens."""
    Dependency.objects.bulk_create(
        Dependency(
            release=release,
            ecosystem=release.package.ecosystem,
            name=name.replace("_", "-"),
            normalized=name.replace("_", "-"),
            range=text,
        )
        for name, text in ranges.items()
    )


def troubled(cast: Cast) -> Release:
    """The release that has everything: scripts, flaws, a changed signer, dependencies and files, a version before."""
    package = builders.package(cast.acme, "@acme-utils/core", description="Shared helpers of the acme services.")
    old_files = [("package/package.json", 640, "a" * 64, False), ("package/index.js", 2048, "b" * 64, False)]
    old_files += [("package/lib/old.js", 512, "c" * 64, False), ("package/README.md", 900, "d" * 64, False)]
    before = waiting(
        package, "1.2.0", 40, "approved", old_files, origin="published", submitted_by=cast.alice,
        raw={"main": "index.js", "engines": {"node": ">=16"}},
    )  # fmt: skip
    before.artifacts.update(signature_fingerprint="SHA256:another-key-altogether", signer="alice")
    depends(before, lodash="^4.17.20", left_pad="^1.3.0", request="^2.88.0")
    checked(before)
    new_files = [("package/package.json", 702, "e" * 64, False), ("package/index.js", 2210, "f" * 64, False)]
    new_files += [("package/README.md", 900, "d" * 64, False), ("package/bin/setup.sh", 340, "9" * 64, True)]
    after = waiting(
        package, "1.3.0", 3.4, "pending", new_files, origin="published", submitted_by=cast.alice,
        request_note="Needed for the checkout rewrite: the retry helper lands here.",
        install_scripts={"postinstall": "sh bin/setup.sh --quiet"},
        raw={"main": "index.js", "engines": {"node": ">=18"}, "bin": {"acme": "bin/setup.sh"}},
    )  # fmt: skip
    depends(after, lodash="^4.17.15", left_pad="^1.3.0", node_fetch="^2.6.1")
    scanned(after)
    return checked(after, manifest="warned", license="warned", vulnerabilities="failed")


def scanned(release: Release, findings: Any = ()) -> Scan:
    """The release's scan, which found these, or the usual three."""
    scan = Scan.objects.create(
        release=release, is_current=True, status="failed", tools_used=["osv"], finished_at=timezone.now()
    )
    place = {"scan": scan, "ecosystem": release.package.ecosystem, "package": "lodash", "version": "4.17.15"}
    Finding.objects.bulk_create(Finding(**place, tools=["osv"], **one) for one in findings or FINDINGS)
    return scan


def full_queue(cast: Cast) -> Release:
    """A dozen waiting releases and some decided ones; returns the troubled one."""
    bob, alice, mallory = cast.bob, cast.alice, cast.mallory
    first = troubled(cast)
    by = {"origin": "submitted", "request_note": "Asked for by the data team."}
    python = builders.package(cast.elsewhere, "requests-toolbelt", "pypi", description="A utility belt for requests.")
    checked(waiting(python, "1.0.0", 8.1, submitted_by=mallory, license="Apache-2.0", **by))
    gpl = builders.package(cast.elsewhere, "readline-tools", "pypi", description="Line editing for terminals.")
    checked(waiting(gpl, "0.9.1", 5.5, submitted_by=mallory, license="GPL-3.0-only", **by), license="failed")
    typo = builders.package(cast.elsewhere, "lodahs", description="Not the one you mean.")
    checked(waiting(typo, "4.17.21", 2.2, submitted_by=mallory, origin="submitted"), name="failed", license="warned")
    pad = builders.package(cast.acme, "left-pad", description="String left pad.")
    checked(waiting(pad, "1.3.0", 1.6, submitted_by=bob, origin="submitted", license="WTFPL"))
    run = builders.package(cast.acme, "@acme-utils/queue", description="A small job queue.")
    checked(
        waiting(run, "2.0.0-rc.1", 0.01, submitted_by=alice, license="MIT"),
        signature="running", name="pending", license="pending", vulnerabilities="pending", age="pending",
    )  # fmt: skip
    private = builders.package(cast.acme, "acme-billing", "pypi", visibility="private", description="Invoices.")
    checked(waiting(private, "3.1.4", 0.4, submitted_by=alice), manifest="warned")
    for number in range(6):
        more = builders.package(cast.acme, f"@acme-utils/part-{number}", description="One of the parts.")
        checked(waiting(more, f"0.{number}.1", 0.1 * number, submitted_by=alice))
    for version, status in (("1.0.0", "approved"), ("1.1.0", "rejected"), ("1.1.1", "quarantined")):
        checked(
            waiting(pad, version, 60, status, submitted_by=bob, held_because="" if status == "approved" else "A flaw.")
        )
    return first


FINDINGS = [
    {
        "identifier": "GHSA-35jh-r3h4-6jhm",
        "severity": "high",
        "summary": "Command injection in lodash",
        "fixed_in": "4.17.21",
        "url": "https://osv.example.com/GHSA-35jh-r3h4-6jhm",
    },
    {
        "identifier": "GHSA-29mw-wpgm-hmr9",
        "severity": "medium",
        "summary": "Regular expression denial of service in lodash",
        "fixed_in": "4.17.21",
        "url": "",
    },
    {
        "identifier": "CVE-2020-0001",
        "severity": "critical",
        "summary": "Prototype pollution",
        "fixed_in": "",
        "url": "",
    },
]
SUMMARIES = {
    ("archive", "passed"): "A well-formed tarball of 4 files.",
    ("manifest", "passed"): "Name, version and dependencies are well formed.",
    ("manifest", "warned"): "It runs code when it is installed: postinstall.",
    ("integrity", "passed"): "The stored bytes are those that were uploaded.",
    ("signature", "passed"): f"Signed by alice with {FINGERPRINT}.",
    ("name", "passed"): "No other package has a name like this.",
    ("name", "failed"): "The name can be mistaken for lodash, which is another package.",
    ("license", "passed"): "MIT, allowed by the policy.",
    ("license", "warned"): "Declared as MIT, but its LICENSE file reads as ISC.",
    ("license", "failed"): "GPL-3.0-only is denied by this instance’s policy.",
    ("vulnerabilities", "passed"): "No known flaw.",
    ("vulnerabilities", "failed"): "3 known flaws: 1 critical, 1 high, 1 medium.",
}
DETAILS: dict[tuple[str, str], dict[str, Any]] = {
    ("license", "passed"): {"expression": "MIT", "declared": "MIT", "detected": ["MIT"], "policy": "approved"},
    ("license", "warned"): {"expression": "MIT", "declared": "MIT", "detected": ["ISC"], "policy": "review"},
    ("license", "failed"): {
        "expression": "GPL-3.0-only",
        "declared": "GPLv3",
        "detected": ["GPL-3.0-only"],
        "policy": "denied",
    },
    ("vulnerabilities", "failed"): {
        "critical": 1,
        "high": 1,
        "medium": 1,
        "low": 0,
        "unknown": 0,
        "findings": FINDINGS,
    },
}
