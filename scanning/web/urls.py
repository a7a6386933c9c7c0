"""The pages of scanning. They come before those of the catalogue, whose names may hold slashes."""

from django.urls import path

from scanning.web.audit import AuditPage
from scanning.web.notices import notices_page
from scanning.web.waiving import EndWaiver, ScanAgain, WaivePage

VERSION = "packages/<slug:ecosystem>/<path:name>/versions/<str:version>"

urlpatterns = [
    path("audit", AuditPage.as_view(), name="audit"),
    path("profile/notices", notices_page, name="notices"),
    path(f"{VERSION}/waive", WaivePage.as_view(), name="waive"),
    path(f"{VERSION}/scan", ScanAgain.as_view(), name="scan-again"),
    path("waivers/<int:waiver_id>/end", EndWaiver.as_view(), name="end-waiver"),
]
