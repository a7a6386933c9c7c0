"""A small identity provider that speaks GitHub's real flow over HTTP: authorize, code, access_token, user, emails."""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

REGISTERED = "http://testserver/sign-in/github/callback"
MONA = {"id": 583231, "login": "mona", "name": "Mona Lisa"}


def email(address: str, *, verified: bool = True, primary: bool = True) -> dict[str, Any]:
    return {"email": address, "verified": verified, "primary": primary, "visibility": None}


@dataclass
class Grant:
    """A code that waits for its client."""

    client: str
    redirect: str
    challenge: str
    person: dict[str, Any]


@dataclass
class IdentityProvider:
    """The provider, its clients and the person who sits at it; `answers` replaces an endpoint by a hostile one."""

    port: int = 0
    clients: dict[str, tuple[str, str]] = field(default_factory=lambda: {"portal": ("the secret", REGISTERED)})
    person: dict[str, Any] = field(default_factory=lambda: dict(MONA))
    emails: Any = field(default_factory=lambda: [email("mona@example.org")])
    denies: bool = False
    grants: dict[str, Grant] = field(default_factory=dict)
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def authorize(self, query: dict[str, str]) -> tuple[int, Any]:
        """The person says yes: back to the client with a code."""
        known = self.clients.get(query.get("client_id", ""))
        if known is None or query.get("redirect_uri") != known[1]:
            return 400, {"error": "redirect_uri_mismatch"}
        if query.get("code_challenge_method") != "S256" or len(query.get("code_challenge", "")) != 43:
            return 400, {"error": "no code challenge"}
        if self.denies:
            return 302, f"{known[1]}?{urlencode({'error': 'access_denied', 'state': query['state']})}"
        code = secrets.token_hex(10)
        self.grants[code] = Grant(query["client_id"], known[1], query["code_challenge"], dict(self.person))
        return 302, f"{known[1]}?{urlencode({'code': code, 'state': query['state']})}"

    def access_token(self, form: dict[str, str]) -> tuple[int, Any]:
        """A code is good for once, for its client, its redirect and whoever knows the verifier of its challenge."""
        grant = self.grants.pop(form.get("code", ""), None)
        made = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        good = (
            grant is not None
            and form.get("client_id") == grant.client
            and form.get("client_secret") == self.clients[grant.client][0]
            and form.get("redirect_uri") == grant.redirect
            and made.rstrip(b"=").decode() == grant.challenge
        )
        if grant is None or not good:
            return 200, {"error": "bad_verification_code"}
        token = f"gho_{secrets.token_hex(10)}"
        self.tokens[token] = grant.person
        return 200, {"access_token": token, "scope": "user:email", "token_type": "bearer"}

    def profile(self, header: str, path: str) -> tuple[int, Any]:
        person = self.tokens.get(header.removeprefix("Bearer "))
        if person is None:
            return 401, {"message": "Bad credentials"}
        return 200, self.emails if path.endswith("emails") else person


def serve(provider: IdentityProvider) -> ThreadingHTTPServer:
    """Listen on a free port until `shutdown`."""

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/login/oauth/authorize":
                self.reply(*provider.authorize(dict(parse_qsl(parts.query))))
            else:
                self.give(parts.path, lambda: provider.profile(self.headers.get("Authorization", ""), parts.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            self.give(urlsplit(self.path).path, lambda: provider.access_token(dict(parse_qsl(body))))

        def give(self, path: str, answer: Callable[[], tuple[int, Any]]) -> None:
            provider.asked.append(path)
            hostile = provider.answers.get(path)
            if hostile:
                hostile(self)
            else:
                self.reply(*answer())

        def reply(self, status: int, answer: Any) -> None:
            body = b"" if status == 302 else json.dumps(answer).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", answer)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    provider.port = server.server_port
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server


# --- hostile answers ------------------------------------------------------------------------------------------------
def raw(status: int, body: bytes, kind: str = "application/json", **headers: str) -> Any:
    """An endpoint that answers exactly this."""

    def answer(door: BaseHTTPRequestHandler) -> None:
        door.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            door.send_header(name.replace("_", "-"), value)
        door.end_headers()
        door.wfile.write(body)

    return answer


def silent(provider: IdentityProvider) -> Any:
    """An endpoint that takes the question and says nothing until the test is over."""

    def answer(door: BaseHTTPRequestHandler) -> None:
        provider.released.wait(30)
        door.close_connection = True

    return answer


def hangs_up(door: BaseHTTPRequestHandler) -> None:
    """An endpoint that closes the connection in the middle of its answer."""
    door.send_response(200)
    door.send_header("Content-Length", "1000")
    door.end_headers()
    door.wfile.write(b'{"access_token": "gho_')
    door.close_connection = True
