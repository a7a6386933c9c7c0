"""`npm login` by browser and by password, tokens and logout: who gets a token, once, and who does not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts import discretion, tokens, web_login
from accounts.models import ApiToken, AuditEvent, User, WebLogin
from tests import builders
from tests.accounts.test_second_factor import set_up, totp
from tests.builders import Cast
from tests.protocols.npm.conftest import Npm


@pytest.fixture
def browser(cast: Cast) -> Client:
    """Alice's, signed in, with forgery checks on."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice)
    return client


def begun(base: str = "/npm/") -> tuple[Npm, str, str]:
    """A terminal that has asked: the page for the person, and where it asks for the token."""
    terminal = Npm(base=base)
    answer = terminal.send("POST", "-/v1/login", {})
    assert answer.status_code == 200
    page, done = (answer.json()[one].removeprefix("http://testserver") for one in ("loginUrl", "doneUrl"))
    assert WebLogin.objects.get().code in answer["npm-notice"]
    return terminal, page, done.removeprefix(base)


def press(browser: Client, page: str, button: str = "confirm") -> Any:
    shown = browser.get(page)
    secret = shown.content.decode().partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    return browser.post(page, {button: "1", "csrfmiddlewaretoken": secret}, headers={"Referer": "http://testserver/"})


# --- by the browser -------------------------------------------------------------------------------------------------
def test_a_terminal_waits_until_a_person_confirms_and_gets_one_token_once(browser: Client, cast: Cast):
    terminal, page, done = begun()
    waiting = terminal.ask(done)
    assert (waiting.status_code, waiting["Retry-After"]) == (202, "2")
    assert WebLogin.objects.get().code in browser.get(page).content.decode()
    assert press(browser, page).status_code == 200

    assert terminal.head("/npm/" + done).status_code == 405  # which would lose the token
    raw = terminal.ask(done).json()["token"]
    token = tokens.resolve(raw)
    assert token is not None
    assert (token.user, token.scopes, token.project) == (cast.alice, ["publish", "read"], None)
    assert (token.expires_at - token.created_at).days == 90
    assert Npm(raw).ask("-/whoami").json() == {"username": "alice"}
    assert terminal.ask(done).status_code == 404
    assert press(browser, page).status_code == 404
    assert {"terminal.confirmed", "token.issued"} <= set(AuditEvent.objects.values_list("action", flat=True))


def test_nothing_happens_without_the_button_and_its_secret(browser: Client):
    terminal, page, done = begun()
    assert browser.get(page).status_code == 200
    assert browser.head(page).status_code == 200
    assert browser.post(page, {"confirm": "1"}).status_code == 403
    assert Client().get(page)["Location"].startswith("/sign-in?next=%2Fsign-in%2Fterminal%2F")
    assert (
        Client(headers=builders.bearer(builders.token(User.objects.get(username="bob")))).get(page).status_code == 302
    )
    assert terminal.ask(done).status_code == 202


def test_who_is_sent_away_gets_nothing(browser: Client):
    terminal, page, done = begun()
    assert press(browser, page, "refuse").status_code == 200
    assert terminal.ask(done).status_code == 404
    assert not ApiToken.objects.exists()


def test_it_ends_after_ten_minutes_confirmed_or_not_and_leaves_no_row(browser: Client):
    terminal, page, done = begun()
    press(browser, page)
    WebLogin.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert terminal.ask(done).status_code == 404
    assert browser.get(page).status_code == 404
    web_login.begin("192.0.2.1")
    assert WebLogin.objects.count() == 1
    assert not ApiToken.objects.exists()


def test_the_address_of_the_page_takes_no_token_and_the_other_one_confirms_nothing(browser: Client):
    terminal, page, done = begun()
    press(browser, page)
    guess = page.rpartition("/")[2]
    assert terminal.ask(f"-/v1/done/{guess}").status_code == 404
    assert WebLogin.objects.get().digest not in done
    assert done not in discretion.discreet(f"GET /npm/{done} 200")


def test_the_base_of_a_project_binds_the_token_and_opens_nothing_to_others(browser: Client, cast: Cast):
    terminal, page, done = begun("/npm/acme/")
    press(browser, page)
    raw = terminal.ask(done).json()["token"]
    assert ApiToken.objects.get(digest=tokens.digest_of(raw)).project == cast.acme
    WebLogin.objects.all().delete()
    for base in ("/npm/elsewhere/", "/npm/no-such-project/"):
        terminal, page, done = begun(base)
        assert press(browser, page).status_code == 403
        assert terminal.ask(done).status_code == 202
        WebLogin.objects.all().delete()


def test_who_left_meanwhile_gets_nothing(browser: Client, cast: Cast):
    terminal, page, done = begun()
    press(browser, page)
    User.objects.filter(pk=cast.alice.pk).update(is_active=False)
    assert terminal.ask(done).status_code == 404


# --- by name and password -------------------------------------------------------------------------------------------
def sign_in(name: str, password: str = builders.PASSWORD, base: str = "/npm/", **headers: str) -> Any:
    body = {"_id": f"org.couchdb.user:{name}", "name": name, "password": password, "type": "user", "roles": []}
    return Npm(base=base).send("PUT", f"-/user/org.couchdb.user:{name}", body, **headers)


def test_a_password_gets_a_token_and_a_wrong_one_does_not(cast: Cast):
    answer = sign_in("alice", base="/npm/acme/")
    assert answer.status_code == 201, answer.json()
    token = tokens.resolve(answer.json()["token"])
    assert token is not None
    assert (token.user, token.project, token.scopes) == (cast.alice, cast.acme, ["publish", "read"])
    wrong, unknown = sign_in("alice", "wrong"), sign_in("nobody-here", "wrong")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.json() == unknown.json()
    assert sign_in("alice", base="/npm/elsewhere/").status_code == 403
    assert Npm().send("PUT", "-/user/org.couchdb.user:alice", {"name": "bob", "password": "x"}).status_code == 400
    assert Npm().send("PUT", "-/user/org.couchdb.user:alice", {"name": "alice"}).status_code == 400


def test_after_too_many_tries_the_right_password_does_not_help_either(cast: Cast):
    with time_machine.travel(datetime.now(UTC).replace(minute=5), tick=False):  # no quarter of an hour ends there
        assert {sign_in("alice", "wrong").status_code for _try in range(10)} == {401}
        assert sign_in("alice").status_code == 401
        assert sign_in("bob").status_code == 201
        browser = Client()
        browser.post("/sign-in", {"username": "alice", "password": builders.PASSWORD})
        assert "_auth_user_id" not in browser.session  # one limit for every way in
    assert AuditEvent.objects.filter(action="session.refused").count() >= 10


def test_a_second_factor_is_asked_for_in_the_way_that_npm_knows(cast: Cast):
    browser = Client()
    browser.force_login(cast.alice)
    phone, paper = set_up(browser)
    used = totp(phone.secret, phone.step)

    asked = sign_in("alice")
    assert (asked.status_code, asked["WWW-Authenticate"]) == (401, "OTP")
    assert "one-time pass" in asked.json()["error"]
    assert sign_in("alice", "wrong")["WWW-Authenticate"] == "Bearer"
    again = sign_in("alice", **{"npm-otp": used})
    assert (again.status_code, again["WWW-Authenticate"]) == (401, "OTP")
    raw = sign_in("alice", **{"npm-otp": paper[0]}).json()["token"]
    assert Npm(raw).ask("-/npm/v1/user").json()["tfa"] == {"pending": False, "mode": "auth-only"}
    made = {"password": builders.PASSWORD}
    assert Npm(raw).send("POST", "-/npm/v1/tokens", made)["WWW-Authenticate"] == "OTP"
    assert Npm(raw).send("POST", "-/npm/v1/tokens", made, **{"npm-otp": paper[1]}).status_code == 201


def test_who_must_have_a_second_factor_and_has_none_signs_in_as_a_developer(cast: Cast, settings):
    settings.MFA_REQUIRED_ROLES = ["admin"]
    raw = sign_in("root").json()["token"]
    assert ApiToken.objects.get(digest=tokens.digest_of(raw)).scopes == ["publish", "read"]


# --- tokens ---------------------------------------------------------------------------------------------------------
def test_tokens_are_listed_without_values_made_with_the_password_and_revoked(cast: Cast):
    raw = builders.token(cast.alice, "read", name="ci")
    builders.token(cast.mallory, "read", name="hers")
    client = Npm(raw)
    one = client.ask("-/npm/v1/tokens").json()["objects"]
    assert [(row["name"], row["readonly"], raw.startswith(row["token"])) for row in one] == [("ci", True, True)]
    assert raw not in client.ask("-/npm/v1/tokens").content.decode()

    assert client.send("POST", "-/npm/v1/tokens", {"password": "wrong"}).status_code == 401
    made = client.send("POST", "-/npm/v1/tokens", {"password": builders.PASSWORD, "readonly": True, "expires": 7})
    assert made.status_code == 201, made.json()
    token = tokens.resolve(made.json()["token"])
    assert token is not None
    assert (token.scopes, (token.expires_at - token.created_at).days) == (["read"], 7)
    for more in ({"cidr_whitelist": ["10.0.0.0/8"]}, {"packages": ["x"]}, {"bypass_2fa": True}, {"expires": 999}):
        assert client.send("POST", "-/npm/v1/tokens", {"password": builders.PASSWORD, **more}).status_code == 400, more

    theirs = ApiToken.objects.get(name="hers")
    assert client.send("DELETE", f"-/npm/v1/tokens/token/{theirs.pk}").status_code == 404
    assert client.send("DELETE", f"-/npm/v1/tokens/token/{token.pk}").status_code == 204
    assert tokens.resolve(made.json()["token"]) is None
    assert client.send("DELETE", f"-/npm/v1/tokens/token/{token.pk}").status_code == 404


def test_a_bound_token_makes_bound_ones(cast: Cast):
    client = Npm(builders.token(cast.alice, "read", project=cast.acme))
    raw = client.send("POST", "-/npm/v1/tokens", {"password": builders.PASSWORD}).json()["token"]
    assert ApiToken.objects.get(digest=tokens.digest_of(raw)).project == cast.acme


def test_a_logout_ends_the_token_and_no_log_or_event_keeps_it(cast: Cast):
    raw, other = builders.token(cast.alice, "read"), builders.token(cast.mallory, "read")
    path = f"-/user/token/{raw}"
    assert Npm(other).send("DELETE", path).status_code == 404
    assert Npm().send("DELETE", path).status_code == 401
    assert Npm(raw).send("DELETE", path).status_code == 200
    assert Npm(raw).ask("-/whoami").status_code == 401
    assert not AuditEvent.objects.filter(object__contains=raw).exists()
    assert raw not in discretion.discreet(f"DELETE /npm/{path}")


def test_profiles_are_ones_own(cast: Cast, nobody: Npm):
    found = Npm(builders.token(cast.alice, "read")).ask("-/npm/v1/user").json()
    assert (found["name"], found["email"], found["tfa"]) == ("alice", "alice@example.com", False)
    assert {nobody.ask(path).status_code for path in ("-/npm/v1/user", "-/npm/v1/tokens")} == {401}
