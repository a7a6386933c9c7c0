"""The routes of contract section 10."""

from django.urls import path

from registry.protocols.products.products import AccessDoor, CreateDoor, DeleteDoor, FetchDoor, ModifyDoor
from registry.protocols.products.tokens import FetchTokenDoor, PruneTokenDoor, RegisterDoor
from registry.protocols.products.versions import DeleteVersionDoor, UploadDoor, VersionDownloadDoor

app_name = "products"
urlpatterns = [
    path("register", RegisterDoor.as_view(), name="register"),
    path("fetch/<str:token>", FetchTokenDoor.as_view(), name="fetch-token"),
    path("prune/<str:token>", PruneTokenDoor.as_view(), name="prune-token"),
    path("product/access", AccessDoor.as_view(), name="access"),
    path("product/create", CreateDoor.as_view(), name="create"),
    path("product/fetch/<str:product>", FetchDoor.as_view(), name="fetch"),
    path("product/delete/<str:product>", DeleteDoor.as_view(), name="delete"),
    path("product/delete/<str:product>/<str:version>", DeleteVersionDoor.as_view(), name="delete-version"),
    path("product/modify/<str:action>", ModifyDoor.as_view(), name="modify"),
    path("product/upload", UploadDoor.as_view(), name="upload"),
    path("product/download/<str:product>/<str:version>", VersionDownloadDoor.as_view(), name="download"),
]
