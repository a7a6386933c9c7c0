"""Tokens of the caller (contract section 5)."""

from uuid import UUID

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import tokens
from accounts.actors import Actor
from accounts.api.answers import plain, route
from accounts.api.doors import Door
from accounts.api.shapes import IssuedToken, NewToken, Rotation, Tokens, token_row
from accounts.errors import Forbidden, NotFound, Unauthenticated
from accounts.models import ApiToken, Project, User

TAG = "Tokens"


class TokensDoor(Door):
    """`/tokens`."""

    @route("The caller's tokens, without their values", TAG, {200: Tokens})
    def get(self, request: Request) -> Response:
        """Live and expired ones; revoked ones are gone."""
        mine = _tokens_of(user_of(self.actor))
        return Response({"tokens": [token_row(token) for token in mine]})

    @route("Create a token", TAG, {201: IssuedToken}, 413, 415, request=NewToken)
    def post(self, request: Request) -> Response:
        """The only answer that shows the value."""
        user = user_of(self.actor)
        wanted = NewToken.read(request.data)
        token, raw = tokens.issue(
            user,
            wanted["name"],
            wanted["scopes"],
            project=_project(wanted.get("project")),
            days=wanted["expiresIn"],
            actor=self.actor,
        )
        return _issued(token, raw)


class TokenDoor(Door):
    """`/tokens/{id}`."""

    @route("Revoke a token", TAG, {204: plain("Revoked, at once in every process.")}, 404)
    def delete(self, request: Request, id: UUID) -> Response:
        """Works with any token of the same user; an admin may revoke anybody's."""
        tokens.revoke(_token(id, self.actor), self.actor)
        return Response(status=204)


class RotationDoor(Door):
    """`/tokens/{id}/rotate`."""

    @route("Replace a token by a successor", TAG, {201: IssuedToken}, 404, 409, 413, 415, request=Rotation)
    def post(self, request: Request, id: UUID) -> Response:
        """Same name, scopes and project; the old one keeps working until the overlap ends."""
        token = _own(id, user_of(self.actor))
        wanted = Rotation.read(request.data)
        return _issued(*tokens.rotate(token, wanted["overlapHours"], self.actor))


def user_of(actor: Actor) -> User:
    """The person behind the credential; raises Unauthenticated for nobody, Forbidden for a licence key."""
    if actor.is_anonymous:
        raise Unauthenticated("Sign in or send an API token to do this.")
    if actor.user is None:
        raise Forbidden("This credential belongs to no person. Use an API token.")
    return actor.user


def _tokens_of(user: User) -> list[ApiToken]:
    return list(ApiToken.objects.filter(user=user, revoked_at__isnull=True).select_related("project"))


def _token(id: UUID, actor: Actor) -> ApiToken:
    """A token that is not revoked and that the actor may revoke: one's own; anybody's for admins without bounds."""
    user = user_of(actor)
    if actor.is_admin and actor.bound_to is None:
        return _found(ApiToken.objects.filter(pk=id))
    return _own(id, user)


def _own(id: UUID, user: User) -> ApiToken:
    """A token of the user's; others' look as if they did not exist."""
    return _found(ApiToken.objects.filter(pk=id, user=user))


def _found(tokens_of_that_id: QuerySet[ApiToken]) -> ApiToken:
    standing = tokens_of_that_id.filter(revoked_at__isnull=True).select_related("user", "project")
    if (found := standing.first()) is None:
        raise NotFound("You have no token with this id. GET /tokens lists yours.")
    return found


def _project(slug: str | None) -> Project | None:
    """The project to bind to; the same refusal for one that is unknown as for one that is not the caller's."""
    if slug is None:
        return None
    found = Project.objects.filter(slug=slug).first()
    if found is None:
        raise Forbidden("You are not a member of that project, so no token can be bound to it.", code="not_a_member")
    return found


def _issued(token: ApiToken, raw: str) -> Response:
    return Response({**token_row(token), "token": raw}, status=201, headers={"Cache-Control": "no-store"})
