"""The mirrors app, nested in the registry."""

from django.apps import AppConfig


class MirrorsConfig(AppConfig):
    """EU regions that what is approved is copied to."""

    name = "registry.mirrors"
    label = "mirrors"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Follow the change feed of the registry, and let the jobs register themselves."""
        from registry import signals
        from registry.mirrors import comparing, following, mending, probing  # noqa: F401  # they register jobs

        signals.feed_moved.connect(following.wake, dispatch_uid="mirrors")
