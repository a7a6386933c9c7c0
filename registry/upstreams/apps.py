"""The upstreams app, nested in the registry."""

from django.apps import AppConfig


class UpstreamsConfig(AppConfig):
    """Where packages of others are pulled from."""

    name = "registry.upstreams"
    label = "upstreams"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the jobs."""
        from registry.upstreams import fetching, syncing  # noqa: F401  # imported for what they register
