"""The upstreams app, nested in the registry."""

from django.apps import AppConfig


class UpstreamsConfig(AppConfig):
    """Where packages of others are pulled from."""

    name = "registry.upstreams"
    label = "upstreams"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the jobs, and what is kept of people."""
        from accounts import privacy
        from registry.upstreams import fetching, personal_data, syncing  # noqa: F401  # two register their jobs
        from registry.upstreams.through import bringing, shelves  # noqa: F401  # likewise

        privacy.contributes("upstreams", personal_data.export, personal_data.erase)
