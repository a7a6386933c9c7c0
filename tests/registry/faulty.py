"""A proxy before an HTTP server that fails on purpose, in the order of a script."""

import http.client
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

DROPPED = {"connection", "transfer-encoding", "content-length"}


class Faulty(BaseHTTPRequestHandler):
    """Forwards requests, unless the script says otherwise.

    `500` and `503` answer so without asking; `refused` closes without asking; `lost` asks and closes without an
    answer; `cut` gives half of the answer's body; `ok` forwards. An empty script forwards everything.
    """

    protocol_version = "HTTP/1.1"
    script: ClassVar[deque[str]] = deque()
    seen: ClassVar[list[str]] = []
    backend: ClassVar[tuple[str, int]] = ("127.0.0.1", 0)

    def handle_any(self) -> None:
        """One request."""
        body = self._body()
        fault = self.script.popleft() if self.script else "ok"
        self.seen.append(f"{self.command} {fault}")
        if fault in ("500", "503"):
            self._answer(int(fault), {}, b"<Error><Code>InternalError</Code></Error>")
            return
        if fault == "refused":
            self._hang_up()
            return
        status, headers, answer = self._forward(body)
        if fault == "lost":
            self._hang_up()
        elif fault == "cut":
            self._answer(status, headers, answer[: len(answer) // 2], promised=len(answer))
            self._hang_up()
        else:
            self._answer(status, headers, answer)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def send_response_only(self, code: int, message: str | None = None) -> None:
        """Also used for 100 Continue, which must not be counted as an answer."""
        super().send_response_only(code, message)

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        backend = http.client.HTTPConnection(*self.backend, timeout=30)
        headers = {key: value for key, value in self.headers.items() if key.lower() not in DROPPED | {"expect"}}
        backend.request(self.command, self.path, body, {**headers, "Content-Length": str(len(body))})
        answer = backend.getresponse()
        status, shown, content = answer.status, dict(answer.getheaders()), answer.read()
        backend.close()
        return status, shown, content

    def _answer(self, status: int, headers: dict[str, str], body: bytes, promised: int | None = None) -> None:
        self.send_response_only(status)
        length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(promised or len(body))
        for key, value in headers.items():
            if key.lower() not in DROPPED:
                self.send_header(key, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    def _hang_up(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""


for method in ("GET", "PUT", "HEAD", "DELETE", "POST"):
    setattr(Faulty, f"do_{method}", Faulty.handle_any)


@contextmanager
def proxy(host: str, port: int) -> Iterator[str]:
    """The address of a proxy before the server."""
    Faulty.backend = (host, port)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Faulty)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
