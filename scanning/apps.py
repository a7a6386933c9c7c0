"""The scanning app."""

from django.apps import AppConfig


class ScanningConfig(AppConfig):
    """Is it safe: advisories, scans, findings and waivers."""

    name = "scanning"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Contribute the waivers of a person to what they may take along and have erased."""
        from accounts import privacy
        from scanning import personal_data

        privacy.contributes("scanning", personal_data.export, personal_data.erase)
