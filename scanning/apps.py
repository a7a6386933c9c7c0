"""The scanning app."""

from django.apps import AppConfig


class ScanningConfig(AppConfig):
    """Is it safe: advisories, scans, findings and waivers."""

    name = "scanning"
    default_auto_field = "django.db.models.BigAutoField"
