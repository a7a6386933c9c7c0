"""Jobs: rows are the truth, messages are hints, and no job can harm another."""

import logging
import os
import random
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from kombu import Connection

from accounts.actors import ANONYMOUS
from accounts.models import AuditEvent
from config.celery import app
from registry import counting, leases, retiring, storage, tasks
from registry.models import Decision, Job, Release
from tests import builders
from tests.registry import invariants, jobs

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_ran_yet() -> None:
    """Counts of this test only."""
    jobs.ran.clear()


@pytest.fixture
def clock():
    """A clock that the test moves."""
    with time_machine.travel(datetime(2026, 11, 21, 12, tzinfo=UTC), tick=False) as traveller:
        yield traveller


def state(job: Job) -> str:
    """How the job stands now."""
    job.refresh_from_db()
    return job.state


# --- the life of a job --------------------------------------------------------------------------------------------
def test_a_job_runs_once_and_is_done():
    job = tasks.enqueue("tests.count", "a")
    assert tasks.drain() == 1
    assert tasks.drain() == 0
    assert (state(job), jobs.ran["a"], job.attempts) == ("done", 1, 1)
    assert job.finished_at


def test_the_same_job_asked_for_twice_is_one_job():
    for _ in range(3):
        tasks.enqueue("tests.count", "a")
    tasks.drain()
    assert jobs.ran["a"] == 1
    assert Job.objects.count() == 1


def test_different_keys_are_different_jobs():
    tasks.enqueue("tests.count", "a", dedupe="one")
    tasks.enqueue("tests.count", "a", dedupe="two")
    tasks.drain()
    assert jobs.ran["a"] == 2


def test_a_done_job_opens_again_when_it_is_asked_for():
    job = tasks.enqueue("tests.count", "a")
    tasks.drain()
    tasks.enqueue("tests.count", "a", payload={"again": True})
    assert (state(job), job.payload) == ("open", {"again": True})
    tasks.drain()
    assert jobs.ran["a"] == 2


def test_a_job_whose_time_has_not_come_waits(clock):
    job = tasks.enqueue("tests.count", "a", delay=3600)
    clock.shift(3599)
    assert tasks.drain() == 0
    clock.shift(2)
    assert tasks.drain() == 1
    assert state(job) == "done"


def test_a_job_asked_for_while_it_runs_runs_again():
    job = tasks.enqueue("tests.reopen", "a")
    tasks.drain()
    assert (jobs.ran["a"], state(job)) == (2, "done")


def test_not_now_is_no_failure(clock):
    job = tasks.enqueue("tests.later", "a")
    tasks.drain()
    assert (state(job), job.attempts, job.last_error, jobs.ran["a"]) == ("open", 0, "", 1)
    clock.shift(59)
    assert tasks.drain() == 0
    for _ in range(2):
        clock.shift(61)
        tasks.drain()
    assert (state(job), jobs.ran["a"]) == ("done", 3)


# --- leases -------------------------------------------------------------------------------------------------------
def test_a_leased_job_is_nobody_elses(clock):
    job = tasks.enqueue("tests.count", "a")
    assert tasks.claim(job.pk)
    assert tasks.claim(job.pk) is None
    assert tasks.due() == []
    assert tasks.drain() == 0


def test_a_lease_that_ran_out_is_taken_over(clock, settings):
    job = tasks.enqueue("tests.count", "a")
    dead = tasks.claim(job.pk)
    clock.shift(settings.JOB_LEASE_SECONDS + 1)
    assert tasks.drain() == 1
    assert (state(job), job.attempts) == ("done", 2)
    assert tasks.execute(dead)  # the worker was only slow, and ends after all: it no longer owns the row
    assert (state(job), jobs.ran["a"]) == ("done", 2)


def test_a_slow_worker_does_not_end_the_job_of_the_one_that_took_over(clock, settings):
    job = tasks.enqueue("tests.fail", "a")
    slow = tasks.claim(job.pk)
    clock.shift(settings.JOB_LEASE_SECONDS + 1)
    current = tasks.claim(job.pk)
    tasks.execute(slow)
    job.refresh_from_db()
    assert (job.lease_owner, job.last_error) == (current.lease_owner, "")
    assert job.lease_until is not None


@pytest.mark.django_db(transaction=True)
def test_a_job_that_takes_longer_than_its_lease_keeps_it(settings):
    settings.JOB_LEASE_SECONDS = 1
    job = tasks.enqueue("tests.long", "a")
    tasks.drain()
    assert (state(job), jobs.ran["a"], jobs.ran["renewals"], jobs.ran["taken twice"]) == ("done", 1, 2, 0)


@pytest.mark.django_db(transaction=True)
def test_a_job_that_hangs_loses_its_lease_in_the_end(settings):
    settings.JOB_LEASE_SECONDS, settings.JOB_LIMIT_SECONDS = 1, 0
    job = tasks.claim(tasks.enqueue("tests.count", "a").pk)
    until = job.lease_until
    with leases.renewed(job):
        while timezone.now() <= until:
            threading.Event().wait(0.05)
        assert tasks.claim(job.pk).attempts == 2


def test_a_done_job_is_not_claimed():
    job = tasks.enqueue("tests.count", "a")
    tasks.drain()
    assert tasks.claim(job.pk) is None
    assert tasks.claim(10**9) is None


# --- failures -----------------------------------------------------------------------------------------------------
def test_a_failure_comes_back_later_and_later(clock):
    job = tasks.enqueue("tests.fail", "a")
    waits = []
    for _ in range(5):
        began = clock.shift(0) or datetime.now(UTC)
        tasks.drain()
        job.refresh_from_db()
        waits.append((job.due_at - began).total_seconds())
        clock.move_to(job.due_at)
    assert waits == [2, 4, 8, 16, 32]
    assert job.last_error == "ZeroDivisionError: poison"


def test_a_job_that_fails_for_ever_is_dead_in_the_end(clock):
    job = tasks.enqueue("tests.fail", "a")
    for _ in range(tasks.MAX_ATTEMPTS + 5):
        tasks.drain()
        clock.shift(3601)
    assert (state(job), jobs.ran["a"]) == ("dead", tasks.MAX_ATTEMPTS)
    assert job.finished_at
    assert tasks.due() == []


def test_a_dead_job_lives_again_when_it_is_asked_for(clock):
    job = tasks.enqueue("tests.fail", "a")
    Job.objects.update(state="dead", attempts=12)
    tasks.enqueue("tests.fail", "a")
    assert (state(job), job.attempts) == ("open", 0)


def test_a_job_that_kills_its_worker_is_dead_in_the_end(clock, settings):
    job = tasks.enqueue("tests.die", "a")
    for _ in range(tasks.MAX_ATTEMPTS + 3):
        with pytest.raises(SystemExit) if tasks.due() and job.attempts < tasks.MAX_ATTEMPTS else clean():
            tasks.drain()
        job.refresh_from_db()
        clock.shift(settings.JOB_LEASE_SECONDS + 1)
    assert (state(job), jobs.ran["a"]) == ("dead", tasks.MAX_ATTEMPTS)
    assert "worker died" in job.last_error


class clean:  # noqa: N801  # reads as the opposite of `raises`
    """Nothing is expected to be raised."""

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def test_poison_never_blocks_the_others():
    for number in range(5):
        tasks.enqueue("tests.fail", f"poison-{number}")
    for number in range(20):
        tasks.enqueue("tests.count", f"good-{number}")
    tasks.enqueue("tests.nobody-knows-this", "x")
    tasks.drain()
    assert Job.objects.filter(kind="tests.count", state="done").count() == 20
    assert Job.objects.filter(state="open").count() == 6
    assert "KeyError" in Job.objects.get(kind="tests.nobody-knows-this").last_error


def test_a_hundred_poisoned_jobs_do_not_starve_those_behind_them(clock):
    for number in range(120):
        tasks.enqueue("tests.fail", f"poison-{number}")
    clock.shift(1)
    tasks.enqueue("tests.count", "good")
    tasks.drain()
    assert jobs.ran["good"] == 1


# --- messages -----------------------------------------------------------------------------------------------------
def test_messages_that_come_three_times_in_any_order_have_one_effect(publish):
    releases = [publish(builders.npm_tarball(f"package-{word}"), checks=False) for word in ("one", "two", "three")]
    messages = list(Job.objects.values_list("pk", flat=True)) * 3
    random.Random(7).shuffle(messages)
    for job_id in messages:
        tasks.run_job(job_id)
    for release in releases:
        release.refresh_from_db()
        assert (release.status, release.decisions.count()) == ("approved", 1)
    assert AuditEvent.objects.filter(action="release.approved").count() == 3
    invariants.hold()


def test_messages_about_jobs_that_do_not_exist_do_nothing():
    tasks.run_job(10**9)


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_everything_still_happens_by_the_sweeper(cast, keys, root, monkeypatch, caplog, settings):
    caplog.set_level(logging.WARNING)
    nobody_listens = "redis://127.0.0.1:1/0"
    settings.REDIS_URL = nobody_listens
    options = app.conf.broker_transport_options
    monkeypatch.setattr(
        app, "connection_for_write", lambda *_, **__: Connection(nobody_listens, transport_options=options)
    )
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        release = builders.published(cast.alice, keys["alice"], checks=False)
        assert Job.objects.get(kind="check").state == "open"
        assert "The broker did not take the hint" in caplog.text
        tasks.sweep()
        release.refresh_from_db()
        assert release.status == "approved"
        retiring.unlist(release, builders.actor(root))
        clock.shift(timedelta(hours=25))
        tasks.sweep()
        assert Release.objects.get().is_purged
        for _ in range(3):
            clock.shift(timedelta(hours=25))
            storage.reconcile()
    assert invariants.objects() == set()
    invariants.hold()


@pytest.mark.django_db(transaction=True)
def test_a_hint_goes_out_after_the_commit_only(monkeypatch, settings):
    hinted: list[int] = []
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(tasks.run_job, "apply_async", lambda args, **_: hinted.append(args[0]))
    with transaction.atomic():
        job = tasks.enqueue("tests.count", "a")
        tasks.enqueue("tests.count", "b", delay=60)
        assert hinted == []
    assert hinted == [job.pk]
    with transaction.atomic():
        tasks.enqueue("tests.count", "c")
        transaction.set_rollback(True)
    assert hinted == [job.pk]
    assert not Job.objects.filter(ref="c").exists()


# --- many ---------------------------------------------------------------------------------------------------------
def test_what_waits_longest_runs_first(clock):
    for number in range(3):
        tasks.enqueue("tests.count", f"job-{number}")
        clock.shift(1)
    assert [Job.objects.get(pk=pk).ref for pk in tasks.due()] == ["job-0", "job-1", "job-2"]
    assert len(tasks.due(limit=2)) == 2


def test_looking_for_due_jobs_costs_one_query(django_assert_num_queries):
    for number in range(30):
        tasks.enqueue("tests.count", f"job-{number}")
    with django_assert_num_queries(1):
        tasks.due()


def test_the_periodic_tasks_clean_count_and_sweep(publish, tmp_path):
    release = publish()
    counting.count(release, ANONYMOUS)
    storage.store().put_if_absent("sha256/aa/bb/" + "a" * 64 + ".0", path := stray(tmp_path), 4, "a" * 64)
    os.utime(storage.store().root / "sha256/aa/bb" / ("a" * 64 + ".0"), (0, 0))
    assert path.exists()
    tasks.reconcile()
    tasks.refresh_figures()
    tasks.sweep()
    release.package.refresh_from_db()
    assert release.package.downloads == 1
    invariants.hold()


def stray(folder: Path) -> Path:
    """A file that no row names."""
    path = folder / "stray"
    path.write_bytes(b"junk")
    return path


def test_a_periodic_function_that_fails_stops_none_of_the_others(monkeypatch):
    ran: list[str] = []
    monkeypatch.setitem(tasks._periodic, "reconcile", [lambda: 1 / 0, lambda: ran.append("second")])
    tasks.reconcile()
    assert ran == ["second"]


def test_every_kind_of_job_that_is_written_has_a_handler(publish, root):
    retiring.unlist(publish(), builders.actor(root))
    assert set(Job.objects.values_list("kind", flat=True)) <= set(tasks._handlers)
    assert Decision.objects.count() == 2
