"""Licence keys as the API reads and answers them: times in milliseconds since the epoch."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.strict import Flag, StrictSerializer, Text
from licensing import keys, minting
from licensing.keys import LATEST_MS, LONGEST_NAME, MOST_PACKAGES, Wanted
from licensing.models import LicenseKey

EARLIEST_MS = 946_684_800_000  # 2000-01-01
TYPES = {"none": {"type"}, "date": {"type", "value", "perpetualFallback"}, "version": {"type", "value"}}
MOMENT = {"type": "integer", "minimum": EARLIEST_MS, "maximum": LATEST_MS}
CODES = ["VALID", "NOT_FOUND", "SUSPENDED", "EXPIRED", "VERSION_NOT_COVERED", "PACKAGE_NOT_COVERED"]


def _one_of(kind: str, required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["type", *required],
        "additionalProperties": False,
        "properties": {"type": {"type": "string", "enum": [kind]}, **properties},
    }


CONSTRAINT = {
    "oneOf": [
        _one_of("none", []),
        _one_of(
            "date",
            ["value"],
            value=MOMENT | {"description": "Valid until then, in milliseconds since the epoch"},
            perpetualFallback={
                "type": "boolean",
                "description": "Whether versions published before the date stay available after it; false if left out",
            },
        ),
        _one_of(
            "version",
            ["value"],
            value={"type": "string", "minLength": 1, "maxLength": 256, "description": "A range such as `<2.0.0`"},
        ),
    ]
}
LIMITS = {"key": 256, "package": 214, "version": 128}
FREE = {"type": "object", "additionalProperties": True}


@extend_schema_field(CONSTRAINT)
class Constraint(serializers.Field):
    """What limits a key: nothing, a date, or a range of versions."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The columns that keep it."""
        if not isinstance(data, dict) or not isinstance(data.get("type"), str) or data["type"] not in TYPES:
            raise serializers.ValidationError("An object whose type is one of none, date, version.")
        kind = data["type"]
        if unknown := [str(name)[:64] for name in data if name not in TYPES[kind]]:
            raise serializers.ValidationError(f"{unknown[0]}: this field is not known for the type {kind}.")
        if kind == "none":
            return {"constraint": kind}
        return _until(data) if kind == "date" else _range(data)

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        """As it was given."""
        return value


def _until(data: dict[str, Any]) -> dict[str, Any]:
    value, stays = data.get("value"), data.get("perpetualFallback", False)
    if type(value) is not int or not EARLIEST_MS <= value <= LATEST_MS:
        raise serializers.ValidationError("value: whole milliseconds since the epoch, of the years 2000 to 2100.")
    if not isinstance(stays, bool):
        raise serializers.ValidationError("perpetualFallback: true or false.")
    return {"constraint": "date", "until": keys.from_ms(value), "has_fallback": stays}


def _range(data: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(data.get("value"), str):
        raise serializers.ValidationError("value: a range of versions such as <2.0.0.")
    return {"constraint": "version", "range": data["value"]}


@extend_schema_field(FREE)
class Meta(serializers.Field):
    """Whatever its seller keeps with a key: a JSON object."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """An object; the activity says how large."""
        if not isinstance(data, dict):
            raise serializers.ValidationError("A JSON object, as in {}.")
        return data

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        """As it was given."""
        return value


def _packages() -> serializers.ListField:
    return serializers.ListField(child=Text(max_length=214), min_length=1, max_length=MOST_PACKAGES)


class NewLicense(StrictSerializer):
    """A key to be made."""

    name = Text(max_length=LONGEST_NAME, default=keys.DEFAULT_NAME)
    key = Text(
        max_length=minting.LONGEST,
        required=False,
        help_text="8 to 128 letters, digits, hyphens; random if left out",
    )
    constraint = Constraint()
    suspended = Flag(default=False)
    meta = Meta(default=dict, help_text="At most 16 KiB, nested eight levels deep at most")
    packages = _packages()


class WholeLicense(StrictSerializer):
    """All of a key, in place of what it was."""

    name = Text(max_length=LONGEST_NAME)
    key = Text(max_length=minting.LONGEST)
    constraint = Constraint()
    suspended = Flag()
    meta = Meta(default=dict, help_text="Empty if left out")
    packages = _packages()


class License(serializers.Serializer):
    """A key, to those who manage it."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    key = serializers.CharField()
    constraint = Constraint()
    suspended = serializers.BooleanField()
    meta = Meta()
    packages = serializers.ListField(child=serializers.CharField())
    createdAt = serializers.IntegerField(help_text="Milliseconds since the epoch")  # noqa: N815  # the source's name
    updatedAt = serializers.IntegerField(help_text="Milliseconds since the epoch")  # noqa: N815  # the source's name


class Pagination(serializers.Serializer):
    """Where the page stands."""

    count = serializers.IntegerField(help_text="Rows on this page")
    prev = serializers.IntegerField(allow_null=True, help_text="`since` of the page before")
    next = serializers.IntegerField(allow_null=True, help_text="`since` of the page after")


class Licenses(serializers.Serializer):
    """A page of keys."""

    pagination = Pagination()
    data = License(many=True)  # type: ignore[assignment]  # the source's name, which DRF has for something else


class Question(StrictSerializer):
    """Does this key open that version?"""

    key = Text(max_length=LIMITS["key"])
    package = Text(max_length=LIMITS["package"])
    version = Text(max_length=LIMITS["version"])


class ValidLicense(serializers.Serializer):
    """What the holder of a key may know of it: not its value again, and not what its seller keeps with it."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    constraint = Constraint()
    suspended = serializers.BooleanField()
    packages = serializers.ListField(child=serializers.CharField())
    createdAt = serializers.IntegerField()  # noqa: N815  # the source's name
    updatedAt = serializers.IntegerField()  # noqa: N815  # the source's name


class Validity(serializers.Serializer):
    """The answer to a question."""

    valid = serializers.BooleanField()
    code = serializers.ChoiceField(choices=CODES)
    license = ValidLicense(allow_null=True)


def wanted(body: dict[str, Any]) -> Wanted:
    """What a body asks for."""
    rest = {name: value for name, value in body.items() if name not in ("constraint", "packages")}
    return Wanted(packages=tuple(body["packages"]), **body["constraint"], **rest)


def row(key: LicenseKey) -> dict[str, Any]:
    """A key with its value."""
    return {
        "id": key.pk,
        "name": key.name,
        "key": minting.unseal(key.sealed),
        "constraint": constraint(key.constraint_type, key.valid_until, key.version_range, key.perpetual_fallback),
        "suspended": key.suspended,
        "meta": key.meta,
        "packages": key.package_names,
        "createdAt": keys.to_ms(key.created_at),
        "updatedAt": keys.to_ms(key.updated_at),
    }


def constraint(kind: str, until: Any, text: str, stays: bool) -> dict[str, Any]:
    """A constraint as it was given; the option that its source does not know stands there only where it is chosen."""
    if kind == "date":
        return {"type": kind, "value": keys.to_ms(until)} | ({"perpetualFallback": True} if stays else {})
    return {"type": kind, "value": text} if kind == "version" else {"type": kind}
