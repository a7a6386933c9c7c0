"""The way to GitHub and back, step by step, as a browser without JavaScript goes it."""

import re
from html import unescape
from http.client import HTTPConnection
from urllib.parse import parse_qs, urlencode, urlsplit

from allauth.socialaccount.models import SocialAccount
from django.test import Client

from accounts.models import AuditEvent, User
from tests.builders import PASSWORD


def leave(browser: Client, start: str = "/sign-in/github", **form: str) -> str:
    """Press the button; the address that the page leads to."""
    page = browser.post(start, form)
    assert page.status_code == 200, page
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page.content.decode())
    assert found
    return unescape(found[1])


def say_yes(address: str) -> str:
    """Follow to the provider, who asks the person and sends them back; where to."""
    parts = urlsplit(address)
    connection = HTTPConnection(parts.netloc)
    connection.request("GET", f"{parts.path}?{parts.query}")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 302, answer.status
    return answer.headers["Location"]


def arrive(browser: Client, address: str):
    """Come back as the browser does."""
    parts = urlsplit(address)
    return browser.get(f"{parts.path}?{parts.query}")


def walk(browser: Client, start: str = "/sign-in/github", **form: str):
    """The whole way."""
    return arrive(browser, say_yes(leave(browser, start, **form)))


def with_code(browser: Client, code: str):
    """A flow of the browser's own, with a code from elsewhere put into its return."""
    state = parse_qs(urlsplit(leave(browser)).query)["state"][0]
    return browser.get(f"/sign-in/github/callback?{urlencode({'code': code, 'state': state})}")


def who(browser: Client) -> str:
    """Whose session the browser has; "" for nobody."""
    found = browser.session.get("_auth_user_id")
    return User.objects.get(pk=found).username if found else ""


def signed_in(person: User) -> Client:
    browser = Client()
    assert browser.login(username=person.username, password=PASSWORD)
    return browser


def is_turned_away(browser: Client, answer) -> None:
    """Nobody is signed in, nobody was made or linked, the trail tells of it, and the person is told what to do."""
    assert (answer.status_code, answer.url) == (302, "/sign-in")
    assert who(browser) == ""
    assert not SocialAccount.objects.exists()
    assert AuditEvent.objects.order_by("-seq").first().action == "session.refused"
    assert "message--" in browser.get("/sign-in").content.decode()
