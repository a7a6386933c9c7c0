"""What can go wrong, each with a sentence that says what to do and the code that the command exits with."""

from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """What the exit codes of `codesync` mean."""

    DONE = 0
    FINDINGS = 1
    USAGE = 2
    HELD = 3
    REFUSED = 4
    NOT_SIGNED_IN = 5
    NOT_FOUND = 6
    UNREACHABLE = 7
    NOT_VERIFIED = 8
    INTERRUPTED = 130


class CodeSyncError(Exception):
    """Something that its caller should know in one sentence."""

    exit = Exit.REFUSED

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def as_dict(self) -> dict[str, Any]:
        """In the shape of the API's own errors; 0 where the portal was not even asked."""
        return {"error": self.message, "statusCode": 0, "details": {}}


class Mistake(CodeSyncError):
    """What was asked for makes no sense, or a file or program that it needs is not there."""

    exit = Exit.USAGE


class NotSignedIn(CodeSyncError):
    """No address or no token to work with."""

    exit = Exit.NOT_SIGNED_IN


class NotVerified(CodeSyncError):
    """A digest or a signature is not what it should be."""

    exit = Exit.NOT_VERIFIED


class Unreachable(CodeSyncError):
    """The portal could not be asked, however often it was tried."""

    exit = Exit.UNREACHABLE


class ApiError(CodeSyncError):
    """A refusal of the portal: its sentence, its status, its details."""

    def __init__(self, status: int, message: str, details: dict[str, Any], retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status, self.details, self.retry_after = status, details, retry_after

    @property
    def exit(self) -> Exit:  # type: ignore[override]  # the status decides
        """The exit code that goes with the status."""
        if self.status == 403 and self.details.get("code") == "pending":
            return Exit.HELD
        if self.status in (400, 413, 415):
            return Exit.USAGE
        if self.status == 401:
            return Exit.NOT_SIGNED_IN
        if self.status in (404, 410):
            return Exit.NOT_FOUND
        return Exit.UNREACHABLE if self.status == 429 or self.status >= 500 else Exit.REFUSED

    def as_dict(self) -> dict[str, Any]:
        """As the API said it."""
        return {"error": self.message, "statusCode": self.status, "details": self.details}
