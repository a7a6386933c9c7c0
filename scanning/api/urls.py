"""The routes of contract section 7."""

from django.urls import path

from registry.api import paths  # noqa: F401  # registers the converters
from scanning.api.advisories import AdvisoriesDoor, AdvisoryDoor
from scanning.api.audit import AuditDoor
from scanning.api.recalls import RecallDoor
from scanning.api.scans import ScanDoor, ScansDoor, ScopedScanDoor
from scanning.api.waivers import WaiverDoor, WaiversDoor

urlpatterns = [
    path("security/scans", ScansDoor.as_view(), name="scans"),
    path("security/scans/<str:scope>/<str:name>", ScopedScanDoor.as_view(), name="scoped-scan"),
    path("security/scans/<package:name>", ScanDoor.as_view(), name="scan"),
    path("security/waivers", WaiversDoor.as_view(), name="waivers"),
    path("security/waivers/<int:id>", WaiverDoor.as_view(), name="waiver"),
    path("audit", AuditDoor.as_view(), name="audit"),
    path("advisories", AdvisoriesDoor.as_view(), name="advisories"),
    path("advisories/<str:id>/recall", RecallDoor.as_view(), name="recall"),
    path("advisories/<str:id>", AdvisoryDoor.as_view(), name="advisory"),
]
