"""Who the caller is, as the portal sees it."""

from datetime import datetime
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import Actor
from accounts.api.answers import route
from accounts.api.doors import Door
from accounts.api.shapes import Me
from accounts.errors import Unauthenticated
from accounts.models import ApiToken


class MeDoor(Door):
    """`/me`."""

    @route("The caller and their credential", "Tokens", {200: Me})
    def get(self, request: Request) -> Response:
        """Any credential will do; none is 401."""
        if self.actor.is_anonymous:
            raise Unauthenticated("Sign in or send an API token, and this says whose it is.")
        return Response(_me(self.actor, _expiry(self.actor, request)), headers={"Cache-Control": "no-store"})


def _me(actor: Actor, expires_at: datetime | None) -> dict[str, Any]:
    user, project = actor.user, actor.project
    return {
        "username": user.username if user else None,
        "email": user.email if user else None,
        "role": user.role if user else None,
        "scopes": sorted(actor.scopes),
        "project": project.slug if project else None,
        "tier": project.tier if project else None,
        "credential": {"kind": actor.kind, "id": actor.credential_id or None, "expiresAt": expires_at},
    }


def _expiry(actor: Actor, request: Request) -> datetime | None:
    if actor.kind == "token":
        return ApiToken.objects.filter(pk=actor.credential_id).values_list("expires_at", flat=True).first()
    return request.session.get_expiry_date() if actor.kind == "session" else actor.expires_at
