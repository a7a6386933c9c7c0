"""The routes for Python's clients, below /pypi/ and /pypi/{project}/."""

from django.urls import include, path

from registry.protocols.pypi.files import FileDoor, MetadataDoor, ProvenanceDoor
from registry.protocols.pypi.reading import ProjectDoor, ProjectsDoor
from registry.protocols.pypi.uploading import UploadDoor

app_name = "pypi"
FILE = "files/<str:name>/<str:version>/<str:filename>"
routes = [
    path("simple/", ProjectsDoor.as_view(), name="projects"),
    path("simple", ProjectsDoor.as_view()),
    path("simple/<str:name>/", ProjectDoor.as_view(), name="project"),
    path("simple/<str:name>", ProjectDoor.as_view()),
    path(f"{FILE}.metadata", MetadataDoor.as_view(), name="metadata"),
    path(f"{FILE}.provenance", ProvenanceDoor.as_view(), name="provenance"),
    path(FILE, FileDoor.as_view(), name="file"),
    path("integrity/<str:name>/<str:version>/<str:filename>/provenance", ProvenanceDoor.as_view(), name="integrity"),
    path("legacy/", UploadDoor.as_view(), name="upload"),
    path("legacy", UploadDoor.as_view()),  # twine refuses redirects
]
# A project's base comes last: `/pypi/simple/acme/` is the page of the package acme, `/pypi/acme/simple/` acme's index.
urlpatterns = [*routes, path("<slug:project>/", include((routes, "pypi"), namespace="of-project"))]
