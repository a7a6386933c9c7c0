"""The pictures of the documents, taken from a running demo: `python -m tests.end_to_end.pictures ADDRESS PASSWORD`."""

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, StorageState, sync_playwright

from tests import tools

FOLDER = Path(__file__).resolve().parent.parent.parent / "docs" / "screenshots"
WIDE, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
PAGES = (
    ("queue", "/admin/", "light", WIDE),
    ("queue-dark", "/admin/", "dark", WIDE),
    ("queue-phone", "/admin/", "light", PHONE),
    ("review", "review:semver", "light", WIDE),
    ("review-dark", "review:semver", "dark", WIDE),
    ("review-phone", "review:semver", "light", PHONE),
    ("catalogue", "/packages", "light", WIDE),
    ("catalogue-dark", "/packages", "dark", WIDE),
    ("catalogue-phone", "/packages", "light", PHONE),
    ("package", "/packages/npm/is-number", "light", WIDE),
    ("package-dark", "/packages/npm/is-number", "dark", WIDE),
    ("package-phone", "/packages/npm/is-number", "light", PHONE),
    ("held", "/packages/npm/qs", "light", WIDE),
)


def sign_in(browser: Browser, address: str, password: str) -> StorageState:
    """The admin's session, to be shared by all pages."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}/sign-in?next=/admin/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", password)
    page.click("main button[type=submit]")
    page.wait_for_url(f"{address}/admin/")
    return context.storage_state()


def take(page: Page, address: str, where: str, name: str) -> None:
    """One picture of what fits on the screen."""
    if where.startswith("review:"):
        page.goto(f"{address}/admin/")
        page.get_by_role("link", name=where.partition(":")[2]).first.click()
    else:
        page.goto(address + where)
    page.wait_for_load_state("networkidle")
    path = FOLDER / f"{name}.png"
    page.screenshot(path=path)
    print(f"{path.name} {path.stat().st_size // 1024} kB")


def main(address: str, password: str) -> None:
    """Take them all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=tools.need("chromium"), args=["--no-sandbox"])
        session = sign_in(browser, address, password)
        for name, where, scheme, size in PAGES:
            context = browser.new_context(color_scheme=scheme, viewport=size, storage_state=session)
            take(context.new_page(), address, where, name)
            context.close()
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:3])
