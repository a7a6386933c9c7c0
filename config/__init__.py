"""Settings, the table of contents of the URLs, and the two entry points (WSGI and Celery)."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
