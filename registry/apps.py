"""The registry app."""

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    """What is kept, and the rules of keeping it."""

    name = "registry"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Import the activities that handle jobs, and the system checks, so that they register themselves."""
        from registry import approving, checking, configuration, downloading, retiring, storage  # noqa: F401  # registration
