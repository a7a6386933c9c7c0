"""Tokens, as clients of the products API register, look up and remove them. They are the portal's own tokens.

A registered token belongs to the admin who registers it, expires after 90 days as all tokens do, and carries `read`
and `publish`; with `{"admin": true}` it carries `admin`. Raw tokens stand in two addresses because the protocol has it
so: the audit trail gets the route alone, and logs show their first characters at most.
"""

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import tokens
from accounts.actors import Actor
from accounts.api.answers import plain, route
from accounts.api.doors import Door
from accounts.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from accounts.models import ApiToken
from registry import products
from registry.protocols.products.shapes import TokenFacts, TokenRegistration

TAG = "Products"
SECRET = {"Cache-Control": "no-store"}
SCOPES = {False: ("publish", "read"), True: ("admin",)}
RAW: dict[tuple[int, str] | int, OpenApiResponse] = {
    (201, "text/plain"): OpenApiResponse(OpenApiTypes.STR, description="The raw token, this one time.")
}


class RegisterDoor(Door):
    """`/register`."""

    @route("Register a token", TAG, RAW, 413, 415, request=TokenRegistration)
    def put(self, request: Request) -> HttpResponse:
        """For admins. The raw token is the whole body."""
        self.actor.need("admin")
        wanted = TokenRegistration.read(request.data)
        user = self.actor.user
        if user is None:
            raise InvalidInput("A token belongs to a person; sign in as one.")
        bound = self.actor.project if self.actor.bound_to is not None else None
        _, raw = tokens.issue(user, "Products API", SCOPES[wanted["admin"]], project=bound, actor=self.actor)
        return HttpResponse(raw, content_type="text/plain", status=201, headers=SECRET)


class SecretInAddress(Door):
    """A door whose address ends in a raw token, which is written down nowhere."""

    @property
    def noted_path(self) -> str:
        """The address without the token."""
        return self.request.path.rpartition("/")[0] + "/…"


class FetchTokenDoor(SecretInAddress):
    """`/fetch/{token}`."""

    @route("Look up a token", TAG, {200: TokenFacts}, 404)
    def get(self, request: Request, token: str) -> Response:
        """For admins, and for the token itself. The digest of a token is as good as the token."""
        if self.actor.is_anonymous:
            raise Unauthenticated("Send an API token in the header X-Api-Token.")
        if self.actor.is_admin:
            found = _governed(token, self.actor)
        elif (own := products.token_of(self.actor)) is None or own.digest != products.digest_of(token):
            raise Forbidden("Only admins may look up tokens other than the one they show.", code="role_missing")
        else:
            found = own
        is_admin = found.user.is_admin and "admin" in found.scopes
        return Response({"token": token, "admin": is_admin}, headers=SECRET)


class PruneTokenDoor(SecretInAddress):
    """`/prune/{token}`."""

    @route("Revoke a token for good", TAG, {204: plain("Revoked, at once in every process.")}, 404)
    def delete(self, request: Request, token: str) -> Response:
        """For admins."""
        self.actor.need("admin")
        tokens.revoke(_governed(token, self.actor), self.actor, "pruned")
        return Response(status=204)


def _governed(given: str, actor: Actor) -> ApiToken:
    """The live token: anybody's for admins without bounds, one's own where the admin's token is bound to a project."""
    found = products.find_token(given)
    if actor.bound_to is not None and (actor.user is None or found.user_id != actor.user.pk):
        raise NotFound(products.NO_TOKEN)
    return found
