"""An issuer of ID tokens on this machine: real keys, real HTTP, the endpoints of GitHub Actions and of OpenID."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

REQUEST_TOKEN = "what the runner gives to the run"


class Issuer:
    """Signs what it is told to; `asked` are the paths that it was asked for."""

    def __init__(self) -> None:
        self.keys = {"first": rsa.generate_private_key(public_exponent=65537, key_size=2048)}
        self.asked: list[str] = []
        self.url = ""
        self.given: dict[str, Any] = {}

    def claims(self, **more: Any) -> dict[str, Any]:
        """What GitHub says of a run of acme's release workflow."""
        now = int(time.time())
        said = {
            "iss": self.url,
            "sub": "repo:acme/tools:environment:release",
            "aud": "npm:testserver",
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "jti": str(uuid4()),
            "repository": "acme/tools",
            "repository_id": "1001",
            "repository_owner_id": "2002",
            "workflow_ref": "acme/tools/.github/workflows/release.yml@refs/heads/main",
            "ref": "refs/heads/main",
            "environment": "release",
            "event_name": "push",
            "repository_visibility": "private",
        }
        return {name: value for name, value in {**said, **more}.items() if value is not None}

    def token(self, *, kid: str = "first", **more: Any) -> str:
        """A signed ID token; `name=None` leaves a claim out."""
        return jwt.encode(self.claims(**more), self.keys[kid], algorithm="RS256", headers={"kid": kid})

    def sign(self, claims: dict[str, Any]) -> str:
        """A signed ID token that says exactly this."""
        return jwt.encode(claims, self.keys["first"], algorithm="RS256", headers={"kid": "first", "typ": "JWT"})

    def public_pem(self) -> bytes:
        """The public key as text: what a confused verifier would take for a shared secret."""
        return (
            self.keys["first"]
            .public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )

    def answer(self, path: str, authorization: str) -> dict[str, Any] | None:
        """What stands at the path."""
        self.asked.append(urlsplit(path).path)
        match urlsplit(path).path:
            case where if where.endswith("/.well-known/openid-configuration"):
                return {"issuer": self.url + where.rpartition("/.well-known")[0], "jwks_uri": f"{self.url}/jwks"}
            case "/jwks":
                return {"keys": [self._jwk(kid) for kid in self.keys]}
            case "/run" if authorization == f"Bearer {REQUEST_TOKEN}":
                return {"value": self.token(aud=parse_qs(urlsplit(path).query)["audience"][0], **self.given)}
        return None

    def _jwk(self, kid: str) -> dict[str, Any]:
        told = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.keys[kid].public_key()))
        return {"kty": told["kty"], "n": told["n"], "e": told["e"], "kid": kid, "alg": "RS256", "use": "sig"}


@contextmanager
def running() -> Iterator[Issuer]:
    """An issuer that answers on loopback while the block lasts."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = issuer.answer(self.path, self.headers.get("Authorization", ""))
            body = json.dumps(found or {}).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
