"""Tokens that replace themselves before they end."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from codesync.answers import IssuedToken, Me
from codesync.errors import ApiError
from codesync.transport import Transport

Persist = Callable[[IssuedToken], object]


class Held:
    """A token that stays as it is."""

    def __init__(self, token: str) -> None:
        self.token = token

    def current(self, transport: Transport) -> str:
        """The token."""
        return self.token


class Rotating:
    """A token that is replaced once less than `before` is left of it.

    `persist` gets the successor before it is used: if it raises, the old token stays, which works for another
    `overlap_hours`. Where the end and id of the token are not given, the portal is asked for them once. A refused
    rotation (somebody else was faster, the token belongs to no person) changes nothing.
    """

    def __init__(
        self,
        token: str,
        persist: Persist,
        *,
        before: timedelta = timedelta(days=7),
        id: str = "",
        expires_at: datetime | None = None,
        overlap_hours: int = 24,
    ) -> None:
        self.token, self.persist, self.before, self.overlap = token, persist, before, overlap_hours
        self.id, self.expires_at, self.lock = id, expires_at, threading.Lock()
        self.is_done = False

    def current(self, transport: Transport) -> str:
        """The token, or its successor when its time has come."""
        with self.lock:
            if not self.is_done and self._is_due(transport):
                self._rotate(transport)
            return self.token

    def _is_due(self, transport: Transport) -> bool:
        if not self.id or self.expires_at is None:
            self._learn(transport)
        return self.expires_at is not None and self.expires_at - datetime.now(UTC) < self.before

    def _learn(self, transport: Transport) -> None:
        me: Me = transport.ask("GET", "/me", token=self.token)
        credential = me["credential"]
        self.id, ends = credential["id"] or "", credential["expiresAt"]
        self.expires_at = moment(ends) if ends else None
        self.is_done = credential["kind"] != "token" or not ends

    def _rotate(self, transport: Transport) -> None:
        wanted = {"overlapHours": self.overlap}
        self.is_done = True  # once in the life of this object, whatever comes of it
        try:
            successor: IssuedToken = transport.ask("POST", f"/tokens/{self.id}/rotate", json=wanted, token=self.token)
        except ApiError:
            return
        self.persist(successor)
        self.token, self.id, self.expires_at = successor["token"], successor["id"], moment(successor["expiresAt"])
        self.is_done = self.expires_at - datetime.now(UTC) < self.before  # a short-lived one is not rotated in circles


def moment(text: str) -> datetime:
    """A time as the API writes it."""
    return datetime.fromisoformat(text)
