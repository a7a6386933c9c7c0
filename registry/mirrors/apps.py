"""The mirrors app, nested in the registry."""

from django.apps import AppConfig


class MirrorsConfig(AppConfig):
    """Where packages come from (upstreams) and where they go (EU mirrors)."""

    name = "registry.mirrors"
    label = "mirrors"
    default_auto_field = "django.db.models.BigAutoField"
