"""Asking the portal over HTTP: credentials, timeouts, retries, and refusals as exceptions."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx

from codesync import __version__
from codesync.errors import ApiError, Mistake, NotSignedIn, Unreachable
from codesync.retrying import AGAIN, UNTOUCHED, Patience, seconds_of

BASE = "/api/v1"
AS_IT_IS = {"Accept": "*/*", "Accept-Encoding": "identity"}
CHUNK = 256 * 1024
ELSEWHERE = ("/pypi/simple", "/pypi/legacy", "/pypi", "/npm", "/v1", "/api")  # what people copy along with it
REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
Progress = Callable[[int], object]


class Keeper(Protocol):
    """Who holds the token, and may replace it before it ends."""

    def current(self, transport: "Transport") -> str:
        """The token to send; empty for nobody's."""


class Upload:
    """A file and the texts beside it as multipart/form-data, sent piece by piece, at each attempt from the start."""

    def __init__(self, file: Path, texts: Mapping[str, str], sent: Progress | None = None, part: str = "file") -> None:
        self.file, self.sent, boundary = file, sent, secrets.token_hex(16)
        parts = [_part(boundary, f'name="{name}"') + text.encode() + b"\r\n" for name, text in texts.items() if text]
        named = file.name.replace("\\", "_").replace('"', "_")
        self.head = b"".join(parts) + _part(boundary, f'name="{part}"; filename="{named}"')
        self.tail = f"\r\n--{boundary}--\r\n".encode()
        size = len(self.head) + file.stat().st_size + len(self.tail)
        self.headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Content-Length": str(size)}

    def __iter__(self) -> Iterator[bytes]:
        done = 0
        yield self.head
        with self.file.open("rb") as stream:
            while piece := stream.read(CHUNK):
                yield piece
                done += len(piece)
                if self.sent:
                    self.sent(done)
        yield self.tail


def _part(boundary: str, about: str) -> bytes:
    return f"--{boundary}\r\nContent-Disposition: form-data; {about}\r\n\r\n".encode()


class Transport:
    """One portal and one credential. Safe to use from several threads."""

    def __init__(
        self,
        url: str,
        keeper: Keeper,
        *,
        project: str = "",
        timeout: float = 60.0,
        patience: Patience | None = None,
    ) -> None:
        self.url, self.keeper, self.project = address_of(url), keeper, project
        self.patience = patience or Patience()
        self.http = httpx.Client(
            timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
            headers={"User-Agent": f"codesync-python/{__version__}", "Accept": "application/json"},
        )

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        is_question: bool = False,
        token: str | None = None,
    ) -> Any:
        """The portal's answer as JSON, None where it has no body; `is_question`: a POST that changes nothing."""
        answer = self.send(
            method, path, query=query, json=json, token=token, may_repeat=is_question or method in REPEATABLE
        )
        return self.read(answer) if answer.content else None

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        upload: Upload | None = None,
        token: str | None = None,
        may_repeat: bool = False,
        base: str = BASE,
    ) -> httpx.Response:
        """The whole answer. Raises ApiError for a refusal, Unreachable when nothing came back."""
        sent = {**self.credentials(token), **(upload.headers if upload else {})}
        given = {name: value for name, value in (query or {}).items() if value not in (None, "")}

        def attempt() -> httpx.Response:
            content = iter(upload) if upload else None
            request = self.http.build_request(
                method, self.url + base + path, params=given, json=json, content=content, headers=sent
            )
            return accepted(self.http.send(request), self.url)

        return self._patiently(attempt, may_repeat)

    def read(self, answer: httpx.Response) -> Any:
        """The answer's JSON. Raises Unreachable where it is none: whoever answered is no portal."""
        try:
            return answer.json()
        except ValueError as problem:
            raise Unreachable(_NO_PORTAL.format(url=self.url, said="with something else than JSON")) from problem

    @contextmanager
    def stream(self, path: str, query: Mapping[str, Any] | None = None) -> Iterator[httpx.Response]:
        """A file, as it comes in; where it lies elsewhere, the way there is gone without our token."""
        given = {name: value for name, value in (query or {}).items() if value not in (None, "")}

        def attempt() -> httpx.Response:
            request = self.http.build_request(
                "GET", self.url + BASE + path, params=given, headers={**self.credentials(), **AS_IT_IS}
            )
            return accepted(self.http.send(request, stream=True, follow_redirects=True), self.url)

        answer = self._patiently(attempt, may_repeat=True)
        try:
            yield answer
        except httpx.TransportError as problem:
            raise self._unreachable(problem) from problem
        finally:
            answer.close()

    def credentials(self, token: str | None = None) -> dict[str, str]:
        """The headers that say who asks, and for which project."""
        raw = self.keeper.current(self) if token is None else token
        found = {"Authorization": f"Bearer {raw}"} if raw else {}
        return {**found, "X-Project-ID": self.project} if self.project else found

    def close(self) -> None:
        """Give the connections back."""
        self.http.close()

    def _patiently(self, attempt: Callable[[], httpx.Response], may_repeat: bool) -> httpx.Response:
        count = 0
        while True:
            count += 1
            try:
                return attempt()
            except ApiError as problem:
                wanted = problem.status in AGAIN and (may_repeat or problem.status in UNTOUCHED)
                wait = self.patience.before(count, problem.retry_after) if wanted else None
                if wait is None:
                    raise
            except httpx.TransportError as problem:
                wanted = may_repeat or isinstance(problem, httpx.ConnectError | httpx.ConnectTimeout)
                wait = self.patience.before(count, None) if wanted else None
                if wait is None:
                    raise self._unreachable(problem) from problem
            except httpx.InvalidURL as problem:
                raise Mistake(f"{self.url} is no address of a portal: {problem}.") from problem
            self.patience.wait(wait)

    def _unreachable(self, problem: httpx.TransportError) -> Unreachable:
        if isinstance(problem, httpx.TimeoutException):
            return Unreachable(f"{self.url} did not answer in time. Try again, or allow more with --timeout.")
        return Unreachable(f"{self.url} cannot be reached ({problem}). Check the address: --url or CODESYNC_URL.")


def address_of(url: str) -> str:
    """The portal's address without what people copy along with it. Raises NotSignedIn, Mistake."""
    if not url:
        raise NotSignedIn("No portal is set. Run `codesync login`, or set CODESYNC_URL.")
    if not url.startswith(("http://", "https://")):
        raise Mistake(f"{url} is no address of a portal. It begins with https://.")
    url = url.rstrip("/")
    for end in ELSEWHERE:
        url = url.removesuffix(end)
    return url


def accepted(answer: httpx.Response, url: str) -> httpx.Response:
    """The answer, if it is none of refusal. Raises ApiError with the portal's sentence, Unreachable otherwise."""
    if answer.is_success:
        return answer
    answer.read()
    answer.close()
    said = _said(answer)
    if "error" not in said and answer.status_code < 429:
        word = f"with {answer.status_code} {answer.reason_phrase}"
        raise Unreachable(_NO_PORTAL.format(url=url, said=word))
    wait = seconds_of(answer.headers.get("Retry-After"))
    details = said.get("details")
    raise ApiError(
        answer.status_code,
        str(said.get("error") or f"The portal answered {answer.status_code} {answer.reason_phrase} without a reason."),
        details if isinstance(details, dict) else {},
        wait,
    )


_NO_PORTAL = "{url} answered {said}, as no portal does. Check the address: --url or CODESYNC_URL."


def _said(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
