"""The client library against a server of a few lines, which says what no healthy portal says on demand."""

import json
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from codesync import ApiError, Client, Unreachable
from codesync.retrying import Patience, seconds_of
from tests.architecture.sources import ROOT, modules, tree_of
from tests.cli.conftest import COMMAND, Terminal

pytestmark = pytest.mark.once


class Script:
    """Answers in order, the last for ever: (status, headers, body). Notes what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], object]] = []
        self.asked: list[tuple[str, str, bytes]] = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                script.asked.append((f"{self.command} {self.path}", self.headers.get("Authorization", ""), body))
                status, headers, said = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
                content = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = answer  # noqa: N815  # the names that http.server calls

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def script() -> Iterator[Script]:
    """A server that follows a script."""
    made = Script()
    running = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    running.start()
    yield made
    made.server.shutdown()
    running.join()
    made.server.server_close()


@pytest.fixture
def waited() -> list[float]:
    """The waits between attempts, which nobody sits through."""
    return []


@pytest.fixture
def portal(script: Script, waited: list[float]) -> Iterator[Client]:
    """A client that notes its waits."""
    with Client(script.url, "sk_live_one", patience=Patience(wait=waited.append)) as made:
        yield made


def refusal(status: int, **headers: str) -> tuple[int, dict[str, str], object]:
    said = {"error": f"It says {status}.", "statusCode": status, "details": {"why": ["so"]}}
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, said


def test_what_is_busy_is_asked_again_after_the_time_that_it_names(script: Script, portal: Client, waited: list[float]):
    script.answers = [refusal(429, Retry_After="7"), refusal(502), (200, {}, {"username": "alice"})]
    assert portal.me()["username"] == "alice"
    assert 7 <= waited[0] < 8
    assert 0 <= waited[1] < 1
    script.answers = [refusal(503, Retry_After="3600")]
    with pytest.raises(ApiError, match="It says 503") as refused:
        portal.me()
    assert (refused.value.retry_after, len(waited)) == (3600, 2)  # an hour is not sat through


def test_a_write_is_not_sent_twice_unless_the_portal_did_nothing(script: Script, portal: Client, tmp_path: Path):
    file = tmp_path / "big.tgz"
    file.write_bytes(b"x" * 700_000)
    script.answers = [refusal(500), (201, {}, {"name": "never"})]
    with pytest.raises(ApiError):
        portal.packages.publish(file, "signature")
    assert len(script.asked) == 1
    script.answers = [refusal(429, Retry_After="1"), (201, {}, {"name": "greet"})]
    assert portal.packages.publish(file, "signature")["name"] == "greet"
    first, second = (body for _, _, body in script.asked[1:])
    assert first == second
    assert first.count(b"x") == 700_000


def test_every_page_is_walked_and_names_stay_in_one_segment(script: Script, portal: Client):
    pages = [{"packages": [{"name": str(number)}], "pages": 3} for number in (1, 2, 3)]
    script.answers = [*((200, {}, page) for page in pages), refusal(404)]
    assert [one["name"] for one in portal.packages.search("x", limit=1)] == ["1", "2", "3"]
    with pytest.raises(ApiError) as refused:
        portal.packages.version("../../tokens", "1/../2?x")
    assert refused.value.details == {"why": ["so"]}
    assert script.asked[-1][0] == "GET /api/v1/packages/..%2F..%2Ftokens/versions/1%2F..%2F2%3Fx"


def test_the_successor_of_a_token_is_kept_before_it_is_used(script: Script):
    begun, soon, later = ((datetime.now(UTC) + timedelta(days=days)).isoformat() for days in (-88, 2, 92))
    script.answers = [
        (200, {}, {"credential": {"kind": "token", "id": "old", "expiresAt": soon}}),
        (200, {}, {"tokens": [{"id": "old", "createdAt": begun, "expiresAt": soon}]}),
        (201, {}, {"token": "sk_live_two", "id": "new", "createdAt": soon, "expiresAt": later}),
        (200, {}, {"tokens": []}),
    ]
    kept: list[str] = []
    with Client(script.url, "sk_live_one", on_rotation=lambda one: kept.append(one["token"])) as portal:
        portal.tokens.all()
        portal.tokens.all()
    asked = [(what.split()[1].removeprefix("/api/v1"), who.split()[-1]) for what, who, _ in script.asked]
    assert asked[:3] == [(path, "sk_live_one") for path in ("/me", "/tokens", "/tokens/old/rotate")]
    assert asked[3:] == [("/tokens", "sk_live_two")] * 2
    assert kept == ["sk_live_two"]


def test_what_is_no_portal_is_told_in_one_line(script: Script, portal: Client, tmp_path: Path):
    terminal = Terminal(tmp_path, {"CODESYNC_URL": script.url, "CODESYNC_TOKEN": "sk_live_one"})
    for answer in ((200, {}, b"<html>Welcome</html>"), (302, {"Location": "/sign-in"}, b""), (404, {}, b"Not here.")):
        script.answers = [answer]
        with pytest.raises(Unreachable, match="as no portal does"):
            portal.me()
    for said in ({"message": "Hello"}, {}):
        script.answers = [(200, {}, said)]
        done = terminal.run("whoami")
        assert (done.code, done.out, done.err.count("\n"), "Check the address" in done.err) == (7, "", 1, True), done


def test_half_a_download_leaves_nothing(script: Script, portal: Client, tmp_path: Path):
    script.answers = [(200, {"Content-Length": "9"}, b"half")]
    script.answers[0][1]["Connection"] = "close"
    with pytest.raises(Unreachable):
        portal.packages.download("greet", "1.0.0", tmp_path / "greet.tgz")
    assert list(tmp_path.iterdir()) == []


def test_retry_after_may_be_a_date():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert seconds_of("Thu, 01 Jan 2026 00:00:30 GMT", now) == 30
    assert [seconds_of(text, now) for text in ("Thu, 01 Jan 2020 00:00:30 GMT", "soon", "", None)] == [
        0,
        None,
        None,
        None,
    ]


def test_ctrl_c_ends_it_with_one_word(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        terminal = Terminal(tmp_path, {"CODESYNC_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"})
        child = subprocess.Popen(
            [*COMMAND, "whoami"], env=terminal.variables(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        asked, _ = silent.accept()
        with asked:
            asked.recv(10)  # it waits for an answer now
            child.send_signal(signal.SIGINT)
            assert (*child.communicate(timeout=60), child.returncode) == ("", "Interrupted.\n", 130)


def test_the_client_needs_no_django_and_nothing_of_the_portal():
    import ast

    allowed = {"codesync", "httpx", "rich", "typer"}
    foreign = set()
    for path in (one for one in modules("sdk") if one.is_relative_to(ROOT / "sdk" / "python")):
        for node in ast.walk(tree_of(path)):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            foreign |= {name.partition(".")[0] for name in names}
    import sys

    assert foreign - allowed - set(sys.stdlib_module_names) == set()
