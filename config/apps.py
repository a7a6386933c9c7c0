"""The admin of this portal: Django's own, with the review queue as its front page."""

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.apps import AdminConfig

# What the sign-in library would show of its own: rows with secrets in them, and tables that nothing here writes to.
NOT_SHOWN = ("account", "socialaccount", "mfa")


class RegistryAdminConfig(AdminConfig):
    """Django's admin app with our own site; it also brings up the Celery application that tasks are bound to."""

    default_site = "registry.admin.site.RegistryAdminSite"

    def ready(self) -> None:
        """Load the Celery application in every process that uses Django, then the tables of the admin."""
        # Ours first: a site that is made while `registry.admin` is half imported would be made twice.
        import registry.admin  # noqa: F401  # registration
        from config import celery  # noqa: F401  # loading it makes it the current application

        super().ready()
        self._hide_tables()

    def _hide_tables(self) -> None:
        for model in (model for label in NOT_SHOWN for model in apps.get_app_config(label).get_models()):
            if admin.site.is_registered(model):
                admin.site.unregister(model)
