"""What the scans of a release say, and the wish for another one."""

from typing import Any
from urllib.parse import urlencode

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.answers import in_query, route
from accounts.api.doors import Door
from registry import resolving
from registry.api import caching
from registry.api.reading import ECOSYSTEM, ecosystem_of, text_of
from registry.errors import Conflict
from registry.models import Check, Release
from scanning import judging, rescanning, running
from scanning.api.shapes import QueuedScan, ScanResult, WantedScan
from scanning.checks import shape
from scanning.models import Scan

TAG = "Security"
CHECK = "vulnerabilities"
VERSION = in_query("version", "A version or a dist-tag; the latest where it is left out")


class ScanDoor(Door):
    """`/security/scans/{name}`."""

    @route("The latest scan of a release", TAG, {200: ScanResult}, 404, parameters=[VERSION, ECOSYSTEM])
    def get(self, request: Request, name: str) -> Response:
        """Known flaws with their waivers as they stand now; `errored` where no tool could look."""
        package = resolving.find_package(name, self.actor, ecosystem_of(request))
        wanted = text_of(request, "version", longest=128) or "latest"
        release = resolving.find_release(package, wanted, self.actor)
        return Response(result_of(release), headers=caching.revalidated(self.actor))


class ScopedScanDoor(ScanDoor):
    """`/security/scans/{scope}/{name}`."""

    @route(
        "The latest scan of a release of a scoped package",
        TAG,
        {200: ScanResult},
        404,
        parameters=[VERSION, ECOSYSTEM],
    )
    def get(self, request: Request, scope: str, name: str) -> Response:
        """As for `@scope%2Fname` in one segment."""
        return super().get(request, f"{scope}/{name}")


class ScansDoor(Door):
    """`/security/scans`."""

    @route("Scan a release again", TAG, {202: QueuedScan}, 404, 409, 415, request=WantedScan)
    def post(self, request: Request) -> Response:
        """Queued for the worker. Needs the scope `review`."""
        self.actor.need("review")
        wanted = WantedScan.read(request.data)
        package = resolving.find_package(wanted["name"], self.actor, wanted.get("ecosystem", ""))
        release = resolving.find_release(package, wanted.get("version") or "latest", self.actor)
        if release.is_purged:
            raise Conflict("This version was removed; there is nothing left to scan.")
        rescanning.ask(release, self.actor)
        query = urlencode({"version": release.version, "ecosystem": package.ecosystem})
        url = f"/api/v1/security/scans/{package.name}?{query}"
        answer = {
            "package": package.name,
            "version": release.version,
            "ecosystem": package.ecosystem,
            "status": Scan.Status.PENDING,
            "url": url,
        }
        return Response(answer, status=202, headers={"Location": url})


def result_of(release: Release) -> dict[str, Any]:
    """What counts now; `pending` where a scan is waiting or running, whatever an older one found."""
    scan = running.current(release)
    assessment = judging.assess(list(scan.findings.all()) if scan else [], release)
    unavailable = scan.tools_unavailable if scan else []
    return {
        "package": release.package.name,
        "version": release.version,
        "ecosystem": release.package.ecosystem,
        "scan_date": scan.finished_at if scan else None,
        "status": _status(release, scan, assessment),
        "vulnerabilities": [
            shape(finding, waived=finding.pk in assessment.waivers) for finding in assessment.findings
        ],
        "severity": assessment.counts,
        "tools_used": scan.tools_used if scan else [],
        "tools_unavailable": [tool["tool"] for tool in unavailable],
        "notes": {tool["tool"]: tool["reason"] for tool in unavailable},
    }


def _status(release: Release, scan: Scan | None, assessment: judging.Assessment) -> str:
    waiting = release.checks.filter(name=CHECK, status__in=Check.OPEN).exists()
    if scan is None or waiting:
        return Scan.Status.PENDING
    if assessment.blocking:
        return Scan.Status.FAILED
    return Scan.Status.PASSED if running.has_looked(scan) else Scan.Status.ERRORED
