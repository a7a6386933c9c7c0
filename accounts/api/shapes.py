"""What the routes of accounts read and answer."""

from rest_framework import serializers

from accounts.actors import ALL_SCOPES
from accounts.api.strict import Choice, StrictSerializer, Text, Whole
from accounts.models import ApiToken, SigningKey

SCOPES = sorted(ALL_SCOPES)


class NewToken(StrictSerializer):
    """A token to be made."""

    name = Text(max_length=120)
    expiresIn = Whole(min_value=1, max_value=365, default=90, help_text="Days")  # noqa: N815  # the contract's name
    scopes = serializers.ListField(child=Choice(choices=SCOPES), min_length=1, max_length=6, default=["read"])
    project = Text(max_length=64, required=False, allow_null=True, help_text="Bind the token to this project")


class Rotation(StrictSerializer):
    """How long the old token keeps working."""

    overlapHours = Whole(min_value=0, max_value=168, default=24)  # noqa: N815  # the contract's name


class Token(serializers.Serializer):
    """A token as it is listed: without its value."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="How the value begins")
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES))
    project = serializers.CharField(allow_null=True)
    createdAt = serializers.DateTimeField()  # noqa: N815  # the contract's name
    expiresAt = serializers.DateTimeField()  # noqa: N815  # the contract's name
    lastUsedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815  # the contract's name


class IssuedToken(Token):
    """A token in the only answer that ever shows its value."""

    token = serializers.CharField()


class Tokens(serializers.Serializer):
    """The caller's tokens."""

    tokens = Token(many=True)


class NewSigningKey(StrictSerializer):
    """A public key to be registered."""

    name = Text(max_length=120)
    public_key = Text(max_length=16384, help_text="One line as in id_ed25519.pub")


class Key(serializers.Serializer):
    """A registered signing key."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    algorithm = serializers.CharField()
    fingerprint = serializers.CharField()
    public_key = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)


class Keys(serializers.Serializer):
    """The caller's signing keys."""

    signing_keys = Key(many=True)


class Credential(serializers.Serializer):
    """What the caller showed."""

    kind = serializers.ChoiceField(choices=["session", "token", "license"])
    id = serializers.CharField(allow_null=True)
    expiresAt = serializers.DateTimeField(allow_null=True)  # noqa: N815  # the contract's name


class Me(serializers.Serializer):
    """The caller."""

    username = serializers.CharField(allow_null=True)
    email = serializers.CharField(allow_null=True)
    role = serializers.CharField(allow_null=True)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES))
    project = serializers.CharField(allow_null=True)
    tier = serializers.CharField(allow_null=True)
    credential = Credential()


def token_row(token: ApiToken) -> dict[str, object]:
    """A token, without its value."""
    return {
        "id": token.pk,
        "name": token.name,
        "prefix": token.prefix,
        "scopes": token.scopes,
        "project": token.project.slug if token.project else None,
        "createdAt": token.created_at,
        "expiresAt": token.expires_at,
        "lastUsedAt": token.last_used_at,
    }


def key_row(key: SigningKey) -> dict[str, object]:
    """A signing key."""
    fields = ("id", "name", "algorithm", "fingerprint", "public_key", "created_at", "last_used_at")
    return {field: getattr(key, field) for field in fields}
