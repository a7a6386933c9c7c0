"""How regions stand, told from rows alone: by the clock, the feed, the debts and the last probe."""

from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from registry import tasks
from registry.mirrors import standing
from registry.mirrors.models import Debt, Mirror
from registry.mirrors.standing import Fault, Status
from registry.models import Change
from tests import builders

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture(autouse=True)
def noon():
    """The clock stands still at noon."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def regions() -> tuple[Mirror, Mirror]:
    """Frankfurt and Paris, both probed just now, with nothing to do."""
    Mirror.objects.all().delete()
    return region("frankfurt"), region("paris")


def region(slug: str, **fields) -> Mirror:
    well = {"probed_at": NOW, "answered_at": NOW, "latencies": [4.0, 2.0, 8.0]}
    return Mirror.objects.create(region=slug, city=slug.title(), country="DE", **{**well, **fields})


def change(mirror: Mirror, **fields) -> None:
    Mirror.objects.filter(pk=mirror.pk).update(**fields)


def changes(acme, *ages: int) -> None:
    """A package for each age in seconds, changed then."""
    for age in ages:
        at = NOW - timedelta(seconds=age)
        Change.objects.create(package=builders.package(acme, f"aged-{age}"), kind="changed", at=at)


def by_region() -> dict[str, standing.Region]:
    return {one.mirror.region: one for one in standing.now().regions}


def test_regions_that_answer_and_miss_nothing_are_healthy(regions):
    found = standing.now()
    assert (found.status, found.pending, found.failed_packages) == (Status.HEALTHY, 0, 0)
    assert by_region()["paris"].latency == (8.0, 4.0, 8.0)
    assert found.next_sync_window == NOW + timedelta(seconds=5)


def test_one_region_that_does_not_answer_degrades_and_all_of_them_are_down(regions):
    Mirror.objects.filter(region="paris").update(probe_error="Read-only file system")
    assert by_region()["paris"].status == Status.DOWN
    assert standing.now().status == Status.DEGRADED
    Mirror.objects.update(probe_error="Connection refused")
    assert standing.now().status == Status.DOWN


@pytest.mark.parametrize(
    ("seconds", "fault", "overall"),
    [(10, Fault.NONE, "healthy"), (11, Fault.SILENT, "degraded"), (61, Fault.LOST, "down")],
)
def test_without_a_worker_regions_fall_silent_and_are_then_given_up(regions, seconds, fault, overall):
    with time_machine.travel(NOW + timedelta(seconds=seconds), tick=False):
        found = standing.now()
        assert {one.fault for one in found.regions} == {fault}
        assert found.status == overall
        assert (found.next_sync_window is None) == (fault == Fault.LOST)


def test_a_change_is_late_after_fifteen_seconds_and_counts_from_the_first(regions, acme):
    changes(acme, 40, 15, 3)
    latest = Change.objects.order_by("seq")
    Mirror.objects.filter(region="paris").update(applied_seq=latest[0].seq)
    frankfurt, paris = by_region()["frankfurt"], by_region()["paris"]
    assert (frankfurt.lag_seconds, frankfurt.pending, frankfurt.fault) == (40, 3, Fault.LATE)
    assert (paris.lag_seconds, paris.pending, paris.fault) == (15, 2, Fault.NONE)
    assert (standing.now().status, standing.now().pending) == (Status.DEGRADED, 5)


def test_a_region_that_is_back_is_healthy_once_it_has_caught_up(regions, acme):
    changes(acme, 5)
    Mirror.objects.update(returned_at=NOW - timedelta(seconds=6))
    assert standing.now().status == Status.HEALTHY, "what changed since then is not late yet"
    Mirror.objects.update(returned_at=NOW - timedelta(seconds=2))
    assert {one.fault for one in standing.now().regions} == {Fault.RETURNED}
    Mirror.objects.update(applied_seq=Change.objects.get().seq)
    assert standing.now().status == Status.HEALTHY


def test_a_debt_counts_once_and_as_failed_once_it_was_tried(regions, acme):
    frankfurt, paris = regions
    changes(acme, 5)
    package = Change.objects.get().package
    Debt.objects.create(mirror=frankfurt, package=package, since=NOW - timedelta(seconds=90), attempts=2)
    Debt.objects.create(mirror=paris, package=package, attempts=0)
    Mirror.objects.filter(pk=paris.pk).update(applied_seq=Change.objects.get().seq)
    found = by_region()
    assert (found["frankfurt"].pending, found["frankfurt"].failed_packages) == (1, 1)
    assert (found["frankfurt"].lag_seconds, found["frankfurt"].fault) == (90, Fault.FAILING)
    assert (found["paris"].pending, found["paris"].failed_packages, found["paris"].fault) == (1, 0, Fault.NONE)


def test_a_closed_window_delays_without_being_late_and_says_when_it_opens(regions, acme):
    changes(acme, 3600)
    Mirror.objects.update(window_opens="22:00", window_closes="04:00")
    found = standing.now()
    assert (found.status, found.regions[0].lag_seconds) == (Status.HEALTHY, 3600)
    assert found.next_sync_window == NOW.replace(hour=22)
    with time_machine.travel(NOW.replace(hour=23), tick=False):
        Mirror.objects.update(probed_at=timezone.now(), answered_at=timezone.now())
        assert standing.now().status == Status.DEGRADED


def test_what_was_paused_is_degraded_and_what_was_switched_off_is_no_region(regions):
    change(regions[0], paused_at=NOW)
    assert by_region()["frankfurt"].fault == Fault.PAUSED
    assert standing.now().status == Status.DEGRADED
    change(regions[0], enabled=False)
    assert set(by_region()) == {"paris"}
    Mirror.objects.update(enabled=False)
    assert standing.now().status == Status.DOWN


def test_any_number_of_regions_costs_one_query(regions, acme, django_assert_num_queries):
    for number in range(8):
        region(f"region-{number}")
    changes(acme, 20, 10)
    with django_assert_num_queries(1):
        assert len(standing.now().regions) == 10


def test_the_api_tells_everybody_in_the_shape_of_the_contract(regions, acme, client):
    changes(acme, 40)
    for base in ("/api/v1", "/v1"):
        answer = client.get(f"{base}/registry/sync/status")
        assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
        body = answer.json()
        assert list(body) == ["status", "checked_at", "regions", "failed_packages", "pending", "next_sync_window"]
        assert body["regions"][0] == {
            "region": "frankfurt",
            "city": "Frankfurt",
            "country": "DE",
            "status": "degraded",
            "latency_ms": {"last": 8.0, "p50": 4.0, "p95": 8.0},
            "lag_seconds": 40,
            "pending": 1,
            "failed_packages": 0,
            "last_success_at": None,
        }
        assert (body["status"], body["pending"]) == ("degraded", 2)
        assert body["checked_at"].endswith("Z")


def test_a_region_that_failed_and_works_again_is_healthy_though_nothing_was_left_to_write(frankfurt):
    Mirror.objects.update(probed_at=NOW, answered_at=NOW, strikes=2, retry_at=NOW, last_error="Input/output error")
    assert by_region()["frankfurt"].fault == Fault.FAILING
    with transaction.atomic():
        tasks.enqueue("replicate", frankfurt.pk)
    tasks.drain()
    assert by_region()["frankfurt"].fault == Fault.NONE
