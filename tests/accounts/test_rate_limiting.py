"""Limits per project tier and per anonymous address, counted where all processes see them."""

import threading
import time

import pytest
import time_machine
from django.http import HttpResponse
from django.test import RequestFactory

from accounts import rate_limiting
from accounts.actors import Actor
from accounts.middleware import RateLimits, WhoIsAsking
from accounts.rate_limiting import Rate
from tests.builders import bearer, token

NOON = 1_795_000_000 // 3600 * 3600


@pytest.fixture(autouse=True)
def small_limits(settings) -> None:
    settings.RATE_LIMIT_ANONYMOUS, settings.RATE_LIMIT_FREE, settings.RATE_LIMIT_ENTERPRISE = "3/m", "5/h", "50/h"


def call(path: str = "/api/v1/packages", address: str = "203.0.113.9", **headers: str) -> HttpResponse:
    request = RequestFactory().get(path, headers={"Accept": "application/json", **headers}, REMOTE_ADDR=address)
    return WhoIsAsking(RateLimits(lambda passed: HttpResponse("fine")))(request)


def statuses(times: int, **how: str) -> list[int]:
    return [call(**how).status_code for _ in range(times)]


@time_machine.travel(NOON + 10, tick=False)
def test_an_anonymous_address_is_limited_and_told_so():
    first = call()
    assert (first["X-RateLimit-Limit"], first["X-RateLimit-Remaining"]) == ("3", "2")
    assert first["X-RateLimit-Reset"] == str(NOON + 60)
    assert statuses(3) == [200, 200, 429]
    refused = call()
    assert refused["Retry-After"] == "50"
    assert refused["X-RateLimit-Remaining"] == "0"
    assert refused["Content-Type"] == "application/json"
    assert b'"statusCode":429' in refused.content


def test_the_next_window_begins_anew():
    with time_machine.travel(NOON, tick=False):
        assert statuses(4)[-1] == 429
    with time_machine.travel(NOON + 60, tick=False):
        assert statuses(1) == [200]


@time_machine.travel(NOON, tick=False)
def test_both_bases_count_and_pages_do_not():
    call("/v1/packages")
    assert call("/api/v1/packages")["X-RateLimit-Remaining"] == "1"
    for path in ("/", "/packages", "/health", "/static/css/site.css"):
        assert "X-RateLimit-Limit" not in call(path)


@time_machine.travel(NOON, tick=False)
def test_an_ipv6_network_of_64_bits_is_one_caller():
    assert statuses(3, address="2001:db8::1") == [200, 200, 200]
    assert statuses(1, address="2001:db8::ffff:2") == [429]
    assert statuses(1, address="2001:db8:0:1::1") == [200]


@time_machine.travel(NOON, tick=False)
def test_a_forged_forwarding_header_makes_no_new_caller():
    answers = [call(**{"X-Forwarded-For": f"198.51.100.{number}"}).status_code for number in range(4)]
    assert answers == [200, 200, 200, 429]


@time_machine.travel(NOON, tick=False)
def test_a_project_is_limited_by_its_tier_over_all_its_tokens(cast):
    one, two = token(cast.alice, "read"), token(cast.bob, "read")
    answers = [call(**bearer(raw)).status_code for raw in (one, two, one, two, one, two)]
    assert answers == [200, 200, 200, 200, 200, 429]
    assert statuses(1) == [200]
    cast.acme.tier = "enterprise"
    cast.acme.save()
    assert call(**bearer(one))["X-RateLimit-Limit"] == "50"


@time_machine.travel(NOON, tick=False)
def test_a_project_may_have_a_limit_of_its_own(cast):
    cast.acme.rate_limit = "7/m"
    cast.acme.save()
    assert call(**bearer(token(cast.alice, "read")))["X-RateLimit-Limit"] == "7"


@pytest.mark.django_db
@time_machine.travel(NOON, tick=False)
def test_guessing_tokens_counts_against_the_address():
    assert statuses(4, Authorization="Bearer nonsense")[-1] == 429


def test_of_many_requests_at_once_no_more_than_the_limit_pass():
    allowed, rate = [], Rate(40, 3600)

    def ask() -> None:
        for _ in range(20):
            count = rate_limiting.hit("crowd", rate)
            if not count.is_exceeded:
                allowed.append(count.used)

    crowd = [threading.Thread(target=ask) for _ in range(16)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert sorted(allowed) == list(range(1, 41))


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("100/m", Rate(100, 60)),
        ("1200/h", Rate(1200, 3600)),
        (" 5/s ", Rate(5, 1)),
        ("", Rate(0, 60)),
        ("x", Rate(0, 60)),
    ],
)
def test_rates_are_read_as_the_settings_write_them(text, rate):
    assert rate_limiting.parse(text) == rate


def test_no_rate_means_no_limit(settings):
    settings.RATE_LIMIT_ANONYMOUS = ""
    answers = [call() for _ in range(10)]
    assert {answer.status_code for answer in answers} == {200}
    assert "X-RateLimit-Limit" not in answers[0]


def test_a_dead_redis_limits_nobody_and_is_not_waited_for(settings, monkeypatch):
    monkeypatch.setattr(rate_limiting, "_silent_until", 0.0)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    began = time.monotonic()
    assert [rate_limiting.count(Actor(address="203.0.113.9")).is_exceeded for _ in range(50)] == [False] * 50
    assert time.monotonic() - began < 5
    monkeypatch.setattr(rate_limiting, "_silent_until", 0.0)
