"""Licence keys of a project, and the question whether one is valid (contract section 6)."""

from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.addresses import client_address
from accounts.api.answers import in_query, plain, route
from accounts.api.doors import Door
from accounts.api.parsing import loads
from accounts.api.rendering import dumps
from licensing import entitling, keys
from licensing.api.key_shapes import (
    LIMITS,
    License,
    Licenses,
    NewLicense,
    Question,
    Validity,
    WholeLicense,
    constraint,
    row,
    wanted,
)
from registry.api.reading import number_of
from registry.errors import InvalidInput, RegistryError

TAG = "Licences"
KEPT_NOWHERE = {"Cache-Control": "no-store"}
MOST = 1000
JSON, SHORT = "application/json", 8192
CREDENTIALS = ("HTTP_AUTHORIZATION", "HTTP_X_API_KEY", "HTTP_X_API_TOKEN", "HTTP_X_PROJECT_ID")
MILLISECONDS = {"type": "integer", "minimum": 0, "maximum": keys.LATEST_MS}
PARAMETERS = [
    in_query("since", "The first moment, in milliseconds since the epoch", type=MILLISECONDS),
    in_query("until", "The moment after the last one", type=MILLISECONDS),
    in_query(
        "limit",
        "Keys on a page; one that would end within a millisecond holds all of it",
        type={"type": "integer", "minimum": 1, "maximum": MOST, "default": 100},
    ),
]


class LicensesDoor(Door):
    """`/licenses`."""

    @route("The project's licence keys, oldest first", TAG, {200: Licenses}, parameters=PARAMETERS)
    def get(self, request: Request) -> Response:
        """With their values. `next` is the `since` of the page after, null at the end. Needs the scope `licenses`."""
        project = keys.manages(self.actor)
        since, until = (_moment(request, name) for name in ("since", "until"))
        page = keys.page(project, since, until, number_of(request, "limit", 100, 1, MOST))
        pagination = {"count": len(page.keys), "prev": _ms(page.before), "next": _ms(page.after)}
        answer = {"pagination": pagination, "data": [row(key) for key in page.keys]}
        return Response(answer, headers=KEPT_NOWHERE)

    @route("Create a licence key", TAG, {201: License}, 413, 415, request=NewLicense)
    def post(self, request: Request) -> Response:
        """Without a `key` a random one is made. Needs the scope `licenses`."""
        keys.manages(self.actor)
        made = row(keys.create(wanted(NewLicense.read(request.data)), self.actor))
        return Response(made, status=201, headers={"Location": f"/api/v1/licenses/{made['id']}", **KEPT_NOWHERE})


class LicenseKeyDoor(Door):
    """`/licenses/{id}` for a UUID; anything else is an SPDX id."""

    @route("One licence key", TAG, {200: License}, 404)
    def get(self, request: Request, id: UUID) -> Response:
        """With its value. Needs the scope `licenses`."""
        return Response(row(keys.find(id, self.actor)), headers=KEPT_NOWHERE)

    @route("Replace a licence key", TAG, {200: License}, 404, 405, 413, 415, request=WholeLicense)
    def put(self, request: Request, id: UUID) -> Response:
        """All of it: what is left out of `meta` is gone. Needs the scope `licenses`."""
        keys.manages(self.actor)
        changed = keys.replace(id, wanted(WholeLicense.read(request.data)), self.actor)
        return Response(row(changed), headers=KEPT_NOWHERE)

    @route("Delete a licence key", TAG, {204: plain("It opens nothing from now on.")}, 404, 405)
    def delete(self, request: Request, id: UUID) -> Response:
        """With all that is kept with it. Needs the scope `licenses`."""
        keys.remove(id, self.actor)
        return Response(status=204)


class ValidationDoor(Door):
    """`/licenses/validate`."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer a plain question before any framework machinery runs; whatever else it is goes its way."""
        asked = plain_question(request) if request.method == "POST" else None
        if asked is None:
            return super().dispatch(request, *args, **kwargs)
        try:
            answer = entitling.validate(*asked, client_address(request))
        except (OperationalError, InterfaceError):
            return super().dispatch(request, *args, **kwargs)
        return HttpResponse(dumps(validity(answer)), "application/json", headers=KEPT_NOWHERE)

    @route("Is this licence key valid?", TAG, {200: Validity}, 413, 415, request=Question)
    def post(self, request: Request) -> Response:
        """For programs that ask at their start. Public, and limited as every request; the answer is never kept."""
        asked = Question.read(request.data)
        answer = entitling.validate(asked["key"], asked["package"], asked["version"], self.actor.address)
        return Response(validity(answer), headers=KEPT_NOWHERE)


def plain_question(request: HttpRequest) -> tuple[str, str, str] | None:
    """The question of a program that shows no credential, if nothing about it can be refused."""
    if any(name in request.META for name in CREDENTIALS) or request.COOKIES or request.content_type != JSON:
        return None
    length = request.META.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdigit()) or int(length) > SHORT:
        return None
    try:
        asked = loads(request.body)
    except RegistryError:
        return None
    if not isinstance(asked, dict) or set(asked) != set(LIMITS):
        return None
    given = [asked[name] for name in LIMITS]
    if not all(isinstance(one, str) and one.strip() for one in given):
        return None
    key, package, version = (one.strip() for one in given)
    is_short = all(len(asked[name]) <= most for name, most in LIMITS.items())
    return (key, package, version) if is_short else None


def validity(answer: entitling.Answer) -> dict[str, Any]:
    """The answer to the holder of a key."""
    held = answer.held
    if held is None:
        return {"valid": False, "code": answer.code, "license": None}
    terms = held.terms
    shown = {
        "id": held.id,
        "name": held.name,
        "constraint": constraint(terms.constraint, terms.until, terms.range, terms.has_fallback),
        "suspended": terms.is_suspended,
        "packages": list(dict.fromkeys(one.name for one in held.sold)),
        "createdAt": keys.to_ms(held.created_at),
        "updatedAt": keys.to_ms(held.updated_at),
    }
    return {"valid": answer.is_valid, "code": answer.code, "license": shown}


def _moment(request: Request, name: str) -> Any:
    if name not in request.GET:
        return None
    text = request.GET[name]
    if not (text.isascii() and text.isdigit() and len(text) <= 13 and int(text) <= keys.LATEST_MS):
        why = f"Give {name} in whole milliseconds since the epoch, from 0 to {keys.LATEST_MS}."
        raise InvalidInput(why, details={name: [why]})
    return keys.from_ms(int(text))


def _ms(moment: Any) -> int | None:
    return None if moment is None else keys.to_ms(moment)
