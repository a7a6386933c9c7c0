"""The refusals of the registry: those of `accounts.errors`, and what only packages can do wrong."""

from accounts.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    RegistryError,
    Unauthenticated,
)

__all__ = [
    "Conflict",
    "Forbidden",
    "Gone",
    "InvalidInput",
    "NotFound",
    "Refused",
    "RegistryError",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "UnsupportedMedia",
]


class Refused(RegistryError):
    """Well formed, but a check says no: a hostile archive, a bad signature."""

    code = "refused"


class Gone(RegistryError):
    """It was here and has been removed for good; only its tombstone remains."""

    code = "gone"


class TooLarge(RegistryError):
    """More bytes than this portal accepts."""

    code = "too_large"


class UnsupportedMedia(RegistryError):
    """A media type that this route does not read."""

    code = "unsupported_media_type"


class Unavailable(RegistryError):
    """A part that is needed (storage, database, broker) does not answer."""

    code = "unavailable"
