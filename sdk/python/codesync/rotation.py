"""Tokens that replace themselves before they end."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from codesync.answers import IssuedToken, Me, Token
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
    """A token that is replaced once less than `before`, or less than a third of its life, is left of it.

    `persist` gets the successor before it is used: if it raises, the old token stays, which works for another
    `overlap_hours`. Where its id, beginning and end are not given, the portal is asked for them once. A refused
    rotation (somebody else was faster, the token belongs to no person) changes nothing.
    """

    def __init__(
        self,
        token: str,
        persist: Persist,
        *,
        before: timedelta = timedelta(days=7),
        life: "Life | None" = None,
        overlap_hours: int = 24,
    ) -> None:
        self.token, self.persist, self.before, self.overlap = token, persist, before, overlap_hours
        self.life, self.lock, self.is_done = life, threading.Lock(), False

    def current(self, transport: Transport) -> str:
        """The token, or its successor when its time has come."""
        with self.lock:
            if not self.is_done and self._is_due(transport):
                self._rotate(transport)
            return self.token

    def _is_due(self, transport: Transport) -> bool:
        if self.life is None:
            self.life = learn(transport, self.token)
            self.is_done = self.life is None
        return self.life is not None and self.life.is_ending(self.before)

    def _rotate(self, transport: Transport) -> None:
        assert self.life is not None
        wanted = {"overlapHours": self.overlap}
        where = f"/tokens/{self.life.id}/rotate"
        self.is_done = True  # where it is refused, it is not asked for again
        try:
            successor: IssuedToken = transport.ask("POST", where, json=wanted, token=self.token)
        except ApiError:
            return
        self.persist(successor)
        self.token, self.life, self.is_done = successor["token"], Life.of(successor), False


@dataclass(frozen=True)
class Life:
    """From when to when a token works."""

    id: str
    begins: datetime
    ends: datetime

    @classmethod
    def of(cls, token: Token) -> "Life":
        """That of a token as the API lists it."""
        return cls(token["id"], moment(token["createdAt"]), moment(token["expiresAt"]))

    def is_ending(self, before: timedelta) -> bool:
        """Whether so little is left; of a short life a third, so that nothing is rotated in circles."""
        return self.ends - datetime.now(UTC) < min(before, (self.ends - self.begins) / 3)


def learn(transport: Transport, token: str) -> Life | None:
    """The life of the token as the portal knows it; None for credentials that are no tokens of a person."""
    me: Me = transport.ask("GET", "/me", token=token)
    if me["credential"]["kind"] != "token":
        return None
    listed: list[Token] = transport.ask("GET", "/tokens", token=token)["tokens"]
    return next((Life.of(one) for one in listed if one["id"] == me["credential"]["id"]), None)


def moment(text: str) -> datetime:
    """A time as the API writes it."""
    return datetime.fromisoformat(text)
