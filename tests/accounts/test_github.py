"""Signing in with GitHub, against a provider that speaks the real flow and is not always friendly."""

import re
from collections.abc import Iterator
from html import unescape
from http.client import HTTPConnection
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.test import Client

from accounts import github, privacy
from accounts.models import AuditEvent, Project, User
from tests.accounts.identity_provider import IdentityProvider, email, hangs_up, raw, serve, silent
from tests.builders import PASSWORD, actor

pytestmark = pytest.mark.django_db
TOKEN, USER, EMAILS = "/login/oauth/access_token", "/api/v3/user", "/api/v3/user/emails"


@pytest.fixture
def provider(settings) -> Iterator[IdentityProvider]:
    """The provider, with the portal as its client."""
    made = IdentityProvider()
    server = serve(made)
    settings.GITHUB_CLIENT_ID, settings.GITHUB_CLIENT_SECRET = "portal", "the secret"
    settings.GITHUB_URL = made.url
    yield made
    made.released.set()
    server.shutdown()
    server.server_close()


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


# --- the friendly way -----------------------------------------------------------------------------------------------
def test_a_new_person_becomes_a_developer_with_a_neutral_first_project(provider, cast):
    browser = Client()
    answer = walk(browser, next="/packages?q=left")
    assert (answer.status_code, answer.url) == (302, "/packages?q=left")
    mona = User.objects.get(username="mona")
    assert (who(browser), mona.role, mona.email, mona.has_usable_password()) == (
        "mona", "developer", "mona@example.org", False,
    )  # fmt: skip
    assert Project.objects.get(memberships__user=mona).slug == f"own-{mona.pseudonym.hex[:12]}"
    account = SocialAccount.objects.get(user=mona)
    assert (account.uid, account.extra_data) == ("583231", {"login": "mona"})
    assert not SocialToken.objects.exists()
    opened = AuditEvent.objects.get(action="session.opened")
    assert (opened.actor, opened.details) == (str(mona.pseudonym), {"by": "github"})
    trail = " ".join(str(event.details) + event.object for event in AuditEvent.objects.all())
    assert "mona" not in trail
    assert "583231" not in trail


def test_what_leaves_for_github_is_exact(provider):
    browser = Client()
    sent = dict(parse_qsl(urlsplit(leave(browser, next="https://evil.example/")).query))
    assert sent["redirect_uri"] == "http://testserver/sign-in/github/callback"
    assert (sent["client_id"], sent["scope"], sent["response_type"]) == ("portal", "user:email", "code")
    assert (sent["code_challenge_method"], len(sent["code_challenge"])) == ("S256", 43)
    assert len(sent["state"]) >= 16
    assert "secret" not in " ".join(sent)
    again = parse_qs(urlsplit(leave(browser)).query)
    assert again["state"] != [sent["state"]]
    assert again["code_challenge"] != [sent["code_challenge"]]


def test_nothing_in_the_request_widens_what_is_asked_or_leads_elsewhere(provider):
    browser = Client()
    address = leave(browser, "/sign-in/github?scope=repo&auth_params=a%3Db&process=connect", next="//evil.example/")
    assert parse_qs(urlsplit(address).query)["scope"] == ["user:email"]
    assert arrive(browser, say_yes(address)).url == "/"


def test_the_same_person_comes_back_to_the_same_account_whatever_they_are_called(provider):
    walk(Client())
    provider.person["login"], provider.emails = "mona-lisa", [email("other@example.org")]
    browser = Client()
    walk(browser)
    assert who(browser) == "mona"
    assert SocialAccount.objects.get().extra_data == {"login": "mona-lisa"}
    provider.person = {"id": 99, "login": "mona"}  # somebody else takes the name that was given up
    taker = Client()
    walk(taker)
    assert who(taker) == "mona-2"


def test_a_name_that_is_taken_gets_a_number(provider, alice):
    provider.person["login"] = "Alice"
    browser = Client()
    walk(browser)
    assert who(browser) == "Alice-2"
    assert not SocialAccount.objects.filter(user=alice).exists()


# --- the hostile ways -----------------------------------------------------------------------------------------------
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


# --- connecting and disconnecting -----------------------------------------------------------------------------------
def test_who_is_signed_in_connects_and_disconnects(provider, alice):
    browser = signed_in(alice)
    assert walk(browser, "/profile/security/github").url == "/profile/security"
    assert "<strong>mona</strong> signs you in." in browser.get("/profile/security").content.decode()
    other = Client()
    walk(other)
    assert who(other) == "alice"
    browser.post("/profile/security/github/disconnect")
    assert not SocialAccount.objects.exists()
    actions = list(
        AuditEvent.objects.filter(action__startswith="github").order_by("seq").values_list("action", "actor")
    )
    assert actions == [("github.linked", str(alice.pseudonym)), ("github.unlinked", str(alice.pseudonym))]
    walk(third := Client())
    assert who(third) == "mona"


def test_an_account_of_somebody_else_cannot_be_connected(provider, alice, mallory):
    walk(signed_in(alice), "/profile/security/github")
    thief = signed_in(mallory)
    walk(thief, "/profile/security/github")
    assert SocialAccount.objects.get().user == alice
    assert "belongs to somebody else" in thief.get("/profile/security").content.decode()
    refused = AuditEvent.objects.get(action="github.linked", outcome="refused")
    assert (refused.actor, refused.details["code"]) == (str(mallory.pseudonym), "github_taken")
    assert who(thief) == "mallory"


def test_a_second_account_is_not_connected_beside_the_first(provider, alice):
    browser = signed_in(alice)
    walk(browser, "/profile/security/github")
    provider.person = {"id": 7, "login": "second"}
    walk(browser, "/profile/security/github")
    assert SocialAccount.objects.get().uid == "583231"


def test_a_lure_cannot_connect_the_attackers_account_to_the_victim(provider, alice, mallory):
    """Not with mallory's own return address, nor with one meant for signing in, nor after a change of person."""
    victim = signed_in(alice)
    arrive(victim, say_yes(leave(signed_in(mallory), "/profile/security/github")))
    arrive(victim, say_yes(leave(Client())))
    shared = Client()
    begun = say_yes(leave(shared))
    assert shared.login(username="alice", password=PASSWORD)
    answer = arrive(shared, begun)
    assert (answer.url, who(shared)) == ("/profile/security", "alice")
    browser = signed_in(mallory)
    begun = say_yes(leave(browser, "/profile/security/github"))
    assert browser.login(username="alice", password=PASSWORD)
    arrive(browser, begun)
    assert not SocialAccount.objects.exists()


def test_the_last_way_in_stays(provider):
    browser = Client()
    walk(browser)
    page = browser.get("/profile/security").content.decode()
    assert "set a password first" in page
    browser.post("/profile/security/github/disconnect")
    assert SocialAccount.objects.count() == 1
    fresh = "another battery, staple, horse"
    assert browser.post("/profile/password", {"new_password1": fresh, "new_password2": fresh}).status_code == 302
    browser.post("/profile/security/github/disconnect")
    assert not SocialAccount.objects.exists()
    assert Client().login(username="mona", password=fresh)


# --- taking along and leaving ---------------------------------------------------------------------------------------
def test_the_link_is_taken_along_and_erased(provider, cast):
    browser = Client()
    walk(browser)
    mona = User.objects.get(username="mona")
    assert privacy.export(mona, actor(mona))["github"][0]["uid"] == "583231"
    assert browser.post("/profile/privacy/delete", {"username": "alice"}).status_code == 400
    assert browser.post("/profile/privacy/delete", {"username": "mona"}).status_code == 302
    assert github.account_of(mona) is None
    assert not SocialAccount.objects.exists()
    assert "_auth_user_id" not in browser.session
