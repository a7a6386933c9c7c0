"""A minimal valid request for each cell of npm's table."""

import json
from functools import cache
from typing import Any

from registry import indexing
from tests import builders
from tests.authorization import rooms, routes
from tests.authorization.asked_of_api import Asked
from tests.authorization.declared_npm import NAME
from tests.protocols.npm.bodies import published


@cache
def tarball(name: str) -> bytes:
    """A new version of the package."""
    return builders.npm_tarball(name, rooms.NEW)


def address(route: str, asked: Asked) -> str:
    """The address of the target, as this caller means it."""
    room, caller, target = asked
    name = room.name(target) if target in room.packages else ""
    values: dict[str, Any] = {
        "name": name,
        "version": "latest" if "npm-tag" in route else rooms.READY,
        "filename": f"{name.rpartition('/')[2]}-{rooms.READY}.tgz",
        "tag": "next",
        "secret": room.web_login[1],
        "username": "carol",
        "rev": revision(asked) if route == f"{NAME}/-rev/<str:rev>" else "1-0",
    }
    if "<str:token>" in route or "<str:key>" in route:
        values["token"] = values["key"] = room.token_id(caller, target)
    return "/npm/" + routes.fill(route, values)


def request(route: str, method: str, asked: Asked) -> dict[str, Any]:
    """What npm would send."""
    room, _caller, target = asked
    if method in ("GET", "HEAD", "DELETE", "OPTIONS"):
        return {}
    name = room.name(target) if target in room.packages else ""
    bodies: dict[str, Any] = {
        "-/v1/login": {},
        "-/user/org.couchdb.user:<str:username>": {"name": "carol", "password": builders.PASSWORD},
        "-/npm/v1/tokens": {"password": builders.PASSWORD},
        f"-/package/{NAME}/dist-tags/<str:tag>": rooms.READY,
        f"{NAME}/-rev/<str:rev>": {"versions": {}},
        NAME: published(tarball(name), name, rooms.NEW) if route == NAME else None,
    }
    return {"data": json.dumps(bodies.get(route)), "content_type": "application/json"}


def revision(asked: Asked) -> str:
    """The `_rev` that a reader of the packument has seen."""
    package = asked[0].packages[asked[2]]
    said = indexing.index_of(package, [], {})
    return f"1-{int(said.updated_at.timestamp() * 1000):x}"
