"""Guessing passwords is slow, per account and per address, and never says whether an account exists."""

import re
from datetime import UTC, datetime

import pytest
import time_machine
from django.contrib.auth import authenticate
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEvent, User
from tests.accounts.walking_to_github import signed_in, who
from tests.builders import PASSWORD

pytestmark = pytest.mark.django_db
ARGON2 = ["django.contrib.auth.hashers.Argon2PasswordHasher"]


@pytest.fixture(autouse=True)
def clock():
    """Seconds and quarters of an hour that do not end between two tries."""
    with time_machine.travel(datetime.now(UTC).replace(minute=5), tick=False):
        yield


@pytest.fixture
def crowd(cast) -> list[str]:
    """Names that are to be alike to a guesser: a developer, nobody, a closed account, one of GitHub's, an admin."""
    User.objects.filter(username="mallory").update(is_active=False)
    githubber = User.objects.create(username="githubber")
    githubber.set_unusable_password()
    githubber.save()
    attempt("the first event of a trail takes a statement more")
    return ["alice", "nobody-here", "mallory", "githubber", "root"]


def attempt(name: str, password: str = "wrong", page: str = "/sign-in", address: str = "192.0.2.1"):
    """One try from a fresh browser, with the statements it took."""
    browser = Client(REMOTE_ADDR=address)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = browser.post(page, {"username": name, "password": password})
    return browser, answer, [shape(query["sql"]) for query in queries]


def shape(sql: str) -> str:
    """The statement without its values."""
    return re.sub(r"'(?:[^']|'')*'|\b\d+\b|\b[0-9a-f]{32,64}\b|NULL|%s", "?", sql)


def said(answer, name: str) -> str:
    """The page without what the guesser typed, and without the form's own secret."""
    page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())
    return page.replace(name, "NAME")


@pytest.mark.parametrize("page", ["/sign-in", "/admin/login/"])
def test_every_failure_looks_alike_in_status_headers_page_and_statements(crowd, page):
    answers = []
    for name in crowd:
        browser, answer, statements = attempt(name, page=page)
        assert who(browser) == ""
        headers = {key: value for key, value in answer.headers.items() if key != "Content-Length"}
        answers.append((answer.status_code, headers, said(answer, name), statements))
    for name, other in zip(crowd, answers, strict=True):
        assert other == answers[0], name


def test_the_right_password_of_a_closed_account_looks_like_a_wrong_one(crowd):
    right = attempt("mallory", PASSWORD)
    wrong = attempt("mallory", "wrong")
    assert (right[1].status_code, said(right[1], "mallory"), right[2]) == (
        wrong[1].status_code, said(wrong[1], "mallory"), wrong[2],
    )  # fmt: skip


def test_a_name_that_nobody_has_is_hashed_for_all_the_same(crowd, settings, monkeypatch):
    """Counted where the work is done: one argon2 for each try, whoever is meant."""
    from argon2 import PasswordHasher
    from django.contrib.auth.hashers import Argon2PasswordHasher

    settings.PASSWORD_HASHERS = ARGON2
    for person in User.objects.exclude(username="githubber"):
        person.set_password(PASSWORD)
        person.save()
    worked: list[str] = []

    def counting(work):
        def done(*args):
            worked.append("hash")
            return work(*args)

        return done

    monkeypatch.setattr(Argon2PasswordHasher, "encode", counting(Argon2PasswordHasher.encode))
    monkeypatch.setattr(PasswordHasher, "verify", counting(PasswordHasher.verify))
    for name in crowd:
        worked.clear()
        assert authenticate(None, username=name, password="wrong") is None
        assert worked == ["hash"], name


def test_one_address_fails_ten_times_in_a_name_and_then_knows_nothing_more(crowd):
    for _ in range(10):
        attempt("alice")
        attempt("nobody-here")
    right = attempt("alice", PASSWORD)
    unknown = attempt("nobody-here", PASSWORD)
    assert who(right[0]) == ""
    assert said(right[1], "alice") == said(unknown[1], "nobody-here")
    assert right[2] == unknown[2]
    assert who(attempt("alice", PASSWORD, address="198.51.100.1")[0]) == "alice", "alice herself is not locked out"


def test_one_address_cannot_go_through_many_names(cast):
    for number in range(50):
        attempt(f"name-{number}")
    assert who(attempt("alice", PASSWORD)[0]) == ""


def test_many_addresses_cannot_go_on_in_one_name(cast):
    for number in range(100):
        attempt("ALICE" if number % 2 else "alice", address=f"198.51.{number}.1")
    assert who(attempt("alice", PASSWORD, address="203.0.113.1")[0]) == ""


def test_every_failure_is_noted_and_names_that_are_nobodys_are_not(cast):
    attempt("alice")
    attempt("a password typed into the wrong field")
    objects = [event.object for event in AuditEvent.objects.filter(action="session.refused").order_by("seq")]
    assert objects == [f"user:{User.objects.get(username='alice').pseudonym}", "user:unknown"]
    assert "wrong field" not in "".join(str(event.details) for event in AuditEvent.objects.all())


@pytest.mark.parametrize("wanted", ["tokens", "nowhere", "https://evil.example/", "//evil.example", "javascript:a()"])
def test_after_signing_in_only_pages_of_this_portal_follow(cast, wanted):
    answer = Client().post("/sign-in", {"username": "alice", "password": PASSWORD, "next": wanted})
    assert answer.status_code == 302
    assert answer.url in ("/", "tokens", "nowhere")


def test_no_page_of_the_sign_in_library_is_served(cast):
    """Its sign-up, reset and e-mail pages would be ways in that nobody here looks after."""
    browser = signed_in(cast.alice)
    for path in (
        "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/accounts/email/", "/accounts/2fa/",
        "/accounts/social/connections/", "/accounts/github/login/", "/accounts/reauthenticate/",
        "/.well-known/change-password",
    ):  # fmt: skip
        assert browser.get(path).status_code == 404, path
