"""The routes of contract section 5 (tokens, the caller) and those of section 4 that concern people (signing keys)."""

from django.urls import path

from accounts.api.me import MeDoor
from accounts.api.signing_keys import SigningKeyDoor, SigningKeysDoor
from accounts.api.tokens import RotationDoor, TokenDoor, TokensDoor

urlpatterns = [
    path("tokens", TokensDoor.as_view(), name="tokens"),
    path("tokens/<uuid:id>", TokenDoor.as_view(), name="token"),
    path("tokens/<uuid:id>/rotate", RotationDoor.as_view(), name="token-rotate"),
    path("signing-keys", SigningKeysDoor.as_view(), name="signing-keys"),
    path("signing-keys/<int:id>", SigningKeyDoor.as_view(), name="signing-key"),
    path("me", MeDoor.as_view(), name="me"),
]
