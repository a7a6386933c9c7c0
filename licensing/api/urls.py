"""The routes of contract section 6."""

from django.urls import path

from licensing.api.facts import LicenseDoor

urlpatterns = [
    # The last of them, since MIT/Apache-2.0 has a slash, too.
    path("licenses/<path:spdx>", LicenseDoor.as_view(), name="license-facts"),
]
