"""What a WSGI server imports: the portal, behind what answers most reads of package managers without it."""

import os
from wsgiref.types import WSGIApplication

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def _application() -> WSGIApplication:
    portal = get_wsgi_application()
    from registry.protocols.early import StoredIndexes  # which wants the apps to be ready

    return StoredIndexes(portal)


application = _application()
