"""The routes of contract section 6."""

from django.urls import path

from licensing.api.facts import LicenseDoor
from licensing.api.keys import LicenseKeyDoor, LicensesDoor, ValidationDoor

urlpatterns = [
    path("licenses", LicensesDoor.as_view(), name="licenses"),
    path("licenses/validate", ValidationDoor.as_view(), name="validate-license"),
    path("licenses/<uuid:id>", LicenseKeyDoor.as_view(), name="license"),
    # The last of them, since MIT/Apache-2.0 has a slash, too.
    path("licenses/<path:spdx>", LicenseDoor.as_view(), name="license-facts"),
]
