"""The catalogue in a real browser: no error, no request elsewhere, every step by keyboard, and without scripts."""

import os
from pathlib import Path

import pytest

from registry.models import Package, ReleaseManifest
from tests import builders
from tests.web.readme_payloads import EVERYTHING
from tests.web.watching import PACKAGE, PATHS, open_page

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
FILE = "/api/v1/packages/left-pad/versions/1.0.0/files/left-pad-1.0.0.tgz"
ALBUM = os.environ.get("SCREENSHOTS")  # a folder: keep a picture of every page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_pages_load_without_errors_and_fit_the_window(browser, live_server, left_pad, alice, scheme, width):
    watched = open_page(browser, live_server, alice, color_scheme=scheme, viewport={"width": width, "height": 844})
    for path in PATHS:
        page = watched.go(path)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        if ALBUM:
            name = path.strip("/").replace("/", "-").replace("?", "-") or "home"
            page.screenshot(path=Path(ALBUM) / f"catalogue-{name}-{scheme}-{width}.png", full_page=True)
    assert watched.errors == []
    assert watched.elsewhere == []


CONTRAST = """() => {
  const channel = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const rgba = (text) => { const c = document.createElement("canvas"); c.width = c.height = 1;
    const d = c.getContext("2d"); d.fillStyle = text; d.fillRect(0, 0, 1, 1);
    return [...d.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ground = (node) => { for (; node; node = node.parentElement) {
    const c = rgba(getComputedStyle(node).backgroundColor); if (c[3] > 0) return c; } return rgba("Canvas"); };
  const low = [];
  for (const node of document.querySelectorAll("body *")) {
    if (![...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim())) continue;
    if (!node.checkVisibility() || node.closest(".visually-hidden, .skip, option")) continue;
    const style = getComputedStyle(node);
    const [a, b] = [light(rgba(style.color)), light(ground(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const large = parseFloat(style.fontSize) >= 24;
    if (ratio < (large ? 3 : 4.5)) low.push(`${ratio.toFixed(2)} ${node.outerHTML.slice(0, 90)}`);
  }
  return low;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_enough_contrast(browser, live_server, left_pad, alice, scheme):
    builders.submitted(alice, "is-odd", "3.0.1")
    watched = open_page(browser, live_server, alice, color_scheme=scheme)
    for path in [*PATHS, "/packages/npm/is-odd"]:
        assert watched.go(path).evaluate(CONTRAST) == [], path


NAMELESS = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
  .filter((node) => node.type !== "hidden")
  .filter((node) => node.checkVisibility())
  .filter((node) => !(node.innerText || node.getAttribute("aria-label") || node.labels?.length
    || node.querySelector(".visually-hidden")))
  .map((node) => node.outerHTML.slice(0, 120))"""


def test_everything_that_can_be_used_has_a_name(browser, live_server, left_pad, alice):
    watched = open_page(browser, live_server, alice)
    for path in PATHS:
        assert watched.go(path).evaluate(NAMELESS) == [], path


def test_the_whole_way_from_search_to_install_line_by_keyboard(browser, live_server, left_pad):
    watched = open_page(browser, live_server)
    page = watched.go("/")
    assert page.evaluate("document.activeElement.name") == "search"
    page.keyboard.type("left-pad")
    page.keyboard.press("Enter")
    page.wait_for_url("**/packages?search=left-pad")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").startswith("left-pad"):
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none", "the focus must be seen"
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{PACKAGE}")
    page.get_by_label("npm", exact=True).focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".command:visible code").inner_text() == f"pnpm add {live_server.url}{FILE}"
    assert watched.errors == []


def test_the_install_client_and_the_theme_are_remembered(browser, live_server, left_pad):
    watched = open_page(browser, live_server, color_scheme="light")
    page = watched.go(PACKAGE)
    page.get_by_text("Yarn", exact=True).click()
    page.locator("[data-theme-switch]").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 20, 21)"
    watched.go(PACKAGE)
    assert page.locator(".command:visible code").inner_text() == f"yarn add left-pad@{live_server.url}{FILE}"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 20, 21)"
    assert watched.errors == []


def test_the_copy_button_copies_and_says_so(browser, live_server, left_pad):
    watched = open_page(browser, live_server, permissions=["clipboard-read", "clipboard-write"])
    page = watched.go(PACKAGE)
    page.locator(".command:visible .copy").click()
    page.wait_for_function("document.getElementById('said').textContent === 'Copied.'")
    assert page.evaluate("navigator.clipboard.readText()") == f"npm install {live_server.url}{FILE}"


def test_everything_works_without_scripts(browser, live_server, left_pad, alice):
    watched = open_page(browser, live_server, alice, java_script_enabled=False)
    page = watched.go("/packages")
    page.get_by_label("Sort by").select_option("-downloads")
    page.get_by_role("button", name="Sort").click()
    assert "ordering=-downloads" in page.url
    page.locator(".row a.name").first.click()
    assert page.locator(".command:visible code").inner_text() == f"npm install {live_server.url}{FILE}"
    page.locator(".install label", has_text="pnpm").click()
    assert page.locator(".command:visible code").inner_text() == f"pnpm add {live_server.url}{FILE}"
    assert page.locator(".copy:visible").count() == 0
    page.get_by_role("link", name="Versions").click()
    page.get_by_role("link", name="1.0.0", exact=True).click()
    assert page.locator("h2", has_text="Decision record").is_visible()
    watched.go("/submit")
    page.get_by_label("Name").fill("is-odd")
    page.get_by_label("Version").fill("3.0.1")
    page.get_by_role("button", name="Submit for review").click()
    assert page.locator("text=Submitted. The checks are running").is_visible()


def test_progress_refreshes_itself_until_the_checks_are_done(browser, live_server, alice):
    from registry import tasks

    builders.submitted(alice, "is-odd", "3.0.1")
    watched = open_page(browser, live_server, alice)
    page = watched.go("/packages/npm/is-odd/versions/3.0.1")
    assert page.get_by_text("0 of 8 checks done").is_visible()
    tasks.drain()
    page.wait_for_selector("[data-refresh]", state="detached")
    assert page.locator("progress").count() == 0
    assert watched.errors == []


@pytest.mark.slow
def test_no_hostile_readme_runs_or_reaches_out(browser, live_server, left_pad):
    """Each payload on a real package page; click targets are clicked, focusable things focused."""
    watched = open_page(browser, live_server)
    manifest = ReleaseManifest.objects.get(release=left_pad)
    for text, form in EVERYTHING:
        manifest.readme, manifest.readme_format = text or "x", form
        manifest.save()
        page = watched.go(PACKAGE)
        for link in page.locator(".readme a:not([href^=http]):not([href^=mailto])").all():
            link.click(no_wait_after=True)
        page.locator(".readme *").evaluate_all("nodes => nodes.forEach((node) => { node.focus?.(); })")
        page.locator(".readme *").evaluate_all(
            "nodes => nodes.forEach((node) => node.dispatchEvent(new MouseEvent('mouseover', {bubbles: true})))"
        )
        assert page.evaluate("window.__hit") is None, (text, form)
        assert page.url.startswith(live_server.url), (text, form)
    assert watched.elsewhere == []
    assert watched.errors == []


def test_facts_that_packages_state_about_themselves_cannot_run(browser, live_server, left_pad):
    evil = '"><img src=x onerror=window.__hit=1><script>window.__hit=1</script>'
    Package.objects.update(description=evil, homepage=f"javascript:{evil}", repository="javascript:window.__hit=1",
                           keywords=[evil], license=evil[:250])  # fmt: skip
    watched = open_page(browser, live_server)
    for path in ("/", "/packages", PACKAGE, f"{PACKAGE}/versions/1.0.0"):
        page = watched.go(path)
        assert page.evaluate("window.__hit") is None
        assert page.locator("a[href^='javascript:']").count() == 0
    assert watched.errors == []
