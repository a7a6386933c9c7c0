"""The pages of the catalogue."""

from django.urls import path

from registry.web.home import Home
from registry.web.listing import PackageList
from registry.web.package import PackagePage
from registry.web.pipelines import pipelines_page, trust_no_more
from registry.web.profile import Profile
from registry.web.retirement import Restore, Unlist
from registry.web.status import StatusPage
from registry.web.submitting import Submit
from registry.web.version import VersionPage
from registry.web.webhooks import remove, rotate, send_again, send_test, webhook_page, webhooks_page

urlpatterns = [
    path("", Home.as_view(), name="home"),
    path("packages", PackageList.as_view(), name="package-list"),
    path("packages/<slug:ecosystem>/<path:name>/versions/<str:version>/unlist", Unlist.as_view(), name="unlist"),
    path("packages/<slug:ecosystem>/<path:name>/versions/<str:version>/restore", Restore.as_view(), name="restore"),
    path("packages/<slug:ecosystem>/<path:name>/versions/<str:version>", VersionPage.as_view(), name="version"),
    path("packages/<slug:ecosystem>/<path:name>", PackagePage.as_view(), name="package"),
    path("submit", Submit.as_view(), name="submit"),
    path("status", StatusPage.as_view(), name="status"),
    path("profile", Profile.as_view(), name="profile"),
    path("profile/projects/<slug:slug>/pipelines", pipelines_page, name="pipelines"),
    path("profile/projects/<slug:slug>/pipelines/<uuid:trust_id>/remove", trust_no_more, name="remove-pipeline"),
    path("profile/projects/<slug:slug>/webhooks", webhooks_page, name="webhooks"),
    path("profile/webhooks/<int:webhook_id>", webhook_page, name="webhook"),
    path("profile/webhooks/<int:webhook_id>/secret", rotate, name="rotate-webhook-secret"),
    path("profile/webhooks/<int:webhook_id>/remove", remove, name="remove-webhook"),
    path("profile/webhooks/<int:webhook_id>/test", send_test, name="test-webhook"),
    path("profile/webhooks/<int:webhook_id>/deliveries/<int:delivery_id>", send_again, name="send-again"),
]
