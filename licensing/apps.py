"""The licensing app."""

from django.apps import AppConfig


class LicensingConfig(AppConfig):
    """May it be used: licence facts, and this instance's policy over them."""

    name = "licensing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Contribute what a person changed in the policy to what they may take along and have erased."""
        from accounts import privacy
        from licensing import personal_data

        privacy.contributes("licensing", personal_data.export, personal_data.erase)
