"""The licensing app."""

from django.apps import AppConfig


class LicensingConfig(AppConfig):
    """May it be used: licence facts, this instance's policy over them, and sold keys."""

    name = "licensing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Recognize licence keys as credentials; have what a person changed in the policy taken along and erased."""
        from accounts import asking, privacy
        from licensing import entitling, expiring, personal_data, reconsidering  # noqa: F401  # which register their jobs

        asking.recognizes(entitling.actor_of)

        privacy.contributes("licensing", personal_data.export, personal_data.erase)
