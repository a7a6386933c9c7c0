"""The table of contents: the API under both bases, the catalogue, the profile, the admin."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from registry.api.health import health

api = [
    path("", include("registry.api.urls")),
    path("", include("accounts.api.urls")),
    path("", include("scanning.api.urls")),
    path("", include("licensing.api.urls")),
]

urlpatterns = [
    path("api/v1/", include((api, "api"), namespace="api")),
    path("v1/", include((api, "api"), namespace="v1")),
    path("api/", include("registry.api.schema_urls")),
    path("admin/", admin.site.urls),
    path("admin", RedirectView.as_view(pattern_name="admin:index", http_method_names=["get", "head", "options"])),
    path("health", health),
    path("", include("registry.protocols.products.urls")),
    path("", include("registry.protocols.urls")),
    path("npm/", include("registry.protocols.npm.urls")),
    path("pypi/", include("registry.protocols.pypi.urls")),
    path("", include("accounts.web.urls")),
    path("", include("scanning.web.urls")),
    path("", include("licensing.web.urls")),
    path("", include("registry.web.urls")),
]

handler400 = "accounts.api.errors.bad_request"
handler403 = "accounts.api.errors.forbidden"
handler404 = "accounts.api.errors.not_found"
handler500 = "accounts.api.errors.server_error"
