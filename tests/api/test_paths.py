"""How names stand in addresses: scopes, encoded slashes, words that are routes."""

import pytest
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import Resolver404, resolve

from accounts.middleware import EncodedSlashes

FOUND = [
    ("packages/left-pad", "package", {"name": "left-pad"}),
    ("packages/@acme/core", "package", {"name": "@acme/core"}),
    ("packages/@acme%2Fcore", "package", {"name": "@acme/core"}),
    ("packages/@acme%2fcore", "package", {"name": "@acme/core"}),
    ("packages/%40acme%2Fcore", "package", {"name": "@acme/core"}),
    ("packages/library/nginx", "package", {"name": "library/nginx"}),
    ("packages/library%2Fnginx", "package", {"name": "library/nginx"}),
    ("packages/library%2Fversions", "package", {"name": "library/versions"}),
    ("packages/@acme/versions", "package", {"name": "@acme/versions"}),
    ("packages/@acme/resolve", "package", {"name": "@acme/resolve"}),
    ("packages/@acme/publish", "package", {"name": "@acme/publish"}),
    ("packages/@acme/versions/versions/1.0.0", "version", {"name": "@acme/versions", "version": "1.0.0"}),
    ("packages/library%2Fversions/versions/1", "version", {"name": "library/versions", "version": "1"}),
    ("packages/left-pad/versions/1.0.0", "version", {"name": "left-pad", "version": "1.0.0"}),
    ("packages/left-pad/versions/1.0.0%2Bbuild", "version", {"name": "left-pad", "version": "1.0.0+build"}),
    ("packages/left-pad/resolve", "resolve", {"name": "left-pad"}),
    ("packages/@acme/core/resolve", "resolve", {"name": "@acme/core"}),
    ("packages/@acme%2Fcore/versions/1/download", "download", {"name": "@acme/core", "version": "1"}),
    ("packages/org.acme:core/versions/1/sbom", "sbom", {"name": "org.acme:core", "version": "1"}),
    ("packages/a%2Fb/versions/1/files/b-1.tgz", "file", {"name": "a/b", "version": "1", "filename": "b-1.tgz"}),
    ("packages/publish", "publish", {}),
    ("packages/stats/categories", "categories", {}),
    ("packages/statsd", "package", {"name": "statsd"}),
    ("packages/publisher", "package", {"name": "publisher"}),
]
NOWHERE = [
    "packages/stats",
    "packages/library/versions",
    "packages/left-pad/owners",
    "packages/left-pad/versions",
    "packages/@acme",
    "packages/a/b/c",
    "packages/library/versions/versions/1/download/more",
    "packages/left-pad/versions/1/files",
    "packages/left-pad/versions/1/files/",
    "packages/left-pad/",
    "packages/",
    "packages//left-pad",
    "packages/left%00pad",
    "packages/..%2f..%2fetc",
]


def resolved(path: str):
    """What the URL table finds, seen as a server hands it over."""
    request = RequestFactory().get(path, RAW_URI=path)
    found = []

    def answer(request: HttpRequest) -> HttpResponse:
        found.append(resolve(request.path_info))
        return HttpResponse()

    EncodedSlashes(answer)(request)
    return found[0]


@pytest.mark.parametrize("base", ["/api/v1/", "/v1/"])
@pytest.mark.parametrize(("path", "name", "values"), FOUND)
def test_an_address_names_its_package(base: str, path: str, name: str, values: dict[str, str]):
    match = resolved(base + path)

    assert (match.url_name, match.kwargs) == (name, values)


@pytest.mark.parametrize("path", NOWHERE)
def test_what_is_no_address_is_not_found(path: str):
    with pytest.raises((Resolver404, Http404)):
        resolved("/api/v1/" + path)


def test_nothing_redirects_to_or_from_a_slash(nobody):
    assert nobody.get("/packages/").status_code == 404
    assert nobody.get("/packages").status_code == 200
