"""The admin in a real browser: decided by keyboard alone, no word from the console, every page on its screen."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.models import Release
from tests import builders, tools
from tests.admin import queue_rows
from tests.upstreams import pages as upstream_pages

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # playwright's own loop runs in the test's thread
pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
SHOTS = os.environ.get("SCREENSHOTS")


@pytest.fixture(scope="module")
def chromium() -> Iterator:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=tools.need("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def said() -> list[str]:
    """What the console said; nothing, at the end of every test."""
    return []


@pytest.fixture
def page(chromium, live_server, cast, said):
    """Bob's browser on the queue."""
    context = open_context(chromium, 1280, "light")
    page = watched(context, said)
    sign_in(page, live_server, "bob")
    yield page
    context.close()
    assert said == []


def open_context(chromium, width: int, theme: str, **options):
    height = 800 if width > 500 else 844
    return chromium.new_context(viewport={"width": width, "height": height}, color_scheme=theme, **options)


def watched(context, said: list[str]):
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return page


def sign_in(page, live_server, name: str) -> None:
    page.goto(f"{live_server}/admin/")
    page.fill("#id_username", name)
    page.fill("#id_password", builders.PASSWORD)
    page.press("#id_password", "Enter")
    page.wait_for_url("**/admin/")


def status(name: str) -> str:
    return Release.objects.filter(package__name=name).order_by("-submitted_at").first().status


def current(page) -> str:
    return page.evaluate("document.querySelector('tr.current .name')?.textContent.trim()")


def test_the_queue_is_emptied_by_keyboard_alone(page, cast, live_server):
    queue_rows.full_queue(cast)
    page.reload()
    page.keyboard.press("j")
    assert current(page) == "requests-toolbelt 1.0.0"
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert current(page) == "requests-toolbelt 1.0.0"
    page.keyboard.press("a")
    page.keyboard.type("Known and small.")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=requests-toolbelt 1.0.0 is approved")
    assert status("requests-toolbelt") == "approved"
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.inner_text("#decide-what") == "2 ticked"
    page.keyboard.press("r")
    page.keyboard.type("Not wanted here.")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=2 versions are rejected")
    assert (status("readline-tools"), status("lodahs")) == ("rejected", "rejected")


def test_escape_leaves_everything_as_it_was(page, cast):
    queue_rows.full_queue(cast)
    page.reload()
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.keyboard.press("Escape")
    assert page.evaluate("document.querySelectorAll('.queue tbody input:checked').length") == 0
    assert current(page) == "requests-toolbelt 1.0.0"
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/review/**")
    assert status("requests-toolbelt") == "pending"


def test_a_review_is_decided_by_keyboard_and_the_next_opens(page, cast, live_server):
    troubled = queue_rows.full_queue(cast)
    page.goto(f"{live_server}/admin/review/{troubled.pk}/")
    page.keyboard.press("r")
    page.keyboard.type("It runs a script.")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1 >> text=lodahs")
    assert status("@acme-utils/core") == "rejected"
    page.keyboard.press("a")
    assert page.evaluate("document.activeElement.id") == "override"
    page.keyboard.press("Space")
    page.keyboard.press("a")
    page.keyboard.type("It is ours.")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=lodahs 4.17.21 is approved")
    page.keyboard.press("u")
    page.wait_for_url("**/admin/")


def test_the_help_opens_and_closes(page, cast):
    queue_rows.full_queue(cast)
    page.reload()
    page.keyboard.press("?")
    assert page.is_visible("#keys")
    page.keyboard.press("j")
    assert current(page) is None
    page.keyboard.press("Escape")
    assert not page.is_visible("#keys")


def test_the_decision_stands_on_one_screen(page, cast, live_server):
    troubled = queue_rows.full_queue(cast)
    page.goto(f"{live_server}/admin/review/{troubled.pk}/")
    gravest = ".findings-table tbody tr >> nth=0"
    for selector in ("#approve", "#reject", "#live-checks", ".alarm", gravest, "#live-verdicts", "#diff-title"):
        box = page.locator(selector).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 800, selector
    assert page.evaluate("scrollY") == 0


def test_running_checks_refresh_themselves(page, cast, live_server):
    queue_rows.full_queue(cast)
    running = Release.objects.get(package__name="@acme-utils/queue")
    page.goto(f"{live_server}/admin/review/{running.pk}/")
    assert "3 of 8 done" in page.inner_text("#live-checks")
    running.checks.filter(name="signature").update(status="passed", summary="Signed by alice.")
    page.wait_for_selector("text=4 of 8 done")
    page.fill("#reason", "half a thought")
    running.checks.update(status="passed")
    page.wait_for_selector("text=all 8 done")
    assert page.input_value("#reason") == "half a thought"


def test_without_scripts_links_boxes_and_buttons_do(chromium, live_server, cast):
    queue_rows.full_queue(cast)
    context = open_context(chromium, 1280, "light", java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_server, "bob")
    page.get_by_label("Tick requests-toolbelt 1.0.0").check()
    page.get_by_role("button", name="Approve").click()
    assert "requests-toolbelt 1.0.0 is approved" in page.inner_text(".messages")
    page.get_by_label("Ecosystem").select_option("pypi")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name="readline-tools").click()
    page.get_by_label("Reason").fill("Not this license.")
    page.get_by_role("button", name="Reject").click()
    assert status("readline-tools") == "rejected"
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_fits_its_screen(chromium, live_server, cast, said, theme, width):
    troubled = queue_rows.full_queue(cast)
    context = open_context(chromium, width, theme)
    page = watched(context, said)
    sign_in(page, live_server, "root")
    paths = {
        "queue": "/admin/",
        "review": f"/admin/review/{troubled.pk}/",
        "tables": "/admin/tables/",
        "releases": "/admin/registry/release/",
        "release": f"/admin/registry/release/{troubled.pk}/change/",
        "person": f"/admin/accounts/user/{cast.bob.pk}/change/",
        "audit": "/admin/accounts/auditevent/",
        **upstream_pages.made(cast),
    }
    for name, path in paths.items():
        page.goto(f"{live_server}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"admin-{name}-{theme}-{width}.png", full_page=width < 500)
    context.close()
    assert said == []
