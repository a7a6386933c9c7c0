"""What can go wrong, as a code for programs and a sentence for people. No HTTP here: each door translates once."""

from collections.abc import Mapping, Sequence
from typing import Any


class RegistryError(Exception):
    """The root of every refusal. `message` says what to do; `details` maps a field to its reasons."""

    code = "error"
    is_noted = False  # True once the audit trail tells of it, so that no door notes it again

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        details: Mapping[str, Sequence[str] | Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.details = dict(details or {})


class InvalidInput(RegistryError):
    """The request cannot be understood: a bad name, range, field or paging value."""

    code = "invalid"


class Unauthenticated(RegistryError):
    """Nobody is signed in, or the bearer token is unknown, expired or revoked."""

    code = "unauthenticated"


class Forbidden(RegistryError):
    """The caller is known and may not do this."""

    code = "forbidden"


class NotFound(RegistryError):
    """It does not exist, or the caller may not know that it does."""

    code = "not_found"


class Conflict(RegistryError):
    """It exists already, or is not in a state that allows this."""

    code = "conflict"
