"""The admin of this portal: Django's own, with the review queue as its front page."""

from django.contrib.admin.apps import AdminConfig


class RegistryAdminConfig(AdminConfig):
    """Django's admin app with our own site; it also brings up the Celery application that tasks are bound to."""

    default_site = "registry.admin.site.RegistryAdminSite"

    def ready(self) -> None:
        """Load the Celery application in every process that uses Django."""
        from config import celery  # noqa: F401  # loading it makes it the current application

        super().ready()
