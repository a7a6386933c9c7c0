"""The portal's routes, and one more that always says the same: what server and middleware cost by themselves."""

import os

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path

from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as portal

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def constant(request: HttpRequest) -> HttpResponse:
    """A constant answer through the full middleware."""
    return HttpResponse(b'{"constant": true}', "application/json")


def limits(request: HttpRequest, store: str) -> HttpResponse:
    """From now on count requests in Redis, in the file, or nowhere; there is one process, so it hears of it."""
    settings.RATE_LIMIT_ANONYMOUS = "" if store == "nowhere" else "100000000/m"
    settings.REDIS_URL = os.environ["REDIS_URL"] if store == "redis" else ""
    return HttpResponse(b"{}", "application/json")


urlpatterns = [path("api/v1/constant", constant), path("api/v1/limits/<str:store>", limits), *portal]
