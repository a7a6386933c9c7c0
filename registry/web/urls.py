"""The pages of the catalogue."""

from django.urls import path

from registry.web.home import Home
from registry.web.listing import PackageList
from registry.web.package import PackagePage
from registry.web.profile import Profile
from registry.web.submitting import Submit
from registry.web.version import VersionPage

urlpatterns = [
    path("", Home.as_view(), name="home"),
    path("packages", PackageList.as_view(), name="package-list"),
    path("packages/<slug:ecosystem>/<path:name>/versions/<str:version>", VersionPage.as_view(), name="version"),
    path("packages/<slug:ecosystem>/<path:name>", PackagePage.as_view(), name="package"),
    path("submit", Submit.as_view(), name="submit"),
    path("profile", Profile.as_view(), name="profile"),
]
