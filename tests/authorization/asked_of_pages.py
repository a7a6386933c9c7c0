"""A minimal valid request for each cell of the pages' table."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from tests import builders
from tests.authorization import asked_of_api, rooms, routes
from tests.authorization.asked_of_api import Asked
from tests.authorization.callers import Caller
from tests.authorization.rooms import Room

VERSION = "packages/<slug:ecosystem>/<path:name>/versions/<str:version>"
NEW_PASSWORD = "another battery, staple, horse"
PASSWORDS = {"old_password": builders.PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
WAIVED = {"package": "left-pad", "version": "0.0.1", "finding": "CVE-2026-1", "reason": "x", "reach": "every"}
WEBHOOK = {"url": "https://receiver.example/hook", "events": ["release.approved"]}
PIPELINE = {"house": "github", "repository": "acme/core", "file": "release.yml", "permissions": ["createPackage"]}
FORMS: dict[str, Callable[[Room, Caller, str], dict[str, Any]]] = {
    "submit": lambda room, caller, target: {"ecosystem": "npm", "name": room.name(target), "version": "3.0.0"},
    f"{VERSION}/waive": lambda room, caller, target: {
        **WAIVED,
        "expires_at": f"{timezone.now() + timedelta(days=9):%Y-%m-%d}",
    },
    f"{VERSION}/scan": lambda room, caller, target: {},
    f"{VERSION}/unlist": lambda room, caller, target: {},
    f"{VERSION}/restore": lambda room, caller, target: {},
    "waivers/<int:waiver_id>/end": lambda room, caller, target: {},
    "audit": lambda room, caller, target: {"text": "left-pad==1.0.0", "format": "requirements.txt"},
    "sign-in": lambda room, caller, target: {"username": "carol", "password": builders.PASSWORD},
    "sign-in/code": lambda room, caller, target: {"code": "000000"},
    "sign-in/terminal/<uuid:login_id>": lambda room, caller, target: {"confirm": "1"},
    "sign-in/github": lambda room, caller, target: {},
    "profile/security/github": lambda room, caller, target: {},
    "profile/security/github/disconnect": lambda room, caller, target: {},
    "profile/security/second-factor": lambda room, caller, target: {"code": "none"},
    "profile/security/second-factor/codes": lambda room, caller, target: {"code": "none"},
    "profile/security/second-factor/off": lambda room, caller, target: {"code": "none"},
    "sign-out": lambda room, caller, target: {},
    "profile/password": lambda room, caller, target: PASSWORDS,
    "profile/tokens": lambda room, caller, target: {"name": "made in the matrix", "scopes": ["read"], "days": "30"},
    "profile/tokens/<uuid:token_id>/revoke": lambda room, caller, target: {},
    "profile/keys": lambda room, caller, target: {"name": "laptop", "public_key": asked_of_api.fresh_key()},
    "profile/keys/<int:key_id>/remove": lambda room, caller, target: {},
    "profile/privacy/download": lambda room, caller, target: {},
    "profile/privacy/delete": lambda room, caller, target: {"password": NEW_PASSWORD},
    "profile/projects": lambda room, caller, target: {"slug": "made-in-the-matrix"},
    "profile/projects/<slug:slug>/default": lambda room, caller, target: {},
    "profile/projects/<slug:slug>/settings": lambda room, caller, target: {
        "review_policy": "automatic",
        "signature_policy": "optional",
        "visibility": "public",
    },
    "profile/projects/<slug:slug>/members": lambda room, caller, target: {"username": "mallory", "role": "member"},
    "profile/projects/<slug:slug>/members/<int:user_id>/remove": lambda room, caller, target: {},
    "profile/projects/<slug:slug>/webhooks": lambda room, caller, target: WEBHOOK,
    "profile/projects/<slug:slug>/pipelines": lambda room, caller, target: (
        PIPELINE | {"package": f"npm:{room.name(f'{target}-private')}"}
    ),
    "profile/projects/<slug:slug>/pipelines/<uuid:trust_id>/remove": lambda room, caller, target: {},
    "profile/webhooks/<int:webhook_id>": lambda room, caller, target: WEBHOOK | {"is_enabled": "on"},
    "profile/webhooks/<int:webhook_id>/secret": lambda room, caller, target: {"overlap": "24"},
    "profile/projects/<slug:slug>/license-keys": lambda room, caller, target: {
        "name": "A customer",
        "packages": [room.name(f"{target}-private")],
        "constraint": "none",
    },
    "profile/projects/<slug:slug>/license-keys/list": lambda room, caller, target: {
        "text": f"name,packages\nA customer,{room.name(f'{target}-private')}"
    },
    "profile/license-keys/<uuid:id>/suspend": lambda room, caller, target: {},
    "profile/license-keys/<uuid:id>/resume": lambda room, caller, target: {},
    "profile/license-keys/<uuid:id>/remove": lambda room, caller, target: {"sure": "on"},
    "profile/webhooks/<int:webhook_id>/remove": lambda room, caller, target: {},
    "profile/webhooks/<int:webhook_id>/test": lambda room, caller, target: {},
    "profile/webhooks/<int:webhook_id>/deliveries/<int:delivery_id>": lambda room, caller, target: {},
}


def _next_week() -> str:
    return f"{timezone.now() + timedelta(days=7):%Y-%m-%d}"


def address(route: str, asked: Asked) -> str:
    """The address of the target, as this caller means it."""
    room, caller, target = asked
    version = rooms.RETIRED if route == f"{VERSION}/restore" else rooms.READY
    values: dict[str, Any] = {"ecosystem": "npm", "version": version, "user_id": room.carol.pk}
    values["login_id"] = room.web_login[0]
    if target in room.packages:
        values["name"] = room.name(target)
    if target in ("own", "foreign"):
        values["waiver_id"] = room.waivers[target]
        values["slug"] = room.project(target).slug
        values["id"] = room.licenses[target]
        values["trust_id"] = room.pipelines[target]
        values["webhook_id"], values["delivery_id"] = room.webhooks[target]
        values["token_id"], values["key_id"] = room.token_id(caller, target), room.key_id(caller, target)
    return "/" + routes.fill(route, values)


def request(route: str, method: str, asked: Asked) -> dict[str, Any]:
    """The form that the page would send."""
    if method != "POST":
        return {}
    from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

    return {"data": encode_multipart(BOUNDARY, FORMS[route](*asked)), "content_type": MULTIPART_CONTENT}
