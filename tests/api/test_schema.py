"""The published description: valid, complete, readable as JSON and YAML and as a page."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

from tests.api.clients import ApiClient, described, path_of
from tests.authorization.declared_products import PRODUCTS


def routes(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, type[APIView]]]:
    """Every route below the patterns that a REST view answers."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and issubclass(getattr(pattern.callback, "cls", object), APIView):
            yield route, pattern.callback.cls


def api_routes() -> list[tuple[str, type[APIView]]]:
    return [
        (route, view)
        for route, view in routes(get_resolver().url_patterns)
        if route.startswith(("api/v1/", "v1/")) or route in PRODUCTS
    ]


def test_the_description_is_valid_and_nothing_is_guessed():
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=io.StringIO())


def test_every_route_and_method_is_described():
    assert len(api_routes()) >= 38
    for route, view in api_routes():
        methods = {method for method in ("get", "post", "put", "patch", "delete") if hasattr(view, method)}
        assert set(described()["paths"][path_of(route)]) == methods, route


def test_scoped_packages_are_described_too():
    paths = described()["paths"]

    for path in paths:
        if "/packages/{name}" in path:
            scoped = paths[path.replace("/packages/{name}", "/packages/{scope}/{name}")]
            assert {operation["operationId"] for operation in scoped.values()}


def test_operations_have_names_of_their_own_and_every_error_the_one_shape():
    operations = [one for path in described()["paths"].values() for one in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    for operation in operations:
        errors = {status for status in operation["responses"] if int(status) >= 400}
        assert errors >= {"400", "401", "403", "429", "503"}, operation["operationId"]
        for status in errors:
            shape = operation["responses"][status]["content"]["application/json"]["schema"]
            assert shape == {"$ref": "#/components/schemas/Error"}


def test_it_is_served_as_json_and_yaml(nobody: ApiClient):
    as_json = nobody.get("/api/schema")
    assert as_json["Content-Type"] == "application/json"
    assert as_json.json()["openapi"].startswith("3.1")
    assert yaml.safe_load(nobody.get("/api/schema?format=yaml").content) == as_json.json()
    assert b"openapi: 3.1" in nobody.get("/api/schema", headers={"Accept": "application/yaml"}).content


@pytest.mark.parametrize("address", ["/api/docs", "/api/docs?script="])
def test_the_page_obeys_the_policy_of_all_pages(nobody: ApiClient, address: str):
    answer = nobody.get(address)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert "unsafe" not in answer["Content-Security-Policy"]
    if address == "/api/docs":
        assert "<style" not in page
        assert page.count("<script") == page.count("<script src=") == 3
