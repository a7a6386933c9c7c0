"""Errors are JSON of one shape for programs and pages for people; nothing else ever."""

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import OperationalError, connection
from django.http import Http404, HttpResponse
from django.test import Client, RequestFactory
from django.urls import path
from rest_framework import exceptions as drf_errors

from accounts import errors as refusals
from accounts.api import errors
from accounts.api.doors import Door
from accounts.signatures import SignatureInvalid
from registry import errors as registry_refusals
from tests.api.clients import ApiClient

STATUSES = [
    (refusals.InvalidInput, 400),
    (refusals.Unauthenticated, 401),
    (refusals.Forbidden, 403),
    (refusals.NotFound, 404),
    (refusals.Conflict, 409),
    (registry_refusals.Gone, 410),
    (registry_refusals.TooLarge, 413),
    (registry_refusals.UnsupportedMedia, 415),
    (registry_refusals.Refused, 422),
    (SignatureInvalid, 422),
    (registry_refusals.Unavailable, 503),
]


def handled(error: Exception):
    """What the door answers to an exception."""
    answer = errors.handle(error, {"view": None, "request": RequestFactory().get("/")})
    assert answer is not None
    return answer


@pytest.mark.parametrize(("kind", "status"), STATUSES)
def test_every_refusal_has_its_status(kind: type[refusals.RegistryError], status: int):
    answer = handled(kind("Do this.", code="special", details={"field": ["why"]}))

    assert (answer.status_code, answer.data["statusCode"], answer.data["error"]) == (status, status, "Do this.")
    assert answer.data["details"] == {"field": ["why"], "code": "special"}
    assert (answer.headers.get("WWW-Authenticate") == "Bearer") is (status == 401)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Http404("a traceback's words"), 404),
        (PermissionDenied(), 403),
        (SuspiciousOperation("odd"), 400),
        (OperationalError("password=hunter2"), 503),
        (DjangoValidationError({"name": ["bad"]}), 400),
        (DjangoValidationError("bad"), 400),
        (drf_errors.ParseError(), 400),
        (drf_errors.NotAuthenticated(), 401),
        (drf_errors.UnsupportedMediaType("x/y"), 415),
        (drf_errors.Throttled(wait=7), 429),
        (drf_errors.ValidationError({"a": {"b": [{"c": ["deep"]}]}}), 400),
    ],
)
def test_what_frameworks_raise_gets_the_same_shape(error: Exception, status: int):
    answer = handled(error)

    assert (answer.status_code, set(answer.data)) == (status, {"error", "statusCode", "details"})
    assert "hunter2" not in str(answer.data)
    assert "traceback" not in str(answer.data)


def test_nested_fields_are_named_by_their_path():
    answer = handled(drf_errors.ValidationError({"packages": [{}, {"name": ["Too long."]}]}))

    assert answer.data["details"] == {"packages.1.name": ["Too long."]}
    assert answer.data["error"] == "packages.1.name: Too long."


def test_being_throttled_says_when_to_come_back():
    assert handled(drf_errors.Throttled(wait=7)).headers["Retry-After"] == "7"


def test_unforeseen_errors_are_left_to_the_log():
    assert errors.handle(RuntimeError(), {"view": None, "request": RequestFactory().get("/")}) is None


@pytest.mark.parametrize("path", ["/api/nowhere", "/api/v1/nowhere", "/v1/nowhere", "/v1/packages/a/b/c/d"])
def test_unknown_api_addresses_answer_json(nobody: ApiClient, path: str):
    answer = nobody.get(path, headers={"Accept": "text/html"})

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
    assert answer.json()["statusCode"] == 404


def test_any_accept_header_gets_json(nobody: ApiClient):
    for accept in ("text/html", "application/xml", "*/*", "nonsense", "application/json;q=0"):
        assert nobody.get("/packages", headers={"Accept": accept})["Content-Type"] == "application/json"


@pytest.mark.parametrize("handler", [errors.bad_request, errors.forbidden, errors.not_found])
def test_programs_get_json_and_people_get_pages(handler):
    def answered(path: str, accept: str) -> HttpResponse:
        return handler(RequestFactory().get(path, headers={"Accept": accept}), Exception("secret"))

    assert answered("/api/v1/x", "text/html")["Content-Type"] == "application/json"
    assert answered("/x", "application/json")["Content-Type"] == "application/json"


def test_programs_are_answered_in_one_language(cast, client_of):
    german = {"Accept-Language": "de"}

    answer = client_of(cast.alice).send("POST", "/packages", {}, headers=german)

    assert answer.json()["details"]["name"] == ["This field is required."]


def test_a_broken_portal_says_so_in_json():
    answer = errors.server_error(RequestFactory().get("/api/v1/packages"))

    assert (answer.status_code, answer["Content-Type"]) == (500, "application/json")


@pytest.mark.parametrize(
    ("path", "kind"), [("/v1/packages/a", "application/json"), ("/packages", "text/html"), ("/admin/", "text/html")]
)
def test_while_the_database_is_away_programs_and_people_are_told_to_come_back(cast, path: str, kind: str):
    """Whoever carries a credential meets the database before any view does."""
    client = Client(raise_request_exception=False)
    client.force_login(cast.root)

    def away(*statement: object) -> None:
        raise OperationalError("password=hunter2")

    with connection.execute_wrapper(away):
        answer = client.get(path)

    assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (503, kind)
    assert "does not answer" in answer.content.decode()
    assert "hunter2" not in answer.content.decode()


class BrokenDoor(Door):
    """A door with a hole in it."""

    def get(self, request):
        """Fall through."""
        return self.no_such_activity


urlpatterns = [path("api/v1/broken", BrokenDoor.as_view())]
handler500 = errors.server_error


def test_a_crash_in_a_door_is_500_in_the_one_shape(db, settings):
    settings.ROOT_URLCONF = __name__

    answer = Client(raise_request_exception=False).get("/api/v1/broken")

    assert (answer.status_code, answer.json()["statusCode"]) == (500, 500)
    assert "no_such_activity" not in answer.content.decode()
