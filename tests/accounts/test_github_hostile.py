"""Whatever comes back from GitHub's address, nobody is signed in as somebody else, and nothing breaks."""

from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from accounts.models import AuditEvent, User
from tests.accounts.identity_provider import email, hangs_up, raw, silent
from tests.accounts.walking_to_github import arrive, is_turned_away, leave, say_yes, signed_in, walk, who, with_code

pytestmark = pytest.mark.django_db
TOKEN, USER, EMAILS = "/login/oauth/access_token", "/api/v3/user", "/api/v3/user/emails"


def test_without_a_state_nobody_gets_in(provider, cast):
    browser = Client()
    back = urlsplit(say_yes(leave(browser)))
    code = dict(parse_qsl(back.query))["code"]
    is_turned_away(browser, browser.get(f"{back.path}?code={code}"))
    is_turned_away(browser, browser.get(f"{back.path}?code={code}&state="))
    is_turned_away(browser, browser.get(f"{back.path}?code={code}&state=%00"))
    assert provider.asked == []


def test_a_state_of_another_session_is_worth_nothing(provider, cast):
    """An attacker has his own code and state ready and makes the victim open the address."""
    lure = say_yes(leave(Client()))
    victim = Client()
    leave(victim)
    is_turned_away(victim, arrive(victim, lure))
    assert provider.asked == []


def test_a_state_is_good_for_once(provider, cast):
    browser = Client()
    back = say_yes(leave(browser))
    assert arrive(browser, back).url == "/"
    browser.post("/sign-out")
    answer = arrive(browser, back)
    assert (answer.url, who(browser)) == ("/sign-in", "")
    answer = arrive(Client(), back)
    assert answer.url == "/sign-in"


def test_a_code_is_good_for_once(provider, cast):
    thief, owner = Client(), Client()
    back = say_yes(leave(owner))
    arrive(owner, back)
    code = dict(parse_qsl(urlsplit(back).query))["code"]
    SocialAccount.objects.all().delete()
    is_turned_away(thief, with_code(thief, code))


def test_a_stolen_code_is_worth_nothing_without_the_verifier_of_its_challenge(provider, cast):
    """The code never reached the portal; the thief puts it into a flow of his own."""
    stolen = dict(parse_qsl(urlsplit(say_yes(leave(Client()))).query))["code"]
    thief = Client()
    is_turned_away(thief, with_code(thief, stolen))
    assert provider.asked == [TOKEN]


def test_a_code_of_another_client_is_worth_nothing(provider, cast):
    provider.clients["evil"] = ("known to evil", "https://evil.example/callback")
    browser = Client()
    sent = dict(parse_qsl(urlsplit(leave(browser)).query))
    theirs = {**sent, "client_id": "evil", "redirect_uri": "https://evil.example/callback"}
    back = say_yes(f"{provider.url}/login/oauth/authorize?{urlencode(theirs)}")
    code = dict(parse_qsl(urlsplit(back).query))["code"]
    is_turned_away(
        browser, browser.get(f"/sign-in/github/callback?{urlencode({'code': code, 'state': sent['state']})}")
    )


def test_the_provider_sends_nobody_to_another_address_than_the_one_agreed(provider, cast, settings):
    settings.PUBLIC_URL = "https://elsewhere.example"
    browser = Client()
    address = leave(browser)
    assert parse_qs(urlsplit(address).query)["redirect_uri"] == ["https://elsewhere.example/sign-in/github/callback"]
    with pytest.raises(AssertionError, match="400"):
        say_yes(address)
    settings.PUBLIC_URL = ""
    back = say_yes(leave(browser))
    settings.PUBLIC_URL = "https://elsewhere.example"  # the second step names another address than the first
    is_turned_away(browser, arrive(browser, back))


def test_somebody_elses_address_opens_nothing_of_theirs(provider, alice, root):
    """Verified or not: an e-mail address is no proof of being the person here."""
    for number, address, verified in ((1, alice.email, True), (2, root.email.upper(), True), (3, root.email, False)):
        provider.person = {"id": number, "login": f"stranger{number}"}
        provider.emails = [email(address, verified=verified)]
        browser = Client()
        walk(browser)
        assert who(browser) == f"stranger{number}"
    assert not SocialAccount.objects.filter(user__in=(alice, root)).exists()
    assert User.objects.get(username="stranger3").email == ""
    assert set(User.objects.filter(username__startswith="stranger").values_list("role", flat=True)) == {"developer"}


@pytest.mark.parametrize(
    "emails",
    [
        {"message": "Not Found"},
        [],
        ["mona@example.org"],
        [email("mona@example.org", verified=False)],
        [email("mona@example.org", primary=False)],
        [{"email": "mona@example.org", "verified": "true", "primary": "true"}],
        [email("not an address")],
        [email("a" * 250 + "@example.org")],
        [{"email": 7, "verified": True, "primary": True}],
    ],
)
def test_an_address_that_is_not_surely_theirs_is_not_kept(provider, emails):
    provider.emails = emails
    browser = Client()
    walk(browser)
    assert who(browser) == "mona"
    assert User.objects.get(username="mona").email == ""


@pytest.mark.parametrize(
    "person",
    [
        {"login": "mona"},
        {"id": "583231", "login": "mona"},
        {"id": True, "login": "mona"},
        {"id": 0, "login": "mona"},
        {"id": -5, "login": "mona"},
        {"id": 583231.0, "login": "mona"},
        {"id": 2**80, "login": "mona"},
        {"id": None, "login": "mona"},
        {"id": [583231], "login": "mona"},
        {"id": 583231},
        {"id": 583231, "login": ""},
        {"id": 583231, "login": 5},
        {"id": 583231, "login": "mo\x00na"},
        {"id": 583231, "login": "m" * 5000},
    ],
)
def test_a_profile_without_a_number_and_a_name_is_nobody(provider, cast, person):
    provider.person = person
    browser = Client()
    is_turned_away(browser, walk(browser))
    assert User.objects.count() == 4


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        (TOKEN, 500, b"{}"),
        (TOKEN, 200, b"<html>"),
        (TOKEN, 200, b""),
        (TOKEN, 200, b"\xff\xfe{"),
        (TOKEN, 200, b"[]"),
        (TOKEN, 200, b'"access_token"'),
        (TOKEN, 200, b'{"access_token": ""}'),
        (TOKEN, 200, b'{"access_token": 5}'),
        (TOKEN, 200, b'{"access_token": {"a": 1}}'),
        (TOKEN, 200, b'{"access_token": "a\\r\\nX-Evil: 1"}'),
        (TOKEN, 200, b'{"access_token": "\\u00fc"}'),
        (TOKEN, 200, b"access_token=gho_form"),
        (TOKEN, 200, b"[" * 200_000),
        (TOKEN, 200, b'{"access_token": "' + b"a" * 2_000_000 + b'"}'),
        (USER, 500, b"{}"),
        (USER, 403, b'{"message": "rate limited"}'),
        (USER, 200, b"[]"),
        (USER, 200, b"null"),
        (USER, 200, b"nonsense"),
        (USER, 200, b'{"id": 1e400, "login": "mona"}'),
        (USER, 200, b'{"id": NaN, "login": "mona"}'),
        (USER, 200, b'{"id": 1, "login": "mona", "bio": "' + b"a" * 2_000_000 + b'"}'),
    ],
)
def test_nothing_the_provider_answers_breaks_the_portal(provider, cast, path, status, body):
    provider.answers[path] = raw(status, body)
    browser = Client(raise_request_exception=True)
    is_turned_away(browser, walk(browser))


def test_redirects_silence_and_hanging_up_are_no_answers(provider, cast, settings):
    settings.GITHUB_TIMEOUT_SECONDS = 0.2
    elsewhere = raw(302, b"", Location=f"{provider.url}/elsewhere")
    for path in (TOKEN, USER):
        for hostile in (elsewhere, hangs_up, silent(provider)):
            provider.answers = {path: hostile}
            browser = Client()
            is_turned_away(browser, walk(browser))
    assert "/elsewhere" not in provider.asked


def test_who_says_no_is_told_that_nothing_has_changed(provider, cast):
    provider.denies = True
    browser = Client()
    is_turned_away(browser, walk(browser))
    assert AuditEvent.objects.order_by("-seq").first().details == {"by": "github", "reason": "cancelled"}
    for query in ("error=server_error", "error=access_denied", ""):
        state = parse_qs(urlsplit(leave(browser)).query)["state"][0]
        is_turned_away(browser, browser.get(f"/sign-in/github/callback?state={state}&{query}"))


def test_one_address_makes_the_portal_ask_so_often_and_no_more(provider, cast):
    browser = Client()
    for _ in range(40):
        browser.get("/sign-in/github/callback?state=none&code=none")
    is_turned_away(browser, walk(browser))
    assert provider.asked == []


def test_a_closed_account_stays_closed(provider):
    walk(Client())
    User.objects.filter(username="mona").update(is_active=False)
    browser = Client()
    answer = walk(browser)
    assert (answer.url, who(browser)) == ("/sign-in", "")
    assert AuditEvent.objects.order_by("-seq").first().details["code"] == "account_closed"


def test_without_credentials_there_is_no_button_and_no_route(client, alice, settings):
    settings.GITHUB_CLIENT_ID, settings.GITHUB_CLIENT_SECRET = "portal", ""
    assert "GitHub" not in client.get("/sign-in").content.decode()
    browser = signed_in(alice)
    assert "GitHub" not in browser.get("/profile/security").content.decode()
    for answer in (
        client.post("/sign-in/github"),
        client.get("/sign-in/github/callback?code=a&state=b"),
        browser.post("/profile/security/github"),
    ):
        assert answer.status_code == 404


def test_a_link_cannot_begin_it(provider, client, alice):
    assert client.get("/sign-in/github").status_code == 405
    assert signed_in(alice).get("/profile/security/github").status_code == 405
    forged = Client(enforce_csrf_checks=True)
    assert forged.post("/sign-in/github").status_code == 403
