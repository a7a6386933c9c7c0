"""What the benchmark's server imports: the portal with the routes of `benchmarks.urls`."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings

settings.ROOT_URLCONF = "benchmarks.urls"

from config.wsgi import application  # noqa: E402  # which resolves addresses by the routes named above

__all__ = ["application"]
