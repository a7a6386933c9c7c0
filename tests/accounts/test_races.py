"""Many at once: one chain, one successor, one owner of a key, one use of a code, one account of a newcomer."""

import contextlib
import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.backends import ModelBackend
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import connection

from accounts import auditing, github, second_factor, signing_keys, tokens
from accounts.actors import SYSTEM, Actor
from accounts.errors import RegistryError
from accounts.models import ApiToken, AuditEvent, SigningKey, User
from accounts.signing_in import TRIES_OF_ONE_CALLER, TRIES_PER_NAME, LimitedBackend
from tests.accounts.ssh_wire import Ed25519
from tests.accounts.test_second_factor import Phone
from tests.builders import PASSWORD, actor, assemble_cast

pytestmark = pytest.mark.django_db(transaction=True)
CROWD = 8


def at_once(activity: Callable[[int], object], crowd_of: int = CROWD) -> list[object]:
    """What each of a crowd got, or the refusal it met."""
    answers: list[object] = []
    start = threading.Barrier(crowd_of)

    def one(number: int) -> None:
        start.wait()
        try:
            answers.append(activity(number))
        except RegistryError as refusal:
            answers.append(refusal)
        finally:
            connection.close()

    crowd = [threading.Thread(target=one, args=(number,)) for number in range(crowd_of)]
    for member in crowd:
        member.start()
    for member in crowd:
        member.join()
    return answers


def test_writers_at_once_make_one_unbroken_chain():
    at_once(lambda number: [auditing.record("x.done", f"x:{number}", SYSTEM) for _ in range(10)])
    assert AuditEvent.objects.count() == CROWD * 10
    assert auditing.verify() == []


def test_a_token_rotated_by_many_at_once_has_one_successor():
    cast = assemble_cast()
    token, _ = tokens.issue(cast.alice, "CI", ["read"], actor=actor(cast.alice))
    answers = at_once(lambda number: tokens.rotate(token, 1, SYSTEM))
    assert sum(isinstance(answer, RegistryError) for answer in answers) == CROWD - 1
    assert ApiToken.objects.count() == 2
    assert auditing.verify() == []


def test_a_key_registered_by_many_at_once_is_registered_once():
    cast = assemble_cast()
    people = [cast.alice, cast.mallory]
    answers = at_once(
        lambda number: signing_keys.register(people[number % 2], "laptop", Ed25519().line, actor(people[number % 2]))
    )
    assert sum(isinstance(answer, SigningKey) for answer in answers) == 1
    assert sum(isinstance(answer, RegistryError) for answer in answers) == CROWD - 1
    assert SigningKey.objects.count() == 1


def passes(person: User, code: str, number: int) -> None:
    """Nothing comes back for whoever passes."""
    second_factor.check(person, code, Actor(address=f"192.0.2.{number}"))


def test_a_recovery_code_or_a_code_of_the_app_sent_by_many_at_once_lets_one_pass():
    alice = assemble_cast().alice
    sealed = second_factor.new_secret()
    phone = Phone(second_factor.shown(sealed, alice)[0])
    codes = second_factor.switch_on(alice, sealed, phone.shows(), SYSTEM)
    for code in (codes[0], phone.shows()):
        cache.clear()
        answers = at_once(partial(passes, alice, code))
        assert answers.count(None) == 1
        assert sum(isinstance(answer, second_factor.WrongCode) for answer in answers) == CROWD - 1


def test_a_newcomer_who_arrives_by_many_windows_at_once_is_made_once():
    assemble_cast()
    mona = github.Profile(583231, "mona")
    answers = at_once(lambda number: github.find_or_make(mona, Actor()))
    assert {getattr(answer, "username", answer) for answer in answers} == {"mona"}
    assert User.objects.count() == 5


@pytest.mark.once
@pytest.mark.parametrize(("addresses", "limit"), [(1, TRIES_OF_ONE_CALLER.limit), (64, TRIES_PER_NAME.limit)])
def test_of_many_guesses_at_once_never_one_too_many_is_looked_at(monkeypatch, rf, addresses, limit):
    """From one address, and in one name from many, of which each may try ten times."""
    looked_at: list[str] = []

    def slow_and_wrong(backend, request, username=None, password=None, **more):
        looked_at.append(username)
        threading.Event().wait(0.005)

    monkeypatch.setattr(ModelBackend, "authenticate", slow_and_wrong)

    def guess(number: int) -> None:
        for _ in range(3):
            with contextlib.suppress(PermissionDenied):
                request = rf.post("/sign-in", REMOTE_ADDR=f"192.0.2.{number % addresses}")
                LimitedBackend().authenticate(request, username="alice", password="wrong")

    at_once(guess, crowd_of=64)
    assert len(looked_at) == limit


def test_who_signs_in_often_is_not_taken_for_a_guesser(rf):
    assemble_cast()
    request = rf.post("/sign-in", REMOTE_ADDR="192.0.2.1")
    assert all(
        authenticate(request, username="alice", password=PASSWORD) for _ in range(TRIES_OF_ONE_CALLER.limit + 2)
    )


def test_who_is_refused_here_does_not_use_up_the_tries_of_other_places(rf):
    assemble_cast()
    for _ in range(TRIES_PER_NAME.limit + 5):
        authenticate(rf.post("/sign-in", REMOTE_ADDR="192.0.2.1"), username="alice", password="wrong")
    elsewhere = rf.post("/sign-in", REMOTE_ADDR="198.51.100.1")
    assert authenticate(elsewhere, username="alice", password=PASSWORD)
