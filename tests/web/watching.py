"""A real browser's page that notes what must not happen."""

from dataclasses import dataclass, field

from playwright.sync_api import Browser, BrowserContext, Page

PACKAGE = "/packages/npm/left-pad"
PATHS = ["/", "/packages", "/packages?search=pad", PACKAGE, f"{PACKAGE}?tab=versions", f"{PACKAGE}?tab=dependencies"]
PATHS += [f"{PACKAGE}?tab=security", f"{PACKAGE}?tab=files", f"{PACKAGE}?tab=activity", f"{PACKAGE}/versions/1.0.0"]
PATHS += ["/submit", "/profile", "/status"]


@dataclass
class Watched:
    """A page that notes what must not happen: errors, refusals by the policy, requests to other hosts."""

    page: Page
    host: str
    errors: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self._note(request.url))

    def _note(self, url: str) -> None:
        if not url.startswith((self.host, "data:", "about:")):
            self.elsewhere.append(url)

    def go(self, path: str) -> Page:
        self.page.goto(self.host + path)
        return self.page


def open_page(browser: Browser, live_server, person=None, **options) -> Watched:
    context: BrowserContext = browser.new_context(**options)
    context.set_default_timeout(10_000)
    if person is not None:
        from django.test import Client

        client = Client()
        client.force_login(person)
        session = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    return Watched(context.new_page(), live_server.url)
