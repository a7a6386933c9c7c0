"""A foreign server on loopback that says, byte for byte, what a test wants it to say."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator

Script = Callable[[str], Iterable[bytes]]


def says(body: bytes = b"", status: str = "200 OK", **headers: object) -> list[bytes]:
    """A whole answer with its right length, unless the headers say another one."""
    lines = {"Content-Length": len(body), **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
    return [f"HTTP/1.1 {status}\r\n{head}\r\n".encode(), body]


class Foreign:
    """Listens until the block ends; `heard` are the heads of requests, `visits` counts connections."""

    def __init__(self, script: Script, context: ssl.SSLContext | None = None) -> None:
        self.script, self.context = script, context
        self.heard: list[str] = []
        self.visits = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def serve(self) -> None:
        while True:
            try:
                wire, _ = self.listener.accept()
            except OSError:
                return
            self.visits += 1
            threading.Thread(target=self._answer, args=(wire,), daemon=True).start()

    def _answer(self, wire: socket.socket) -> None:
        with contextlib.suppress(OSError):
            wire = self.context.wrap_socket(wire, server_side=True) if self.context else wire
            head = b""
            while b"\r\n\r\n" not in head and (piece := wire.recv(65536)):
                head += piece
            self.heard.append(head.decode("latin-1"))
            for piece in self.script(head.decode("latin-1").split(" ")[1]):
                wire.sendall(piece)
        wire.close()


@contextlib.contextmanager
def foreign(script: Script, context: ssl.SSLContext | None = None) -> Iterator[Foreign]:
    """A server that runs as long as the block."""
    server = Foreign(script, context)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        thread.join(10)
