"""Who took what, and how often: counted once, whatever dies in between."""

import uuid
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone
from redis import Redis

from accounts import privacy
from accounts.actors import ANONYMOUS, SYSTEM
from registry import counting
from registry.models import DownloadCount, DownloadRecord, Release
from tests import builders, servers

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["no redis", "redis"])
def counted_in(request, settings) -> str:
    """Where downloads wait: nowhere, or in a real server."""
    settings.REDIS_URL = request.getfixturevalue("valkey") if request.param == "redis" else ""
    return request.param


@pytest.fixture(scope="session")
def a_valkey():
    """A server of these tests."""
    with servers.valkey() as url:
        yield url


@pytest.fixture
def valkey(a_valkey: str) -> str:
    """The server, empty."""
    Redis.from_url(a_valkey).flushdb()
    return a_valkey


def counts() -> list[int]:
    """Downloads by day, once all that waits is written."""
    counting.fold()
    return list(DownloadCount.objects.order_by("day").values_list("count", flat=True))


def records() -> list[tuple]:
    """Who took how many, by day and credential."""
    counting.fold()
    rows = DownloadRecord.objects.order_by("day", "credential")
    return [(row.credential, row.user_id, row.project_id, row.count) for row in rows]


def test_of_strangers_only_the_number_is_kept(publish, counted_in):
    release = publish()
    for actor in (ANONYMOUS, SYSTEM, ANONYMOUS):
        counting.count(release, actor)
    assert (counts(), records()) == ([3], [])


def test_a_known_credential_is_kept_with_its_person_and_project(publish, counted_in, alice, bob, acme):
    release = publish()
    by_token, by_session = builders.actor(alice, "read", kind="token"), builders.actor(bob)
    for actor in (by_token, by_token, by_session, ANONYMOUS):
        counting.count(release, actor)
    assert counts() == [4]
    assert records() == [(f"session:{bob.pk}", bob.pk, acme.pk, 1), ("token:test", alice.pk, acme.pk, 2)]


def test_that_somebody_took_it_is_written_before_anything_is_folded(publish, counted_in, alice):
    counting.count(publish(), builders.actor(alice))
    assert DownloadRecord.objects.get().user == alice


def test_each_day_is_a_record_of_its_own(publish, counted_in, alice):
    release = publish()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        counting.count(release, builders.actor(alice))
        clock.shift(timedelta(days=1))
        counting.count(release, builders.actor(alice))
        assert (counts(), [record[3] for record in records()]) == ([1, 1], [1, 1])


def test_a_batch_whose_worker_died_after_writing_it_is_not_written_again(publish, valkey, settings):
    settings.REDIS_URL = valkey
    release = publish()
    counting.count(release, ANONYMOUS)
    client = Redis.from_url(valkey)
    waiting = client.hgetall(counting.WAITING)
    assert counts() == [1]
    batch = counting.DownloadFold.objects.get().batch
    client.hset(batch, mapping=waiting)
    assert counting.fold() == 0
    assert (counts(), client.keys()) == ([1], [])


def test_a_batch_whose_worker_died_before_writing_it_is_written(publish, valkey, settings):
    settings.REDIS_URL = valkey
    counting.count(publish(), ANONYMOUS)
    Redis.from_url(valkey).rename(counting.WAITING, f"{counting.WAITING}:{uuid.uuid4()}")
    assert counting.fold() == 1
    assert counts() == [1]


def test_what_was_deleted_while_it_waited_takes_nothing_else_along(publish, valkey, settings, acme):
    settings.REDIS_URL = valkey
    gone, kept = builders.release(builders.package(acme, "gone")), publish()
    for release in (gone, kept):
        counting.count(release, ANONYMOUS)
    Release.objects.filter(pk=gone.pk).delete()
    assert counts() == [1]


def test_while_redis_is_away_downloads_are_written_at_once(publish, settings, alice):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    counting.count(publish(), builders.actor(alice))
    assert DownloadCount.objects.get().count == 1
    assert DownloadRecord.objects.get().count == 1


def test_records_are_forgotten_after_their_time_and_numbers_stay(publish, alice):
    release = publish()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        counting.count(release, builders.actor(alice))
        clock.shift(timedelta(days=settings.DOWNLOAD_RECORD_DAYS))
        assert counting.forget() == 0
        clock.shift(timedelta(days=1))
        assert counting.forget() == 1
    assert counts() == [1]


def test_people_are_told_what_is_kept_of_their_downloads(publish, alice):
    counting.count(publish(), builders.actor(alice))
    counting.fold()
    told = privacy.export(alice, builders.actor(alice))["registry"]["downloads"]
    assert [(row["release__package__name"], row["count"]) for row in told] == [("left-pad", 1)]
