"""The webhooks app, nested in the registry."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Who outside is told what happens here."""

    name = "registry.webhooks"
    label = "webhooks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the jobs."""
        from registry.webhooks import delivering, history, letters  # noqa: F401  # which register them
