"""The routes of contract section 6."""

from django.urls import path

from licensing.api.facts import LicenseDoor

urlpatterns = [
    path("licenses/<str:spdx>", LicenseDoor.as_view(), name="license-facts"),
]
