"""`npm token` and `npm profile get`: the caller's own tokens, those of every door of this portal."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import asking, signing_in, tokens
from accounts.addresses import client_address
from accounts.api.strict import Choice, Flag, StrictSerializer, Text, Whole
from accounts.api.tokens import user_of
from accounts.models import ApiToken, User
from registry.protocols.npm.login import NEVER_KEPT, asking_for_code, find_own
from registry.protocols.npm.packuments import NpmDoor

READING, WRITING = ("read",), ("read", "publish")


class WantedToken(StrictSerializer):
    """What `npm token create` sends. What would not be enforced here is refused: lists of packages, addresses."""

    name = Text(max_length=120, default="npm token create")
    password = Text(max_length=4096)
    readonly = Flag(default=False)
    packages_and_scopes_permission = Choice(choices=["read-only", "read-write"], default="read-write")
    cidr_whitelist = serializers.ListField(max_length=0, default=list)
    expires = Whole(min_value=1, max_value=tokens.MAX_DAYS, default=tokens.DEFAULT_DAYS)


class TokensDoor(NpmDoor):
    """`/-/npm/v1/tokens`."""

    is_public = False

    def get(self, request: Request) -> Response:
        """Those that work, without their values."""
        mine = ApiToken.objects.live().filter(user=user_of(self.actor))
        rows = [_row(token) for token in mine]
        return Response({"objects": rows, "total": len(rows), "urls": {}}, headers=NEVER_KEPT)

    def post(self, request: Request) -> Response:
        """Another one, for whoever gives the password again: a stolen token alone must not multiply."""
        user, wanted = user_of(self.actor), WantedToken.read(request.data)
        plain = request._request  # noqa: SLF001  # DRF's own name for the request it wraps
        try:
            signing_in.identify(plain, user.username, wanted["password"], request.headers.get("npm-otp", ""))
        except signing_in.CodeNeeded as needed:
            return asking_for_code(needed)
        is_read_only = wanted["readonly"] or wanted["packages_and_scopes_permission"] == "read-only"
        token, raw = tokens.issue(
            user,
            wanted["name"],
            READING if is_read_only else WRITING,
            project=self.actor.project if self.actor.bound_to is not None else None,
            days=wanted["expires"],
            actor=asking.session_actor(user, client_address(plain)),
        )
        return Response(_row(token) | {"token": raw}, status=201, headers=NEVER_KEPT)


class TokenDoor(NpmDoor):
    """`/-/npm/v1/tokens/token/{key}`."""

    is_public = False

    @property
    def noted_path(self) -> str:
        """The address without what may be a token in it."""
        return self.request.path.rpartition("/")[0]

    def delete(self, request: Request, key: str) -> Response:
        """Revoke it."""
        tokens.revoke(find_own(key, self), self.actor, "revoked by an npm client")
        return Response(status=204)


class ProfileDoor(NpmDoor):
    """`/-/npm/v1/user`."""

    is_public = False

    def get(self, request: Request) -> Response:
        """Who the caller is; changed on the portal's own pages."""
        return Response(_profile(user_of(self.actor)), headers=NEVER_KEPT)


def _row(token: ApiToken) -> dict[str, Any]:
    return {
        "key": str(token.pk),
        "token": token.prefix,
        "name": token.name,
        "readonly": "publish" not in token.scopes,
        "cidr_whitelist": None,
        "created": token.created_at,
        "updated": token.last_used_at or token.created_at,
        "expires": token.expires_at,
    }


def _profile(user: User) -> dict[str, Any]:
    has_factor = user.second_factor_since is not None
    return {
        "name": user.username,
        "fullname": user.get_full_name(),
        "email": user.email,
        "email_verified": False,
        "tfa": {"pending": False, "mode": "auth-only"} if has_factor else False,
        "cidr_whitelist": None,
        "created": user.date_joined,
        "updated": user.date_joined,
    }
