"""Settings, the table of contents of the URLs, the entry points (WSGI, Celery), and the portal on one box."""
