"""The routes of the npm protocol, below /npm/ and /npm/{project}/."""

from django.urls import include, path

from registry.protocols.npm import paths  # noqa: F401  # registers the converters that the patterns name
from registry.protocols.npm.login import LogoutDoor, PasswordLoginDoor, WebLoginDoneDoor, WebLoginDoor
from registry.protocols.npm.packuments import DistTagsDoor, ManifestDoor
from registry.protocols.npm.people import PingDoor, WhoAmIDoor
from registry.protocols.npm.search import SearchDoor
from registry.protocols.npm.security import BulkAdvisoriesDoor, KeysDoor, QuickAuditDoor
from registry.protocols.npm.stage import (
    StageApprovalDoor,
    StagedDoor,
    StageDoor,
    StagedTarballDoor,
    StagePackageDoor,
)
from registry.protocols.npm.tags import DistTagDoor
from registry.protocols.npm.tarballs import TarballDoor
from registry.protocols.npm.tokens import ProfileDoor, TokenDoor, TokensDoor
from registry.protocols.npm.writing import PackageDoor, RevisionDoor, TarballRevisionDoor
from registry.protocols.trusting import ExchangeDoor, TrustDoor, TrustsDoor

app_name = "npm"
FILE = "<npm-name:name>/-/<tarball:filename>"
routes = [
    path("-/ping", PingDoor.as_view(), name="ping"),
    path("-/whoami", WhoAmIDoor.as_view(), name="whoami"),
    path("-/v1/login", WebLoginDoor.as_view(), name="login"),
    path("-/v1/done/<str:secret>", WebLoginDoneDoor.as_view(), name="login-done"),
    path("-/user/org.couchdb.user:<str:username>", PasswordLoginDoor.as_view(), name="password-login"),
    path("-/user/token/<str:token>", LogoutDoor.as_view(), name="logout"),
    path("-/npm/v1/tokens", TokensDoor.as_view(), name="tokens"),
    path("-/npm/v1/tokens/token/<str:key>", TokenDoor.as_view(), name="token"),
    path("-/npm/v1/user", ProfileDoor.as_view(), name="profile"),
    path("-/v1/search", SearchDoor.as_view(), name="search"),
    path("-/npm/v1/keys", KeysDoor.as_view(), name="keys"),
    path("-/npm/v1/security/advisories/bulk", BulkAdvisoriesDoor.as_view(), name="advisories"),
    path("-/npm/v1/security/audits", QuickAuditDoor.as_view(), name="audits"),
    path("-/npm/v1/security/audits/quick", QuickAuditDoor.as_view(), name="quick-audit"),
    path("-/npm/v1/oidc/token/exchange/package/<npm-name:name>", ExchangeDoor.as_view(), name="oidc-exchange"),
    path("-/stage", StageDoor.as_view(), name="stage"),
    path("-/stage/package/<npm-name:name>", StagePackageDoor.as_view(), name="stage-package"),
    path("-/stage/<uuid:id>", StagedDoor.as_view(), name="staged"),
    path("-/stage/<uuid:id>/tarball", StagedTarballDoor.as_view(), name="staged-tarball"),
    path("-/stage/<uuid:id>/approve", StageApprovalDoor.as_view(), name="stage-approval"),
    path("-/package/<npm-name:name>/trust", TrustsDoor.as_view(), name="trusts"),
    path("-/package/<npm-name:name>/trust/<uuid:id>", TrustDoor.as_view(), name="trust"),
    path("-/package/<npm-name:name>/dist-tags", DistTagsDoor.as_view(), name="dist-tags"),
    path("-/package/<npm-name:name>/dist-tags/<str:tag>", DistTagDoor.as_view(), name="dist-tag"),
    path(f"{FILE}/-rev/<str:rev>", TarballRevisionDoor.as_view(), name="tarball-revision"),
    path(FILE, TarballDoor.as_view(), name="tarball"),
    path("<npm-name:name>/-rev/<str:rev>", RevisionDoor.as_view(), name="revision"),
    path("<npm-name:name>/<npm-version:version>", ManifestDoor.as_view(), name="manifest"),
    path("<npm-scoped:name>/<npm-tag:version>", ManifestDoor.as_view(), name="tagged"),
    path("<npm-name:name>", PackageDoor.as_view(), name="packument"),
]
# npm unpublish takes the path of a tarball's address for one below the base, and so names the base twice.
again = path(f"npm/{FILE}/-rev/<str:rev>", TarballRevisionDoor.as_view(), name="doubled")
again_of_project = path(f"npm/<slug:doubled>/{FILE}/-rev/<str:rev>", TarballRevisionDoor.as_view(), name="doubled")
# Behind a project's slug there is no doubt that the second word of two is a tag.
tagged = path("<npm-name:name>/<npm-tag:version>", ManifestDoor.as_view(), name="tagged-unscoped")
# A project's base comes last: `/npm/left-pad/1.3.0` is a version of left-pad, `/npm/acme/left-pad` acme's left-pad.
of_project = [again_of_project, *routes, tagged]
urlpatterns = [again, *routes, path("<slug:project>/", include((of_project, "npm"), namespace="of-project"))]
