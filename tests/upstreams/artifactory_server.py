"""An Artifactory on loopback: search by AQL, storage API, downloads; every trap of a real one is a switch.

It answers as real servers were seen to: the forms of numbers, dates, errors and headers are theirs.
"""

import contextlib
import fnmatch
import hashlib
import http.server
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import unquote, urlsplit

QUERY = re.compile(
    r"items\.find\((?P<criteria>\{.*\})\)\.include\((?P<fields>.*?)\)"
    r"\.sort\(\{\"\$asc\":\[(?P<sort>.*?)\]\}\)\.offset\((?P<offset>\d+)\)\.limit\((?P<limit>\d+)\)"
)
PRO = "This REST API is available only in Artifactory Pro (see: jfrog.com/artifactory/features)."
LOGIN_PAGE = b"<!DOCTYPE html><html><title>Sign in</title><form></form></html>"
FIXED = timezone(timedelta(hours=4))


@dataclass
class Kept:
    """A file of the repository."""

    content: bytes
    modified: datetime
    promised: bytes | None = None  # whose digests are told, if not the content's
    known: dict[str, str] = field(default_factory=dict)

    def digest(self, name: str) -> str:
        if name not in self.known:
            self.known[name] = hashlib.new(name, self.content if self.promised is None else self.promised).hexdigest()
        return self.known[name]


@dataclass
class Switches:
    """What a real server may do."""

    key: str = ""  # the API key it asks for; "" lets everybody in
    token: str = ""
    basic: str = ""
    aql: bool = True  # else 400 to every search
    pro: bool = True  # else 400 to ?list
    cached: bool = False  # a remote repository: rows say KEY-cache
    virtual: bool = False  # every path twice
    sizes_as_text: bool = False
    offset_dates: bool = False  # +04:00 instead of Z
    with_sha256: bool = True
    children_say_folder: bool = True
    hard_limit: int = 0  # rows after which answers are trimmed, with a notification
    statuses: list[int] = field(default_factory=list)  # answered first, one by one
    retry_after: str = ""
    cut_json: int = 0  # so many searches break off in mid-stream
    html: bool = False
    wrong_header: bool = False
    short_body: set[str] = field(default_factory=set)
    endless_body: set[str] = field(default_factory=set)
    login_page: set[str] = field(default_factory=set)
    vanished: set[str] = field(default_factory=set)
    redirects: dict[str, str] = field(default_factory=dict)


class Artifactory:
    """One repository, behind a real socket. `requests` are method and path, `heard` the headers of each."""

    def __init__(self, repository: str = "libs") -> None:
        self.repository = repository
        self.files: dict[str, Kept] = {}
        self.does = Switches()
        self.requests: list[str] = []
        self.heard: list[dict[str, str]] = []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.shop = self
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def put(self, name: str, version: str, filename: str, content: bytes) -> None:
        """As npm and twine would lay it down; by folders for plain files."""
        if filename.endswith(".tgz"):
            self.keep(f"{name}/-/{filename}", content)
        else:
            self.keep(f"{name}/{version}/{filename}", content)

    def keep(self, path: str, content: bytes, *, promised: bytes | None = None) -> None:
        self.files[path] = Kept(content, datetime.now(UTC), promised)

    def drop(self, filename: str) -> None:
        """Gone since it was listed."""
        self.does.vanished |= {path for path in self.files if path.endswith(f"/{filename}")}

    def downloads(self) -> list[str]:
        return [one for one in self.requests if one.startswith("GET ") and "/api/" not in one]

    @contextlib.contextmanager
    def running(self) -> Iterator["Artifactory"]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join(10)

    # --- what it knows ---------------------------------------------------------------------------------------------
    def rows(self) -> list[dict[str, Any]]:
        repository = f"{self.repository}-cache" if self.does.cached else self.repository
        return [row for path, file in self.files.items() for row in [self._row(repository, path, file)] * self.times]

    @property
    def times(self) -> int:
        return 2 if self.does.virtual else 1

    def _row(self, repository: str, path: str, file: Kept) -> dict[str, Any]:
        folder, _, name = path.rpartition("/")
        moment = self.date(file.modified)
        row = {"repo": repository, "path": folder or ".", "name": name, "type": "file", "size": len(file.content)}
        row |= {"created": moment, "modified": moment, "updated": moment}
        row |= {"actual_md5": file.digest("md5"), "actual_sha1": file.digest("sha1")}
        if self.does.with_sha256:
            row["sha256"] = file.digest("sha256")
        if self.does.sizes_as_text:
            row["size"] = str(row["size"])
        return row

    def date(self, moment: datetime) -> str:
        local = moment.astimezone(FIXED if self.does.offset_dates else UTC)
        return local.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def search(self, query: str) -> dict[str, Any] | None:
        found = QUERY.fullmatch(query)
        if found is None:
            return None
        fields = json.loads(f"[{found['fields']}]")
        if not {"repo", "path", "name"} <= set(fields):
            return None  # as it answers who is no admin
        keys = json.loads(f"[{found['sort']}]")
        matching = [row for row in self.rows() if _matches(row, json.loads(found["criteria"]))]
        matching.sort(key=lambda row: [row[key] for key in keys])
        offset, limit = int(found["offset"]), int(found["limit"])
        page = matching[offset : offset + limit]
        span: dict[str, Any] = {"start_pos": offset, "limit": limit}
        if self.does.hard_limit and len(page) > self.does.hard_limit:
            page = page[: self.does.hard_limit]
            span["notification"] = "AQL query reached the search hard limit, results are trimmed."
        rows = [{key: row[key] for key in row if key in {*fields, "type"}} for row in page]
        return {"results": rows, "range": span | {"end_pos": len(page), "total": len(page)}}

    def children(self, folder: str) -> dict[str, bool] | None:
        prefix = f"{folder}/" if folder else ""
        below = [path[len(prefix) :] for path in self.files if path.startswith(prefix)]
        return {path.partition("/")[0]: "/" in path for path in below} or ({} if not folder else None)


def _matches(row: dict[str, Any], criteria: dict[str, Any]) -> bool:
    return all(_holds(row, key, value) for key, value in criteria.items())


def _holds(row: dict[str, Any], key: str, value: Any) -> bool:
    if key in ("$and", "$or"):
        return (all if key == "$and" else any)(_matches(row, one) for one in value)
    if not isinstance(value, dict):
        return row[key] == value
    ((operator, wanted),) = value.items()
    if operator == "$match":
        return fnmatch.fnmatchcase(row[key], wanted)
    assert operator == "$gt"
    return datetime.fromisoformat(row[key]) > datetime.fromisoformat(wanted)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def shop(self) -> Artifactory:
        return self.server.shop

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        query = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self._is_stopped():
            return
        if not self.shop.does.aql:
            self._error(400, "Failed to parse query: not for you")
        elif (answer := self.shop.search(query)) is None:
            self._error(400, f"Failed to parse query: {query}")
        else:
            text = json.dumps(answer, indent=1)
            if self.shop.does.cut_json:
                self.shop.does.cut_json -= 1
                text = text[: len(text) // 2]
            self._send(200, text.encode(), "application/json")

    def do_GET(self) -> None:
        if self._is_stopped():
            return
        parts = urlsplit(self.path)
        path = parts.path.removeprefix("/artifactory/")
        storage = f"api/storage/{self.shop.repository}"
        if path.startswith(storage):
            self._storage(unquote(path[len(storage) :]).strip("/"), parts.query)
        elif ";" in path:
            self._error(404, "matrix parameters")
        else:
            self._content(unquote(path).removeprefix(f"{self.shop.repository}/"))

    def _is_stopped(self) -> bool:
        self.shop.requests.append(f"{self.command} {self.path}")
        self.shop.heard.append({name.lower(): value for name, value in self.headers.items()})
        does = self.shop.does
        if does.statuses:
            self._error(does.statuses.pop(0), "not now", {"Retry-After": does.retry_after} if does.retry_after else {})
        elif does.html:
            self._send(200, LOGIN_PAGE, "text/html")
        elif not self._is_let_in():
            self._error(401, f"Bad props auth token: apiKey={self.headers.get('X-JFrog-Art-Api')}")
        else:
            return False
        return True

    def _is_let_in(self) -> bool:
        asked = {"X-JFrog-Art-Api": self.shop.does.key}
        asked["Authorization"] = f"Bearer {self.shop.does.token}" if self.shop.does.token else self.shop.does.basic
        return all(self.headers.get(name) == value for name, value in asked.items() if value)

    def _storage(self, path: str, query: str) -> None:
        if path in self.shop.files:
            self._json(self._info(path, self.shop.files[path]))
        elif (children := self.shop.children(path)) is None:
            self._error(404, "Unable to find item")
        elif not query:
            said = [{"uri": f"/{name}", "folder": folder} for name, folder in children.items()]
            if not self.shop.does.children_say_folder:
                said = [{"uri": one["uri"]} for one in said]
            self._json({"repo": self.shop.repository, "path": f"/{path}", "children": said})
        elif not self.shop.does.pro:
            self._error(400, PRO)
        else:
            self._json({"uri": self.shop.url, "files": [self._entry(path, *child) for child in children.items()]})

    def _entry(self, folder: str, name: str, is_folder: bool) -> dict[str, Any]:
        as_text = self.shop.does.sizes_as_text
        if is_folder:
            return {
                "uri": f"/{name}",
                "size": -1,
                "lastModified": self.shop.date(datetime.now(UTC)),
                "folder": str(True).lower() if as_text else True,
            }
        row = self.shop._row("", f"{folder}/{name}".strip("/"), self.shop.files[f"{folder}/{name}".strip("/")])
        entry = {
            "uri": f"/{name}",
            "size": row["size"],
            "lastModified": row["modified"],
            "folder": "false" if as_text else False,
        }
        return entry | {"sha1": row["actual_sha1"]} | ({"sha2": row["sha256"]} if "sha256" in row else {})

    def _info(self, path: str, file: Kept) -> dict[str, Any]:
        row = self.shop._row(self.shop.repository, path, file)
        sums = {"sha1": row["actual_sha1"], "md5": row["actual_md5"]} | (
            {"sha256": row["sha256"]} if "sha256" in row else {}
        )
        dates = {"created": row["created"], "lastModified": row["modified"]}
        return {"repo": self.shop.repository, "path": f"/{path}", "size": str(row["size"]), "checksums": sums, **dates}

    def _content(self, path: str) -> None:
        does, file = self.shop.does, self.shop.files.get(path)
        if file is None or path in does.vanished:
            self._error(404, "Could not find resource")
        elif path in does.redirects:
            self._send(302, b"", "text/plain", {"Location": does.redirects[path]})
        elif path in does.login_page:
            self._send(200, LOGIN_PAGE, "text/html")
        elif path in does.endless_body:
            self._endless()
        else:
            sums = {f"X-Checksum-{name.capitalize()}": file.digest(name) for name in ("sha1", "md5")}
            sums["X-Checksum-Sha256"] = "0" * 64 if does.wrong_header else file.digest("sha256")
            sums["ETag"] = file.digest("sha1")
            cut = len(file.content) // 2 if path in does.short_body else None
            self._send(200, file.content, "application/x-gzip", sums, cut)

    def _endless(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(b"\0" * 65536)
        self.close_connection = True

    def _json(self, value: Any) -> None:
        self._send(200, json.dumps(value).encode(), "application/json")

    def _error(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        body = json.dumps({"errors": [{"status": status, "message": message}]}).encode()
        self._send(status, body, "application/json", headers)

    def _send(
        self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None, cut: int | None = None
    ) -> None:
        self.send_response(status)
        lines = {"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close"}
        lines |= {"X-JFrog-Version": "Artifactory/7.23.3 72303900", **(headers or {})}
        for name, value in lines.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body[:cut])
        self.close_connection = True
