"""The JavaScript SDK in a browser, on a site that is not the portal."""

import functools
import http.server
import os
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import builders, tools
from tests.sdk.js.conftest import SDK

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
ASK = """async ([baseUrl, token]) => {
  const { CodeSync } = await import("/dist/esm/index.js");
  const portal = new CodeSync({ baseUrl, token, retries: { attempts: 1 } });
  try { return (await portal.me()).username ?? "nobody"; } catch (problem) { return `refused ${problem.statusCode}`; }
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files without a line for each."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    """Another origin, which serves the SDK's files."""
    serving = functools.partial(Quiet, directory=str(SDK))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serving) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=tools.need("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


def test_a_site_uses_the_portal_with_a_token_if_the_portal_names_it(browser, site, live_server, alice, settings):
    token = builders.token(alice, "read")
    page = browser.new_page()
    page.goto(f"{site}/README.md")
    assert page.evaluate(ASK, [live_server.url, token]) == "refused 0"
    settings.CORS_ALLOWED_ORIGINS = [site]
    assert page.evaluate(ASK, [live_server.url, token]) == "alice"
    assert page.evaluate(ASK, [live_server.url, token[:-1] + "x"]) == "refused 401"


def test_no_site_is_let_in_by_a_cookie(client, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://site.example"]
    for path in ("/v1/packages", "/api/v1/packages", "/product/access", "/health"):
        answer = client.get(path, headers={"Origin": "https://site.example"})
        assert answer["Access-Control-Allow-Origin"] == "https://site.example", path
        assert "Access-Control-Allow-Credentials" not in answer
    for path in ("/", "/tokens", "/npm/left-pad", "/admin/login/"):
        assert "Access-Control-Allow-Origin" not in client.get(path, headers={"Origin": "https://site.example"}), path
    assert "Access-Control-Allow-Origin" not in client.get("/v1/packages", headers={"Origin": "https://evil.example"})
