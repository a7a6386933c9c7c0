"""API tokens of the caller."""

from typing import Any

from codesync.answers import IssuedToken, Token
from codesync.transport import Transport


class Tokens:
    """`/tokens`."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def all(self) -> dict[str, list[Token]]:
        """The caller's tokens, without their values."""
        return self.transport.ask("GET", "/tokens")

    def create(self, name: str, scopes: list[str], *, days: int = 90, project: str = "") -> IssuedToken:
        """A token; its value is shown this once."""
        wanted: dict[str, Any] = {"name": name, "scopes": scopes, "expiresIn": days}
        return self.transport.ask("POST", "/tokens", json={**wanted, **({"project": project} if project else {})})

    def rotate(self, id: str, *, overlap_hours: int = 24) -> IssuedToken:
        """A successor; the old one works until the overlap ends."""
        return self.transport.ask("POST", f"/tokens/{id}/rotate", json={"overlapHours": overlap_hours})

    def revoke(self, id: str) -> None:
        """It opens nothing any more, at once."""
        self.transport.ask("DELETE", f"/tokens/{id}")
