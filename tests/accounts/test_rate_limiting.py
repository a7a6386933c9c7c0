"""Limits per project tier and per anonymous address, counted where all processes see them."""

import pytest
import time_machine
from django.http import HttpResponse
from django.test import RequestFactory

from accounts import rate_limiting
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


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("100/m", Rate(100, 60)),
        ("1200/h", Rate(1200, 3600)),
        (" 5/s ", Rate(5, 1)),
        ("", Rate(0, 60)),
        ("x", None),
        ("-5/m", None),
        ("5/fortnight", None),
        ("٣/m", None),
    ],
)
def test_rates_are_read_as_the_settings_write_them(text, rate):
    assert rate_limiting.parse(text) == rate


def test_no_rate_means_no_limit(settings):
    settings.RATE_LIMIT_ANONYMOUS = ""
    answers = [call() for _ in range(10)]
    assert {answer.status_code for answer in answers} == {200}
    assert "X-RateLimit-Limit" not in answers[0]


@time_machine.travel(NOON, tick=False)
def test_a_rate_that_cannot_be_read_lifts_no_limit(settings, cast):
    settings.RATE_LIMIT_ANONYMOUS = "a hundred"
    assert call()["X-RateLimit-Limit"] == "100"
    raw = token(cast.alice, "read")
    cast.acme.rate_limit = "lots"
    cast.acme.save()
    assert call(**bearer(raw))["X-RateLimit-Limit"] == "5"
    settings.RATE_LIMIT_FREE = "12OO/h"
    assert call(**bearer(raw))["X-RateLimit-Limit"] == "1200"


def client_after(*hops: str) -> str:
    """The X-RateLimit-Remaining of a caller whom proxies have told of so."""
    return call(address="10.0.0.1", **({"X-Forwarded-For": ", ".join(hops)} if hops else {}))["X-RateLimit-Remaining"]


@pytest.mark.parametrize(
    ("proxies", "told", "same_caller"),
    [
        (0, ["198.51.100.1"], ["198.51.100.2"]),
        (1, ["1.1.1.1", "198.51.100.1"], ["2.2.2.2", "198.51.100.1"]),
        (2, ["1.1.1.1", "198.51.100.1", "10.0.0.2"], ["2.2.2.2", "198.51.100.1", "10.0.0.3"]),
        (2, ["198.51.100.1"], ["198.51.100.1"]),
    ],
)
@time_machine.travel(NOON, tick=False)
def test_what_the_client_says_of_itself_is_not_heeded(settings, proxies, told, same_caller):
    settings.TRUSTED_PROXIES = proxies
    assert [client_after(*told), client_after(*same_caller)] == ["2", "1"]


@pytest.mark.parametrize("proxies", [1, 2])
@time_machine.travel(NOON, tick=False)
def test_callers_whom_trusted_proxies_tell_apart_are_counted_apart(settings, proxies):
    settings.TRUSTED_PROXIES = proxies
    beyond = ["10.0.0.2"] * (proxies - 1)
    assert [client_after("198.51.100.1", *beyond), client_after("198.51.100.2", *beyond)] == ["2", "2"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/api/v1/packages/a%2500", "/api/v1/packages/%FF", "/api/v1/nowhere", "/v1/packages?limit=x"]
)
def test_refusals_of_every_kind_carry_the_headers(client, path):
    answer = client.get(path)
    assert answer.status_code in {400, 404}
    assert answer["X-RateLimit-Limit"] == "3"
