"""The mirrors app, nested in the registry."""

from django.apps import AppConfig


class MirrorsConfig(AppConfig):
    """Where packages come from (upstreams) and where they go (EU mirrors)."""

    name = "registry.mirrors"
    label = "mirrors"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Follow the announcements of the registry."""
        from registry import signals
        from registry.mirrors import replicating

        for signal in (signals.release_approved, signals.release_retired):
            signal.connect(replicating.wake, dispatch_uid="mirrors")
