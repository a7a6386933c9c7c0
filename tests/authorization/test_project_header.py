"""X-Project-ID on every route of the API: a project that is foreign and one that does not exist are the same."""

import re

import pytest

from tests import builders
from tests.authorization import asked_of_api, routes
from tests.authorization.callers import Caller
from tests.authorization.declared_api import API
from tests.authorization.rooms import Room
from tests.authorization.watching import Seen, undone

CALLERS = ("anonymous", "developer:session", "developer:publish", "maintainer:review", "admin:admin@own")
# Savepoints and what the audit trail knows (a sequence number, a time) differ from one request to the next.
VALUES = re.compile(r"'[^']*'|\b\d+\b|\"s\d+_x\d+\"")


def ask(room: Room, caller: Caller, base: str, route: str, method: str, slug: str) -> tuple[object, list[str]]:
    """The answer under that header, and the shape of what it asked of the database."""
    may = API[route].get(method) or API[route]["GET"]
    asked = (room, caller, may.targets[-1])
    request = asked_of_api.request(route, method, asked)
    headers = {**request.pop("headers", {}), "X-Project-ID": slug}
    with undone() as seen:
        answer = caller.ask(method, asked_of_api.address(base, route, asked), headers=headers, **request)
    return answer, shape(seen)


def shape(seen: Seen) -> list[str]:
    return [VALUES.sub("?", sql) for sql in seen.queries]


def test_foreign_and_unknown_are_one_answer_and_one_shape_of_queries_on_every_route(room: Room):
    """No route serves before it has looked at the header, public ones included; HEAD and both bases alike."""
    bodies, wrong, asked = set(), [], 0
    for number, route in enumerate(API):
        for method in (*API[route], *(["HEAD"] if "GET" in API[route] else [])):
            for name in CALLERS:
                base = routes.BASES[number % 2]
                foreign, unknown = (
                    ask(room, room.callers[name], base, route, method, slug) for slug in ("elsewhere", "no-such")
                )
                asked += 1
                if (foreign[0].status_code, unknown[0].status_code) != (403, 403) or foreign[1] != unknown[1]:
                    wrong.append(f"{method} {base}{route} {name}: {foreign[0].status_code} {unknown[0].status_code}")
                if method != "HEAD":
                    bodies |= {foreign[0].content, unknown[0].content}
    assert wrong == [], "\n".join(wrong)
    assert len(bodies) == 1
    assert b"elsewhere" not in bodies.pop()
    assert asked > 150


@pytest.mark.parametrize("name", ["developer:read", "developer:session"])
def test_whoever_leaves_a_project_cannot_name_it_any_more(room: Room, name: str):
    caller = room.callers[name]
    headers = {"X-Project-ID": "acme"}
    assert caller.ask("GET", "/v1/me", headers=headers).json()["project"] == "acme"
    room.cast.acme.memberships.filter(user=caller.person).delete()
    assert caller.ask("GET", "/v1/me", headers=headers).status_code == 403


def test_a_bound_token_whose_holder_left_the_project_sees_and_writes_nothing_of_it(room: Room):
    caller = room.callers["developer:read@own"]
    path = "/v1/packages/@acme/private"
    assert caller.ask("GET", path).status_code == 200
    room.cast.acme.memberships.filter(user=caller.person).delete()
    assert caller.ask("GET", path).status_code == 404
    body = builders.npm_tarball("@acme/public", "9.0.0")
    writer = room.callers["developer:publish@own"]
    answer = writer.ask("POST", "/v1/packages/publish", data=body, content_type="application/gzip")
    assert answer.status_code in (400, 403, 422)
    assert not room.packages["own-public"].releases.filter(version="9.0.0").exists()
