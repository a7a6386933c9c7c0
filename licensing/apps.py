"""The licensing app."""

from django.apps import AppConfig


class LicensingConfig(AppConfig):
    """May it be used: licence facts, and this instance's policy over them."""

    name = "licensing"
    default_auto_field = "django.db.models.BigAutoField"
