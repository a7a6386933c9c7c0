"""The portal's routes, and one more that always says the same: what server and middleware cost by themselves."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as portal

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def constant(request: HttpRequest) -> HttpResponse:
    """A constant answer through the full middleware."""
    return HttpResponse(b'{"constant": true}', "application/json")


urlpatterns = [path("api/v1/constant", constant), *portal]
