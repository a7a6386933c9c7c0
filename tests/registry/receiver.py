"""A receiver of webhooks on loopback, which verifies what it gets by the specification and by nothing of ours."""

import base64
import contextlib
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Heard(NamedTuple):
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def said(self) -> dict[str, Any]:
        return json.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        """Standard Webhooks 1.0: one of the `v1` signatures is the HMAC-SHA256 over id, timestamp and body."""
        kind, _, encoded = secret.partition("_")
        mac = hmac.new(base64.b64decode(encoded, validate=True), digestmod=hashlib.sha256)
        for part in (self.id.encode(), b".", self.headers["webhook-timestamp"].encode(), b".", self.body):
            mac.update(part)
        given = [one.split(",", 1) for one in self.headers["webhook-signature"].split(" ")]
        right = [base64.b64decode(code) == mac.digest() for version, code in given if version == "v1"]
        return kind == "whsec" and any(right)

    @property
    def age(self) -> float:
        return abs(time.time() - int(self.headers["webhook-timestamp"]))


class Receiver:
    """Answers what the test says next (the last answer for ever), and waits for `go_on` where it is to hang."""

    def __init__(self, *answers: int, body: bytes = b"thanks", **headers: str) -> None:
        self.answers, self.body, self.headers = list(answers or (204,)), body, headers
        self.heard: list[Heard] = []
        self.arrived, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.heard.append(Heard(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                status = receiver.answers[0] if len(receiver.answers) == 1 else receiver.answers.pop(0)
                receiver.arrived.set()
                receiver.go_on.wait(20)
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    for name, value in {**receiver.headers, "Content-Length": str(len(receiver.body))}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(receiver.body if status != 204 else b"")

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        return Handler

    @property
    def events(self) -> list[str]:
        return [one.said["type"] for one in self.heard]


@contextlib.contextmanager
def receiver(*answers: int, **more: Any) -> Iterator[Receiver]:
    """A receiver that listens as long as the block."""
    made = Receiver(*answers, **more)
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.go_on.set()
        made.server.shutdown()
        made.server.server_close()
        thread.join(10)
