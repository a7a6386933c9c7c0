"""Serializers that refuse what they do not know and never coerce: a number is no text, a text is no number."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rest_framework import serializers

WITH_OFFSET = re.compile(r"(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})$", re.ASCII)


class Text(serializers.CharField):
    """A JSON string of bounded length, without NUL."""

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Refuse what is no string before DRF turns it into one."""
        if data is not serializers.empty and data is not None and not isinstance(data, str):
            self.fail("invalid")
        return super().run_validation(data)


class Whole(serializers.IntegerField):
    """A JSON integer; `"5"`, `5.0` and `true` are none."""

    def __init__(self, *, min_value: int, max_value: int, **kwargs: Any) -> None:
        super().__init__(min_value=min_value, max_value=max_value, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        """Take integers only."""
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """A JSON true or false; `"true"` and `1` are neither."""

    def to_internal_value(self, data: Any) -> bool:
        """Take booleans only."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Choice(serializers.ChoiceField):
    """One of a few JSON strings."""

    def to_internal_value(self, data: Any) -> Any:
        """Take strings only: `1` is not the choice "1"."""
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class Moment(serializers.DateTimeField):
    """A JSON string of ISO 8601 with its offset, between 2000 and 2100."""

    def to_internal_value(self, value: Any) -> datetime:
        """Take strings that say where on earth they are meant."""
        if not isinstance(value, str) or not WITH_OFFSET.search(value) or not "2000" <= value[:4] < "2100":
            self.fail("invalid", format="2026-12-31T12:00:00Z")
        return super().to_internal_value(value)


class Email(Text, serializers.EmailField):
    """An e-mail address as a JSON string."""


class StrictSerializer(serializers.Serializer):
    """A JSON object whose unknown fields are refused by name."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse what is no object, then what is no field, then what the fields refuse."""
        if isinstance(data, Mapping) and (unknown := [key for key in data if key not in self.fields]):
            raise serializers.ValidationError({str(key): ["This field is not known here."] for key in unknown})
        return super().to_internal_value(data)

    @classmethod
    def read(cls, data: Any) -> dict[str, Any]:
        """The validated values of a body; raises ValidationError."""
        serializer = cls(data=data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)
