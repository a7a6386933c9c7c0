"""Signing keys of the caller (contract section 4)."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import signing_keys
from accounts.api.answers import plain, route
from accounts.api.doors import Door
from accounts.api.shapes import Key, Keys, NewSigningKey, key_row
from accounts.api.tokens import user_of
from accounts.errors import Forbidden, NotFound
from accounts.models import SigningKey

TAG = "Signing keys"


class SigningKeysDoor(Door):
    """`/signing-keys`."""

    @route("The caller's signing keys", TAG, {200: Keys})
    def get(self, request: Request) -> Response:
        """Those that may sign now."""
        mine = SigningKey.objects.filter(user=user_of(self.actor), removed_at__isnull=True)
        return Response({"signing_keys": [key_row(key) for key in mine]})

    @route("Register a signing key", TAG, {201: Key}, 409, 413, 415, 422, request=NewSigningKey)
    def post(self, request: Request) -> Response:
        """Only through a signed-in session: no token may add a key, so that a stolen token cannot sign."""
        user = user_of(self.actor)
        _need_session(self.actor.kind)
        wanted = NewSigningKey.read(request.data)
        key = signing_keys.register(user, wanted["name"], wanted["public_key"], self.actor)
        return Response(key_row(key), status=201)


class SigningKeyDoor(Door):
    """`/signing-keys/{id}`."""

    @route("Remove a signing key", TAG, {204: plain("It signs nothing new; what it signed stays valid.")}, 404)
    def delete(self, request: Request, id: int) -> Response:
        """Only through a signed-in session."""
        user = user_of(self.actor)
        _need_session(self.actor.kind)
        key = SigningKey.objects.filter(pk=min(id, 2**63 - 1), user=user, removed_at__isnull=True).first()
        if key is None:
            raise NotFound("You have no signing key with this id. GET /signing-keys lists yours.")
        signing_keys.remove(key, self.actor)
        return Response(status=204)


def _need_session(kind: str) -> None:
    if kind != "session":
        raise Forbidden(
            "Signing keys are managed by signed-in people only, so that a stolen token cannot sign. "
            "Sign in and open your profile page.",
            code="session_needed",
        )
