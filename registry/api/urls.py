"""The routes of contract section 3 (packages), of section 4 the signature of a version, of section 8 the regions."""

from django.urls import path

from registry.api import paths  # noqa: F401  # registers the converters
from registry.api.catalogue import CategoriesDoor, PackagesDoor
from registry.api.downloads import DownloadDoor, NamedFileDoor
from registry.api.explanations import ExplainDoor
from registry.api.packages import PackageDoor, ResolveDoor
from registry.api.publishing import PublishDoor
from registry.api.regions import RegionsDoor
from registry.api.reviews import ApproveDoor, RejectDoor
from registry.api.syncing import CancelSyncDoor, SyncDoor, SyncsDoor
from registry.api.versions import RestoreDoor, SbomDoor, SignatureDoor, VersionDoor

NAME = "packages/<package:name>"
VERSION = f"{NAME}/versions/<version:version>"

urlpatterns = [
    path(NAME, PackageDoor.as_view(), name="package"),  # first, since it is asked most; its names leave out the rest
    path("packages", PackagesDoor.as_view(), name="packages"),
    path("packages/publish", PublishDoor.as_view(), name="publish"),
    path("packages/stats/categories", CategoriesDoor.as_view(), name="categories"),
    path("explain", ExplainDoor.as_view(), name="explain"),
    path("sync", SyncsDoor.as_view(), name="syncs"),
    path("sync/<uuid:id>", SyncDoor.as_view(), name="sync"),
    path("sync/<uuid:id>/cancel", CancelSyncDoor.as_view(), name="sync-cancel"),
    path("registry/sync/status", RegionsDoor.as_view(), name="regions"),
    path(f"{NAME}/resolve", ResolveDoor.as_view(), name="resolve"),
    path(VERSION, VersionDoor.as_view(), name="version"),
    path(f"{VERSION}/download", DownloadDoor.as_view(), name="download"),
    path(f"{VERSION}/files/<filename:filename>", NamedFileDoor.as_view(), name="file"),
    path(f"{VERSION}/sbom", SbomDoor.as_view(), name="sbom"),
    path(f"{VERSION}/signature", SignatureDoor.as_view(), name="signature"),
    path(f"{VERSION}/approve", ApproveDoor.as_view(), name="approve"),
    path(f"{VERSION}/reject", RejectDoor.as_view(), name="reject"),
    path(f"{VERSION}/restore", RestoreDoor.as_view(), name="restore"),
]
