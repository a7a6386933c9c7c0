"""Signing in with GitHub, connecting and disconnecting it, against a provider that speaks the real flow."""

from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.test import Client

from accounts import github, privacy
from accounts.models import AuditEvent, Project, User
from tests.accounts.identity_provider import email
from tests.accounts.walking_to_github import arrive, leave, say_yes, signed_in, walk, who
from tests.builders import PASSWORD, actor

pytestmark = pytest.mark.django_db


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
