"""A minimal valid request for each cell of the API's table."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.utils import timezone

from tests import builders
from tests.authorization import rooms, routes
from tests.authorization.callers import Caller
from tests.authorization.declared_api import PACKAGE, VERSION
from tests.authorization.rooms import Room

Asked = tuple[Room, Caller, str]
PURL = "pkg:npm/%40{}/{}@1.0.0"
LICENSE: dict[str, Any] = {"constraint": {"type": "none"}}
OVERRIDE = {"override": True, "reason": "The matrix says so."}

VERSIONS = {
    f"{VERSION}/approve": rooms.WAITING,
    f"{VERSION}/reject": rooms.WAITING,
    f"{VERSION}/restore": rooms.RETIRED,
}
QUERIES: dict[str, Callable[[Room, str], dict[str, str]]] = {
    f"{PACKAGE}/resolve": lambda room, target: {"range": "^1.0.0"},
    "explain": lambda room, target: {"purl": PURL.format(*room.name(target)[1:].split("/"))},
}
BODIES: dict[tuple[str, str], Callable[[Room, Caller, str], dict[str, Any]]] = {
    ("packages", "POST"): lambda room, caller, target: {
        "name": room.name(target), "version": "3.0.0", "ecosystem": "npm",
    },
    (f"{VERSION}/approve", "POST"): lambda room, caller, target: OVERRIDE,
    (f"{VERSION}/reject", "POST"): lambda room, caller, target: {"reason": "The matrix says so."},
    (f"{VERSION}/restore", "POST"): lambda room, caller, target: {},
    ("licenses", "POST"): lambda room, caller, target: LICENSE | {"packages": [room.sold_by(caller)]},
    ("licenses/<key:id>", "PUT"): lambda room, caller, target: LICENSE
    | {"name": "Sold", "key": "MATRIX-KEY", "suspended": False, "packages": [room.name(f"{target}-private")]},
    ("licenses/validate", "POST"): lambda room, caller, target: {
        "key": "NO-SUCH-KEY", "package": "left-pad", "version": "1.0.0",
    },
    ("tokens", "POST"): lambda room, caller, target: {"name": "made in the matrix", "scopes": ["read"]},
    ("tokens/<uuid:id>/rotate", "POST"): lambda room, caller, target: {"overlapHours": 1},
    ("signing-keys", "POST"): lambda room, caller, target: {"name": "laptop", "public_key": fresh_key()},
    ("security/waivers", "POST"): lambda room, caller, target: {
        "finding": "CVE-2026-1", "ecosystem": "npm", "package": "left-pad", "versions": "*", "reason": "The matrix.",
        "expires_at": f"{timezone.now() + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}", "project": room.project(target).slug,
    },
    ("sync", "POST"): lambda room, caller, target: {"upstream": "far"},
    ("audit", "POST"): lambda room, caller, target: {"purls": ["pkg:npm/left-pad@1.0.0"]},
    ("security/scans", "POST"): lambda room, caller, target: {"name": room.name(target), "version": "1.0.0"},
}  # fmt: skip
FRESH: list[str] = []


def address(base: str, route: str, asked: Asked) -> str:
    """The address of the target, as this caller means it."""
    room, caller, target = asked
    values: dict[str, Any] = {"version": VERSIONS.get(route, rooms.READY), "spdx": "MIT", "id": room.advisory}
    if target in room.packages:
        values |= {"name": room.name(target), "filename": room.filename(target)}
        if "<str:scope>" in route:
            values["scope"], values["name"] = room.name(target).split("/")
    if route.startswith("sync/"):
        values["id"] = room.sync_run
    if route.startswith("tokens/"):
        values["id"] = room.token_id(caller, target)
    if route == "licenses/<key:id>":
        values["id"] = room.licenses[target if target in room.licenses else "own"]
    if route.startswith("signing-keys/"):
        values["id"] = room.key_id(caller, target)
    if route.startswith("security/waivers/"):
        values["id"] = room.waivers[target]
    query = QUERIES[route](room, target) if route in QUERIES else {}
    return f"/{base}{routes.fill(route, values)}" + (f"?{urlencode(query)}" if query else "")


def request(route: str, method: str, asked: Asked) -> dict[str, Any]:
    """Body, media type and headers; none where the route takes none."""
    if route == "packages/publish":
        body, signature = asked[0].upload(*asked[1:])
        return {"data": body, "content_type": "application/octet-stream", "headers": {"X-Signature": signature}}
    if (route, method) in BODIES:
        return {"data": json.dumps(BODIES[route, method](*asked)), "content_type": "application/json"}
    return {}


def fresh_key() -> str:
    """The public line of a key that nobody has registered."""
    if not FRESH:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            FRESH.append(builders.key_pair(Path(folder)).public)
    return FRESH[0]
