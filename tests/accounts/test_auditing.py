"""The audit trail: complete, pseudonymous, and telling where it was touched."""

import random
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import auditing
from accounts.actors import SYSTEM, Actor
from accounts.errors import Forbidden
from accounts.models import AuditEvent, AuditHead
from tests.builders import actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def trail(alice) -> list[AuditEvent]:
    """Ten events."""
    return [auditing.record("package.looked_at", f"package:{n}", actor(alice)) for n in range(10)]


@pytest.fixture
def unguarded():
    """The database without its triggers, as someone with the password of its owner could leave it."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER audit_events_stay")
            cursor.execute("DROP TRIGGER audit_events_last")
        else:
            cursor.execute("ALTER TABLE accounts_auditevent DISABLE TRIGGER audit_events_stay")
    yield
    if connection.vendor != "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE accounts_auditevent ENABLE TRIGGER audit_events_stay")


def test_an_untouched_trail_verifies(trail):
    assert auditing.verify() == []
    assert [event.seq for event in AuditEvent.objects.order_by("seq")] == list(range(1, 11))


def test_an_empty_trail_verifies():
    assert auditing.verify() == []


def test_an_event_carries_a_pseudonym_and_a_network_but_no_name_and_no_address(alice):
    asked = Actor(kind="session", user=alice, address="203.0.113.77", scopes=frozenset({"read"}))
    event = auditing.record("x.done", "x:1", asked)
    assert event.actor == str(alice.pseudonym)
    assert event.address == "203.0.113.0/24"
    assert "alice" not in str(AuditEvent.objects.values().get())


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_addresses_are_cut_to_their_network(address, network):
    assert auditing.truncated(address) == network


def test_a_rolled_back_deed_leaves_no_event(alice):
    def fail() -> None:
        with transaction.atomic():
            auditing.record("x.done", "x:1", actor(alice))
            raise Forbidden("no")

    with pytest.raises(Forbidden):
        fail()
    assert not AuditEvent.objects.exists()
    auditing.record("x.done", "x:2", actor(alice))
    assert auditing.verify() == []


def test_a_refusal_is_an_event_with_its_reason(alice):
    event = auditing.refused("package.unlist", "package:a", actor(alice), Forbidden("Only admins may do this."))
    assert event.outcome == "refused"
    assert event.details == {"code": "forbidden", "reason": "Only admins may do this."}


def test_details_of_any_kind_survive_the_database_unchanged():
    odd = {
        "at": datetime(2026, 1, 1, tzinfo=UTC), "set": {"b", "a"}, "n": 2**70, "f": 1.5, "nul": "a\x00b",
        "deep": [{"x": (1, None, True)}], "lone": "\ud800", "z": 1, "a": 2,
    }  # fmt: skip
    auditing.record("x.done", "name\x00with\ud800odd" + "x" * 600, SYSTEM, details=odd)
    assert auditing.verify() == []
    assert AuditEvent.objects.get().details["set"] == ["a", "b"]


@pytest.mark.usefixtures("trail")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_auditevent SET action = 'other' WHERE seq = 10",
        "DELETE FROM accounts_auditevent WHERE seq = 5",
        "DELETE FROM accounts_auditevent WHERE seq = 10",
    ],
)
def test_the_database_refuses_to_change_or_cut_the_trail(statement):
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert auditing.verify() == []


@pytest.mark.usefixtures("trail", "unguarded")
def test_the_oldest_event_is_missed_where_retention_has_not_cut():
    AuditEvent.objects.filter(seq=1).delete()
    assert [(problem.seq, problem.kind) for problem in auditing.verify()] == [(1, "missing")]


@pytest.mark.usefixtures("trail", "unguarded")
@pytest.mark.parametrize(
    ("column", "value"),
    [("action", "other"), ("actor", "system"), ("object", "package:99"), ("outcome", "refused"), ("project", "x")],
)
def test_a_flipped_column_names_its_event(column, value):
    AuditEvent.objects.filter(seq=4).update(**{column: value})
    assert [(problem.seq, problem.kind) for problem in auditing.verify()] == [(4, "altered")]


@pytest.mark.usefixtures("trail", "unguarded")
def test_a_deleted_event_is_missed():
    AuditEvent.objects.filter(seq__in=[4, 5]).delete()
    problems = auditing.verify()
    assert (problems[0].seq, problems[0].kind) == (4, "missing")
    assert "4 to 5" in problems[0].message


@pytest.mark.usefixtures("trail", "unguarded")
def test_a_cut_tail_is_missed():
    AuditEvent.objects.filter(seq__gt=7).delete()
    assert [(problem.seq, problem.kind) for problem in auditing.verify()] == [(8, "missing")]


@pytest.mark.usefixtures("trail", "unguarded")
def test_an_added_tail_is_noticed():
    AuditHead.objects.update(seq=7)
    assert [(problem.seq, problem.kind) for problem in auditing.verify()] == [(8, "unknown")]


@pytest.mark.usefixtures("trail", "unguarded")
def test_swapped_events_are_both_named():
    AuditEvent.objects.filter(seq=3).update(seq=100)
    AuditEvent.objects.filter(seq=4).update(seq=3)
    AuditEvent.objects.filter(seq=100).update(seq=4)
    assert {3, 4} <= {problem.seq for problem in auditing.verify()}


@pytest.mark.usefixtures("unguarded")
def test_an_event_rewritten_with_a_fitting_hash_breaks_the_next_link(trail):
    event = trail[4]
    event.action = "other"
    values = [getattr(event, name) for name in (*auditing.HASHED, "previous_hash")]
    AuditEvent.objects.filter(seq=5).update(action="other", hash=auditing._hash_of(*values))
    assert [(problem.seq, problem.kind) for problem in auditing.verify()] == [(6, "unlinked")]


@pytest.mark.usefixtures("trail", "unguarded")
def test_every_one_of_many_random_tamperings_is_detected():
    chance = random.Random(20261121)
    columns = ("action", "actor", "object", "outcome", "credential", "address", "previous_hash", "hash")
    for _ in range(200):
        seq, column = chance.randint(1, 10), chance.choice(columns)
        point = transaction.savepoint()
        before = AuditEvent.objects.values_list(column, flat=True).get(seq=seq)
        AuditEvent.objects.filter(seq=seq).update(**{column: before[:-1] + chr(chance.randint(0x2000, 0x2FFF))})
        assert auditing.verify(), (seq, column)
        transaction.savepoint_rollback(point)
    assert auditing.verify() == []


def test_recording_costs_a_constant_number_of_queries(alice, django_assert_max_num_queries):
    auditing.record("x.done", "x:0", SYSTEM)
    with django_assert_max_num_queries(3):
        auditing.record("x.done", "x:1", SYSTEM)
