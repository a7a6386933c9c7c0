"""The admin of this portal: Django's own, with the review queue as its front page."""

from django.contrib.admin.apps import AdminConfig


class RegistryAdminConfig(AdminConfig):
    """Django's admin app with our own site."""

    default_site = "registry.admin.site.RegistryAdminSite"
