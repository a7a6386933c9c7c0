"""Local servers that behave as npm registries and Python indexes do, and misbehave where a test wants it."""

import base64
import hashlib
import html
import json
import re
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class Held:
    """A file on the shelf, and what is said of it."""

    name: str
    version: str
    filename: str
    content: bytes
    released: str = "2020-02-03T04:05:06Z"
    says: dict[str, Any] = field(default_factory=dict)
    is_gone: bool = False


Answer = tuple[int, dict[str, str], bytes]
Fault = Callable[["Ask"], Answer | None]


@dataclass
class Ask:
    """A request as the shop sees it."""

    path: str
    query: dict[str, list[str]]
    headers: Any


class Shop:
    """A server on loopback. `requests` are the paths asked for, `heard` all of it; `fault` may answer instead."""

    def __init__(self) -> None:
        self.shelf: list[Held] = []
        self.requests: list[str] = []
        self.heard: list[Ask] = []
        self.fault: Fault = lambda ask: None
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.files_url = self.url

    def put(self, name: str, version: str, filename: str, content: bytes, **more: Any) -> Held:
        held = Held(name, version, filename, content, **more)
        self.shelf.append(held)
        return held

    def drop(self, filename: str) -> None:
        for one in self.shelf:
            one.is_gone = one.is_gone or one.filename == filename

    def answer(self, ask: Ask) -> Answer:
        return 404, {}, b"This shop sells nothing."

    def file(self, name: str, filename: str) -> Answer:
        found = [one for one in self.shelf if (one.name, one.filename) == (name, filename) and not one.is_gone]
        return (200, {"Content-Type": "application/octet-stream"}, found[0].content) if found else (404, {}, b"no")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                split = urlsplit(self.path)
                ask = Ask(split.path, parse_qs(split.query), self.headers)
                shop.requests.append(self.path)
                shop.heard.append(ask)
                status, headers, body = shop.fault(ask) or shop.answer(ask)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(body)
                    if headers.get("X-Endless"):
                        while True:
                            self.wfile.write(body)
                except OSError:
                    pass
                self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


def as_json(value: Any, kind: str = "application/json") -> Answer:
    return 200, {"Content-Type": kind}, json.dumps(value).encode()


class NpmShop(Shop):
    """npm's registry: packuments, tarballs, search."""

    def answer(self, ask: Ask) -> Answer:
        path = unquote(ask.path).strip("/")
        if path == "-/v1/search":
            return self._search(ask)
        if "/-/" in path:
            name, _, filename = path.partition("/-/")
            return self.file(name, filename)
        versions = [one for one in self.shelf if one.name == path]
        return as_json(self.packument(path, versions)) if versions else (404, {}, b'{"error":"not_found"}')

    def packument(self, name: str, held: list[Held]) -> dict[str, Any]:
        return {
            "_id": name,
            "name": name,
            "dist-tags": {"latest": held[-1].version},
            "versions": {one.version: self._manifest(one) for one in held},
            "readme": 'a "quoted" {brace} \\ backslash',
            "time": {"created": "2019-01-01T00:00:00Z"} | {one.version: one.released for one in held},
        }

    def _manifest(self, one: Held) -> dict[str, Any]:
        dist = {
            "tarball": f"{self.files_url}/{one.name}/-/{one.filename}",
            "shasum": hashlib.sha1(one.content).hexdigest(),
            "integrity": "sha512-" + base64.b64encode(hashlib.sha512(one.content).digest()).decode(),
        }
        return {"name": one.name, "version": one.version, "dist": dist, **one.says}

    def _search(self, ask: Ask) -> Answer:
        text = ask.query.get("text", [""])[0].removeprefix("scope:")
        size, start = int(ask.query["size"][0]), int(ask.query["from"][0])
        names = sorted({one.name for one in self.shelf if text in one.name})
        found = [{"package": {"name": name}} for name in names[start : start + size]]
        return as_json({"objects": found, "total": len(names)})


class PyPiShop(Shop):
    """A Python index: JSON where it is asked for it, unless `speaks_json` is off."""

    speaks_json = True
    status = "active"

    def answer(self, ask: Ask) -> Answer:
        path = unquote(ask.path).strip("/")
        if path == "simple":
            return self._index()
        if path.startswith("simple/"):
            name = path.removeprefix("simple/")
            files = [one for one in self.shelf if normal(one.name) == name]
            if not files:
                return 404, {}, b"404 Not Found"
            return self._project(name, files) if self.speaks_json else self._page(files)
        _, _, rest = path.partition("files/")
        name, _, filename = rest.partition("/")
        return self.file(name, filename)

    def _index(self) -> Answer:
        names = sorted({one.name for one in self.shelf})
        if not self.speaks_json:
            links = "".join(f'<a href="/simple/{normal(name)}/">{name}</a><br>' for name in names)
            return 200, {"Content-Type": "text/html"}, f"<html><body>{links}</body></html>".encode()
        last = {one.name: position + 1 for position, one in enumerate(self.shelf)}
        projects = [{"name": name, "_last-serial": last[name]} for name in names]
        return as_json({"meta": {"api-version": "1.1"}, "projects": projects}, "application/vnd.pypi.simple.v1+json")

    def _project(self, name: str, files: list[Held]) -> Answer:
        shown = [
            {
                "filename": one.filename,
                "url": f"{self.files_url}/files/{one.name}/{one.filename}",
                "hashes": {"sha256": hashlib.sha256(one.content).hexdigest()},
                "size": len(one.content),
                "upload-time": one.released,
                "yanked": False,
                **one.says,
            }
            for one in files
        ]
        whole = {
            "files": shown,
            "meta": {"api-version": "1.4"},
            "name": name,
            "project-status": {"status": self.status},
        }
        return as_json(whole, "application/vnd.pypi.simple.v1+json")

    def _page(self, files: list[Held]) -> Answer:
        links = ""
        for one in files:
            digest = hashlib.sha256(one.content).hexdigest()
            yanked = one.says.get("yanked")
            word = f' data-yanked="{html.escape(yanked)}"' if yanked else ""
            links += f'<a href="../../files/{one.name}/{one.filename}#sha256={digest}"{word}>{one.filename}</a><br/>\n'
        return 200, {"Content-Type": "text/html"}, f"<!DOCTYPE html><html><body>{links}</body></html>".encode()


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@contextmanager
def opened(shop: Shop):
    """The shop, as long as the block lasts."""
    thread = threading.Thread(target=shop.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield shop
    finally:
        shop.server.shutdown()
        shop.server.server_close()
        thread.join(10)


# --- misbehaviour ----------------------------------------------------------------------------------------------------
def spoils(shop: Shop, kind: str, path: str) -> None:
    """Let requests whose path holds `path` meet this misbehaviour from now on."""
    secret = b"not what was promised"
    answers: dict[str, Callable[[Ask], Answer]] = {
        "wrong": lambda ask: (200, {}, secret),
        "endless": lambda ask: (200, {"X-Endless": "1", "Content-Length": str(2**40)}, bytes(65536)),
        "cut": lambda ask: (
            200,
            {"Content-Type": "application/json", "Content-Length": "9999"},
            b'{"versions": {"1.0',
        ),
        "cut json": lambda ask: (200, {"Content-Type": "application/json"}, b'{"name": "x", "versions": {"1.0.0": {'),
        "a page": lambda ask: (200, {"Content-Type": "application/json"}, b"<html>Please sign in</html>"),
        "elsewhere": lambda ask: (302, {"Location": "http://169.254.169.254/latest/meta-data"}, b""),
        "busy": lambda ask: (429, {"Retry-After": "120"}, b""),
        "down": lambda ask: (500, {}, b"oops"),
        "shut": lambda ask: (401, {}, b"who are you"),
        "gone": lambda ask: (410, {}, b"gone"),
    }
    shop.fault = lambda ask: answers[kind](ask) if path in unquote(ask.path) else None
