"""The pictures of the documents, taken from a running demo.

`python -m tests.end_to_end.pictures ADDRESS PASSWORD`, and the names of pictures if only some are wanted.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

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
    ("findings", "/packages/pypi/urllib3?tab=security#section", "light", WIDE),
    ("findings-dark", "/packages/pypi/urllib3?tab=security#section", "dark", WIDE),
    ("security", "/admin/security/", "light", WIDE),
    ("security-dark", "/admin/security/", "dark", WIDE),
    ("token-once", "token:CI of the web shop", "light", WIDE),
    ("tokens", "/profile/tokens", "light", WIDE),
    ("tokens-dark", "/profile/tokens", "dark", WIDE),
    ("tokens-phone", "/profile/tokens", "light", PHONE),
    ("signing-keys", "key:laptop", "light", WIDE),
    ("signing-keys-phone", "/profile/keys", "light", PHONE),
    ("projects", "/profile/projects", "light", WIDE),
    ("privacy", "/profile/privacy", "light", WIDE),
    ("status", "/status", "light", WIDE),
    ("status-dark", "/status", "dark", WIDE),
    ("status-phone", "/status", "light", PHONE),
    ("status-degraded", "/status", "light", WIDE),
)
BY_NAME_ALONE = {"status-degraded"}  # after somebody has taken a region away: put a file in the place of its directory


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


def open_review(page: Page, address: str, package: str) -> None:
    """The review page of what waits in the queue under that name."""
    page.goto(f"{address}/admin/")
    page.get_by_role("link", name=package).first.click()


def make_token(page: Page, address: str, name: str) -> None:
    """The page that shows a new token, the only time."""
    page.goto(f"{address}/profile/tokens")
    page.fill("#id_name", name)
    for scope in ("read", "publish"):
        page.check(f"input[name=scopes][value={scope}]")
    page.click("form.card button[type=submit]")


def add_key(page: Page, address: str, name: str) -> None:
    """The page of signing keys with a fresh one."""
    page.goto(f"{address}/profile/keys")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
        page.fill("#id_public_key", path.with_suffix(".pub").read_text())
    page.fill("#id_name", name)
    page.click("form.card button[type=submit]")


STEPS = {"review": open_review, "token": make_token, "key": add_key}


def take(page: Page, address: str, where: str, name: str) -> None:
    """One picture of what fits on the screen."""
    step, _colon, what = where.partition(":")
    if step in STEPS:
        STEPS[step](page, address, what)
    else:
        page.goto(address + where)
    page.wait_for_load_state("networkidle")
    path = FOLDER / f"{name}.png"
    page.screenshot(path=path)
    print(f"{path.name} {path.stat().st_size // 1024} kB")


def main(address: str, password: str, *names: str) -> None:
    """Take them all, or those of the names."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = [one for one in PAGES if one[0] in names or (not names and one[0] not in BY_NAME_ALONE)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=tools.need("chromium"), args=["--no-sandbox"])
        session = sign_in(browser, address, password)
        for name, where, scheme, size in wanted:
            seen_by = None if where == "/status" else session  # strangers are not told how a region fails
            context = browser.new_context(color_scheme=scheme, viewport=size, storage_state=seen_by)
            take(context.new_page(), address, where, name)
            context.close()
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
