"""The interactive description in a real browser, under the policy of all pages."""

import os

import pytest
from playwright.sync_api import expect, sync_playwright

from tests import tools

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]


def test_the_page_shows_every_operation_and_breaks_no_rule(live_server):
    errors: list[str] = []
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=tools.need("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{live_server.url}/api/docs")
        expect(page.locator("#operations-Packages-getPackage")).to_be_visible(timeout=20_000)
        page.locator("#operations-Packages-getPackage").click()
        expect(page.locator("#operations-Packages-getPackage .response").first).to_be_visible()
        assert page.locator(".opblock").count() >= 30
        browser.close()
    assert errors == []
