"""The change feed is read in the order in which it was committed: who has read up to a number has missed nothing."""

import threading

import pytest
from django.db import connection, transaction

from registry import documents
from registry.models import Change
from tests import builders

pytestmark = pytest.mark.django_db(transaction=True)
TURNS = 12


def is_waiting_for_a_lock() -> bool:
    """Whether another connection of this PostgreSQL waits for a row or a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND state = 'active'")
        return bool(cursor.fetchone()[0])


def test_a_change_that_began_later_is_not_seen_before_one_that_began_earlier(cast):
    """The number is taken before the commit, so without a lock held until then a follower would skip the first."""
    if connection.vendor != "postgresql":
        pytest.skip("one writer at a time is what SQLite has anyway")
    first, second = (builders.package(cast.acme, name) for name in ("first", "second"))
    seen: list[list[int]] = []

    def append_second() -> None:
        try:
            with transaction.atomic():
                documents.rebuild(second)  # begins while the first is not committed
        finally:
            connection.close()

    other = threading.Thread(target=append_second)
    with transaction.atomic():
        documents.rebuild(first)
        other.start()
        while other.is_alive() and not is_waiting_for_a_lock():
            other.join(0.01)
        assert other.is_alive()  # it waits for us, though it writes to another package
        reading = threading.Thread(target=lambda: seen.append(read_all()))
        reading.start()
        reading.join()
    other.join()
    assert seen == [[]]
    assert [one.package_id for one in Change.objects.order_by("seq")] == [first.pk, second.pk]


def read_all() -> list[int]:
    """The numbers that a follower sees now, on a connection of its own."""
    try:
        return list(Change.objects.order_by("seq").values_list("seq", flat=True))
    finally:
        connection.close()


def test_a_follower_of_many_writers_misses_no_change(cast):
    packages = [builders.package(cast.acme, f"one-{number}") for number in range(4)]
    over, followed = threading.Event(), []

    def write(package) -> None:
        try:
            for _ in range(TURNS):
                with transaction.atomic():
                    documents.hold(package.pk)
                    documents.rebuild(package)
        finally:
            connection.close()

    def follow() -> None:
        last = 0
        try:
            while True:
                is_last_look = over.is_set()
                for seq in Change.objects.filter(seq__gt=last).order_by("seq").values_list("seq", flat=True):
                    followed.append(seq)
                    last = seq
                if is_last_look:
                    return
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(package,)) for package in packages]
    follower = threading.Thread(target=follow)
    for thread in (follower, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    over.set()
    follower.join()
    assert followed == list(Change.objects.order_by("seq").values_list("seq", flat=True))
    assert len(followed) == len(packages) * TURNS
