"""The routes of the npm protocol, below /npm/ and /npm/{project}/."""

from django.urls import include, path

from registry.protocols.npm import paths  # noqa: F401  # registers the converters that the patterns name
from registry.protocols.npm.packuments import DistTagsDoor, ManifestDoor, PackumentDoor
from registry.protocols.npm.people import PingDoor, WhoAmIDoor
from registry.protocols.npm.security import BulkAdvisoriesDoor, KeysDoor, QuickAuditDoor
from registry.protocols.npm.tarballs import TarballDoor

app_name = "npm"
routes = [
    path("-/ping", PingDoor.as_view(), name="ping"),
    path("-/whoami", WhoAmIDoor.as_view(), name="whoami"),
    path("-/npm/v1/keys", KeysDoor.as_view(), name="keys"),
    path("-/npm/v1/security/advisories/bulk", BulkAdvisoriesDoor.as_view(), name="advisories"),
    path("-/npm/v1/security/audits", QuickAuditDoor.as_view(), name="audits"),
    path("-/npm/v1/security/audits/quick", QuickAuditDoor.as_view(), name="quick-audit"),
    path("-/package/<npm-name:name>/dist-tags", DistTagsDoor.as_view(), name="dist-tags"),
    path("<npm-name:name>/-/<tarball:filename>", TarballDoor.as_view(), name="tarball"),
    path("<npm-name:name>/<npm-version:version>", ManifestDoor.as_view(), name="manifest"),
    path("<npm-name:name>", PackumentDoor.as_view(), name="packument"),
]
# A project's base comes last: `/npm/left-pad/1.3.0` is a version of left-pad, `/npm/acme/left-pad` acme's left-pad.
urlpatterns = [*routes, path("<slug:project>/", include((routes, "npm"), namespace="of-project"))]
