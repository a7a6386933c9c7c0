"""The way to one upstream: the portal's safe client, with the credential, the pace and the words of this house."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from registry import outgoing
from registry.outgoing import Allowance, Answer, Limits, Resolver, Unreachable
from registry.outgoing.addresses import read as read_address
from registry.upstreams.sources.base import Busy, Denied, Failing, Nonsense, Rejected, Reply, Vanished

PAGE_LIMIT = 32 * 2**20
PAGE_SECONDS = 120.0
EXCERPT = 4096
LONGEST_WAIT = 3600.0
TRIES = 2
AS_IT_LIES = {"Accept-Encoding": "identity"}  # some servers would unpack a tar.gz on the way


@dataclass(frozen=True)
class Terms:
    """What an admin allows: where to, with which credential (headers), how large and how often."""

    private: bool = False
    credentials: Mapping[str, str] = field(default_factory=dict)
    file_limit: int = 128 * 2**20  # bytes
    requests_per_second: float = 1000.0
    resolver: Resolver = outgoing.system_resolver

    @property
    def allowance(self) -> Allowance:
        """Plain http is for inside only."""
        return Allowance(http=self.private, private=self.private)


class Pace:
    """So many requests in a second and no more, over all threads."""

    def __init__(self, per_second: float) -> None:
        self.gap = 1 / per_second
        self._lock, self._next = threading.Lock(), 0.0

    def wait(self) -> None:
        """Come back when it is this caller's turn."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self.gap
        if turn > now:
            threading.Event().wait(turn - now)


class Body:
    """An answer that is read in the sizes that the reader wants."""

    told: Mapping[str, str] = {}

    def __init__(self, answer: Answer) -> None:
        self.url, self.headers = answer.url, answer.headers
        self._pieces, self._rest = answer.pieces(), b""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, empty at the end; raises Unreachable or TooMuch."""
        if not self._rest:
            self._rest = next((piece for piece in self._pieces if piece), b"")
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


class Safe:
    """`sources.base.Web` over `registry.outgoing`. Counts its requests; may be used by several threads."""

    def __init__(self, base_url: str, terms: Terms) -> None:
        self.terms = terms
        self.home = read_address(base_url, terms.allowance)
        self.pace = Pace(terms.requests_per_second)
        self.requests = 0

    @contextmanager
    def opened(
        self,
        url: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        size: int | None = None,
        seconds: float = PAGE_SECONDS,
    ) -> Iterator[Reply]:
        """The answer, if its status is 200; an upstream that stumbles is asked once more, at once."""
        request = outgoing.Request(
            url,
            method=method,
            body=body,
            headers=headers or {},
            credentials=self._credentials_for(url),
            allowance=self.terms.allowance,
            limits=Limits(total=seconds, size=PAGE_LIMIT if size is None else size),
        )
        with ExitStack() as stack:
            yield Body(self._answer(request, stack))

    @contextmanager
    def file(self, url: str, **options: Any) -> Iterator[Reply]:
        """The bytes of a file; a page for people, as of a sign-in, is none."""
        limit = self.terms.file_limit
        options = {**options, "headers": {**AS_IT_LIES, **(options.get("headers") or {})}}
        with self.opened(url, size=limit, seconds=max(PAGE_SECONDS, limit / 100_000), **options) as reply:
            if reply.headers.get_content_type() in ("text/html", "application/xhtml+xml"):
                raise Nonsense(f"{self.home.host} sends a page for people instead of the file.")
            yield reply

    def json(self, url: str, **options: Any) -> Any:
        """The parsed answer."""
        with self.opened(url, **options) as reply:
            pieces = []
            while piece := reply.read(2**20):
                pieces.append(piece)
        try:
            return orjson.loads(b"".join(pieces))
        except orjson.JSONDecodeError:
            kind = reply.headers.get_content_type()
            raise Nonsense(f"{self.home.host} answers with {kind} that is no whole JSON.") from None

    def _answer(self, request: outgoing.Request, stack: ExitStack) -> Answer:
        for tries_left in reversed(range(TRIES)):
            self.pace.wait()
            self.requests += 1
            try:
                answer = stack.enter_context(outgoing.opened(request, self.terms.resolver))
            except Unreachable:
                if not tries_left:
                    raise
            else:
                if answer.status not in (500, 502, 504) or not tries_left:
                    self._need_good(answer)
                    return answer
        raise AssertionError("the last try answers or raises")

    def _credentials_for(self, url: str) -> Mapping[str, str]:
        """Nothing for other hosts, or other ports: files may lie elsewhere."""
        at_home = read_address(url, self.terms.allowance).origin == self.home.origin
        return self.terms.credentials if at_home else {}

    def _need_good(self, answer: Answer) -> None:
        """Raise what the status means. Nothing of the body is repeated in it: some servers tell the key back."""
        status, host = answer.status, self.home.host
        if status == 200:
            return
        if status in (401, 403):
            raise Denied(f"{host} does not let this credential in ({status}).")
        if status in (404, 410):
            raise Vanished(f"{host} does not have it ({status}).")
        if status in (429, 503):
            raise Busy(f"{host} asks for patience ({status}).", _seconds(answer.headers.get("Retry-After", "")))
        if status in (408,) or status >= 500:
            raise Failing(f"{host} has trouble of its own ({status}).")
        raise Rejected(f"{host} does not take the question ({status}).", status, _beginning(answer))


def _seconds(retry_after: str) -> float:
    """Seconds, or a date (RFC 9110, 10.2.3); 0 for neither, an hour at most."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return 0
    left = (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(left, 0), LONGEST_WAIT)


def _beginning(answer: Answer) -> bytes:
    try:
        return next(answer.pieces(), b"")[:EXCERPT]
    except (outgoing.TooMuch, Unreachable):
        return b""
