"""The routes of contract section 6."""

from django.urls import path, register_converter
from django.urls.converters import UUIDConverter

from licensing.api.facts import LicenseDoor
from licensing.api.keys import LicenseKeyDoor, LicensesDoor, ValidationDoor


class KeyConverter(UUIDConverter):
    """A key's id in any case, as RFC 9562 has it; what looks like one is never read as a license."""

    regex = "-".join(f"[0-9a-fA-F]{{{length}}}" for length in (8, 4, 4, 4, 12))


register_converter(KeyConverter, "key")

urlpatterns = [
    path("licenses", LicensesDoor.as_view(), name="licenses"),
    path("licenses/validate", ValidationDoor.as_view(), name="validate-license"),
    path("licenses/<key:id>", LicenseKeyDoor.as_view(), name="license"),
    # The last of them, since MIT/Apache-2.0 has a slash, too.
    path("licenses/<path:spdx>", LicenseDoor.as_view(), name="license-facts"),
]
