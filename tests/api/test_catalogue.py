"""Lists of packages: filters, pages, links, and what strangers do not see."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEvent
from registry import documents
from tests import builders
from tests.api.clients import ApiClient
from tests.builders import Cast
from tests.standing import standing


@pytest.fixture(scope="module")
def standing_shelf(django_db_setup: None, django_db_blocker, tmp_path_factory) -> Iterator[Callable[[Path], Cast]]:
    """The cast before the shelf, once for this file."""
    with standing(django_db_blocker, tmp_path_factory.mktemp("shelf"), fill_a_shelf) as enter:
        yield enter


def fill_a_shelf() -> Cast:
    """25 public npm packages, one Python one, one private one."""
    cast = builders.assemble_cast()
    for number in range(25):
        put(cast, f"lib-{number:02}", category="WEB" if number < 5 else "CLI")
    put(cast, "flask", ecosystem="pypi", category="WEB", keywords=["wsgi"])
    put(cast, "hidden", visibility="private", category="WEB")
    return cast


@pytest.fixture
def cast(standing_shelf: Callable[[Path], Cast], db: None, tmp_path: Path) -> Cast:
    return standing_shelf(tmp_path)


@pytest.fixture
def shelf(cast: Cast) -> None:
    """What `fill_a_shelf` put there."""


def put(cast: Cast, name: str, **fields) -> None:
    package = builders.package(cast.acme, name, **fields)
    builders.release(package, "1.0.0")
    documents.rebuild(package)


def names(answer) -> list[str]:
    return [package["name"] for package in answer.json()["packages"]]


def links(answer) -> dict[str, str]:
    found = {}
    for part in answer["Link"].split(", "):
        address, _, relation = part.partition("; rel=")
        found[relation.strip('"')] = address.strip("<>")
    return found


def test_a_page_has_twenty_rows_and_links(nobody: ApiClient, shelf):
    answer = nobody.get("/packages?ordering=name&ecosystem=npm")

    body = answer.json()
    assert {key: body[key] for key in ("total", "limit", "offset", "page", "pages")} == {
        "total": 25, "limit": 20, "offset": 0, "page": 1, "pages": 2,
    }  # fmt: skip
    assert names(answer)[0] == "lib-00"
    assert len(names(answer)) == 20
    assert set(links(answer)) == {"first", "next", "last"}
    assert links(answer)["next"] == "http://testserver/api/v1/packages?ordering=name&ecosystem=npm&limit=20&page=2"


def test_following_next_loses_and_repeats_nothing(nobody: ApiClient, shelf):
    seen, address = [], "/api/v1/packages?limit=7"
    while address:
        answer = nobody.get(address)
        seen += names(answer)
        address = links(answer).get("next", "").removeprefix("http://testserver")
    assert len(seen) == len(set(seen)) == 26


def test_offset_has_a_hundred_rows_by_default(nobody: ApiClient, shelf):
    body = nobody.get("/packages?offset=5").json()

    assert (body["limit"], body["offset"], len(body["packages"])) == (100, 5, 21)
    assert set(links(nobody.get("/packages?offset=5&limit=10"))) == {"first", "prev", "next", "last"}


def test_beyond_the_end_is_an_empty_page(nobody: ApiClient, shelf):
    answer = nobody.get("/packages?page=1000000")

    assert (answer.status_code, names(answer)) == (200, [])


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=-1", "page=1.5", "page=x", "page=", "page=1000001", "page=99999999999999999999999", "limit=0",
     "limit=101", "limit=", "limit=%00", "offset=-1", "offset=1e3", "offset=٣", "page=1&offset=0",
     "ordering=rank", "status=maybe", "ecosystem=cobol", "category=NOPE", "search=a%00b", "q=a&search=b",
     "type=npm&ecosystem=pypi", f"search={'x' * 300}"],
)  # fmt: skip
def test_anything_else_is_400(nobody: ApiClient, shelf, query: str):
    answer = nobody.get(f"/packages?{query}")

    assert answer.status_code == 400
    assert answer.json()["details"]


@pytest.mark.parametrize(
    ("query", "total"),
    [("", 26), ("ecosystem=pypi", 1), ("type=pypi", 1), ("category=WEB", 6), ("search=flask", 1), ("q=wsgi", 1),
     ("status=approved", 26), ("status=pending", 0), ("license=MIT", 26), ("license=GPL-3.0-only", 0),
     ("category=WEB&ecosystem=npm", 5), ("search=%F0%9F%98%80", 0), ("search=%27%22%29--", 0)],
)  # fmt: skip
def test_filters_narrow_the_list(nobody: ApiClient, shelf, query: str, total: int):
    assert nobody.get(f"/packages?{query}").json()["total"] == total


def test_private_packages_are_listed_and_counted_only_for_those_who_may_see_them(cast, nobody, client_of, shelf):
    assert nobody.get("/packages").json()["total"] == 26
    assert client_of(cast.mallory).get("/packages?search=hidden").json()["total"] == 0
    mine = client_of(cast.alice).get("/packages?search=hidden")
    assert names(mine) == ["hidden"]
    assert mine["Cache-Control"].startswith("private")


def test_a_list_costs_the_same_queries_however_long_it_is(nobody: ApiClient, shelf):
    counts = []
    for limit in (1, 26):
        with CaptureQueriesContext(connection) as queries:
            nobody.get(f"/packages?limit={limit}&search=lib")
        cache.clear()
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 6, counts


def test_categories_are_counted(cast, nobody: ApiClient, client_of, shelf):
    body = nobody.get("/packages/stats/categories").json()

    assert {row["category"]: row["count"] for row in body["categories"]} == {"CLI": 20, "WEB": 6}
    assert body["total"] == 26
    assert client_of(cast.alice).get("/packages/stats/categories").json()["total"] == 27


def test_submitting_queues_a_review(cast, client_of):
    answer = client_of(cast.alice).send(
        "POST", "/packages", {"name": "requests", "version": "2.31.0", "ecosystem": "pypi", "license": "Apache-2.0"}
    )

    body = answer.json()
    assert answer.status_code == 201
    assert (body["status"], body["queued_scan"], body["submitted_by"]) == ("pending", True, "alice@example.com")
    assert answer["Location"] == body["url"] == "/api/v1/packages/requests/versions/2.31.0"
    assert ApiClient().get(answer["Location"]).json()["status"] == "pending"


def test_submitting_twice_is_409(cast, client_of):
    wanted = {"name": "requests", "version": "2.31.0", "ecosystem": "pypi"}
    alice = client_of(cast.alice)

    assert alice.send("POST", "/packages", wanted).status_code == 201
    assert alice.send("POST", "/packages", {**wanted, "version": "2.31"}).status_code == 409


def test_submitting_needs_a_credential_with_the_scope(cast, nobody, client_of):
    wanted = {"name": "requests", "version": "2.31.0", "ecosystem": "pypi"}

    anonymous = nobody.send("POST", "/packages", wanted)
    assert (anonymous.status_code, anonymous["WWW-Authenticate"]) == (401, "Bearer")
    assert client_of(cast.alice, "read").send("POST", "/packages", wanted).status_code == 403
    refused = AuditEvent.objects.filter(outcome="refused", action="release.submit")
    assert [event.actor for event in refused] == [str(cast.alice.pseudonym), "anonymous"]


@pytest.mark.parametrize(
    ("change", "field"),
    [({"colour": "red"}, "colour"), ({"name": 5}, "name"), ({"name": None}, "name"), ({"version": True}, "version"),
     ({"ecosystem": "cobol"}, "ecosystem"), ({"ecosystem": 1}, "ecosystem"), ({"keywords": "a,b"}, "keywords"),
     ({"keywords": [1]}, "keywords.0"), ({"keywords": ["x"] * 51}, "keywords"),
     ({"submitted_by": "me"}, "submitted_by"),
     ({"name": "x" * 300}, "name"), ({"description": "x" * 10_001}, "description"), ({"license": []}, "license"),
     ({"category": "NOPE"}, "category"), ({"homepage": "javascript:alert(1)"}, "homepage")],
)  # fmt: skip
def test_a_bad_submission_names_the_field(cast, client_of, change: dict, field: str):
    wanted = {"name": "requests", "version": "2.31.0", "ecosystem": "pypi", **change}

    answer = client_of(cast.alice).send("POST", "/packages", wanted)

    assert answer.status_code == 400
    assert field in answer.json()["details"], answer.json()
