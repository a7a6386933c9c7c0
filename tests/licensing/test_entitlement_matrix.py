"""Every read path of the API, asked with every kind of licence key: what a key does not cover does not leave."""

import base64
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from licensing import keys as sold_keys
from licensing.keys import Wanted
from tests import builders
from tests.authorization import asked_of_api, routes
from tests.authorization.conftest import keys, room, standing_room
from tests.authorization.declared_api import API
from tests.authorization.rooms import Room

__all__ = ["keys", "room", "standing_room"]  # the fixtures
SECRET = "foreign-private"
REFUSED = {
    "other": "PACKAGE_NOT_COVERED",
    "suspended": "SUSPENDED",
    "expired": "EXPIRED",
    "outside": "VERSION_NOT_COVERED",
}
WAYS: tuple[tuple[str, dict[str, str]], ...] = (
    ("GET", {}),
    ("HEAD", {}),
    ("GET", {"Range": "bytes=0-0"}),
    ("GET", {"Range": "bytes=999999999-"}),
    ("GET", {"If-None-Match": "*"}),
)
# What answers 200 and says no in its verdicts; what has nothing to show of an unsigned or a tagged version.
TELLS = "explain"


def sold(seller: User, name: str, **terms: object) -> str:
    """The value of a new key to the package."""
    from licensing import minting

    made = sold_keys.create(Wanted(packages=(name,), **terms), builders.actor(seller))
    return minting.unseal(made.sealed)


@pytest.fixture
def kinds(room: Room) -> dict[str, str]:
    """A key of each kind for mallory's private package."""
    mallory, secret, yesterday = room.cast.mallory, room.name(SECRET), timezone.now() - timedelta(days=1)
    return {
        "other": sold(room.cast.alice, room.name("own-private")),
        "suspended": sold(mallory, secret, suspended=True),
        "expired": sold(mallory, secret, constraint="date", until=yesterday),
        "outside": sold(mallory, secret, constraint="version", range=">=9.0.0"),
        "good": sold(mallory, secret, constraint="version", range="<=1.0.0"),
    }


def reading(route: str) -> bool:
    return "GET" in API[route] and API[route]["GET"].sees and SECRET in API[route]["GET"].targets


def addresses(room: Room, name: str = SECRET) -> Iterator[tuple[str, str]]:
    """Route and address of everything that reads the package, over both bases."""
    for base in routes.BASES:
        for route in filter(reading, API):
            yield route, asked_of_api.address(base, route, (room, room.callers["anonymous"], name))


def test_every_read_path_asks_every_kind_of_key(room: Room, kinds: dict[str, str]):
    """No key: as if it were not there. Another package, suspended, expired, outside: 403 with the code and reason."""
    wrong, asked = [], 0
    for route, path in addresses(room):
        for kind, raw in ({"none": ""} | kinds).items():
            headers = builders.bearer(raw) if raw else {}
            for method, more in WAYS:
                answer = Client().generic(method, path, headers=headers | more)
                asked += 1
                body = b"" if answer.streaming or method == "HEAD" else answer.content
                if complaint := complaint_about(route, kind, answer.status_code, body):
                    wrong.append(f"{method} {path} {more} {kind}: {complaint}")
                if answer.streaming:
                    b"".join(answer.streaming_content)
    assert wrong == [], "\n".join(wrong)
    assert asked > 400


def complaint_about(route: str, kind: str, status: int, body: bytes) -> str:
    if kind == "none":
        return "" if status == 404 else str(status)
    if kind == "good":
        return "" if status in (200, 206, 304, 416) else f"{status} {body!r}"
    if route == TELLS and kind == "outside":
        told = REFUSED[kind].encode() in body or not body
        return "" if status == 200 and told else f"{status} {body!r}"
    told = f'"code":"{REFUSED[kind]}"'.encode() in body and b'"reason":"' in body
    return "" if status == 403 and (told or not body) else f"{status} {body!r}"


@pytest.mark.once
def test_a_name_that_is_not_covered_and_a_name_that_nobody_has_are_one_answer(room: Room, kinds: dict[str, str]):
    """So a customer of one project learns nothing of what others keep private, nor of what their seller does."""
    for kind in ("other", "suspended", "expired"):
        client = Client(headers=builders.bearer(kinds[kind]))
        for _, path in addresses(room):
            held, nothing = client.get(path), client.get(path.replace("private", "nothere"))
            assert held.status_code == nothing.status_code == 403
            assert held.content.replace(b"private", b"nothere") == nothing.content, path


@pytest.mark.once
def test_a_key_opens_by_every_header_that_installers_send(room: Room, kinds: dict[str, str]):
    path, good = f"/v1/packages/{room.name(SECRET)}/versions/1.0.0/download", kinds["good"]
    basic = base64.b64encode(f"anything:{good}".encode()).decode()
    token = builders.token(room.cast.mallory, "read", name="for pip")
    password = base64.b64encode(f"__token__:{token}".encode()).decode()
    for headers in (
        {"Authorization": f"Bearer {good}"}, {"X-API-Key": good}, {"X-Api-Token": good},
        {"Authorization": f"Basic {basic}"}, {"Authorization": f"basic {password}"},
        {"Authorization": f"Basic {basic}", "X-API-Key": good},
    ):  # fmt: skip
        answer = Client().get(path, headers=headers)
        assert answer.status_code == 200, headers
        assert b"".join(answer.streaming_content)
        assert answer["Cache-Control"].startswith("private")
    two = Client().get(path, headers={"Authorization": f"Basic {basic}", "X-API-Key": token})
    assert two.status_code == 400
    for junk in ("Basic", "Basic !!!", "Basic " + base64.b64encode(b"user:wrong-key-1").decode()):
        answer = Client().get("/v1/packages", headers={"Authorization": junk})
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer"), junk


@pytest.mark.once
def test_what_a_key_opens_is_all_that_it_opens(room: Room, kinds: dict[str, str]):
    """No other route that asks for somebody answers more than their name, and nothing is written."""
    client = Client(headers=builders.bearer(kinds["good"]))
    for route, methods in API.items():
        for method, may in methods.items():
            if not may.signed_in or (method == "GET" and route in ("me", "security/waivers")):
                continue
            cell = (room, room.callers["anonymous"], SECRET if SECRET in may.targets else "foreign")
            request, path = asked_of_api.request(route, method, cell), asked_of_api.address("v1/", route, cell)
            answer = client.generic(method, path, **request)
            assert answer.status_code in (403, 404), (method, route, answer.status_code)
    me = client.get("/v1/me").json()
    assert (me["credential"]["kind"], me["scopes"], me["username"]) == ("license", [], None)
    assert client.get("/v1/security/waivers").json()["waivers"] == []
    assert client.get("/v1/me", headers={"X-Project-ID": "acme"}).status_code == 403
    assert client.get("/v1/me", headers={"X-Project-ID": "elsewhere"}).status_code == 200


@pytest.mark.once
def test_pages_for_people_open_to_no_key(room: Room, kinds: dict[str, str]):
    answer = Client(headers=builders.bearer(kinds["good"])).get(f"/packages/npm/{room.name(SECRET)}")
    assert answer.status_code == 404
