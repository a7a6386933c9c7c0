"""The status page says in one sentence how the regions stand, shows each on the map, and tells strangers no secret."""

import re

import pytest
from django.utils import timezone

from registry.mirrors.models import Mirror
from registry.web import charts, europe

pytestmark = pytest.mark.django_db
PLACES = {"frankfurt": (50.11, 8.68), "paris": (48.86, 2.35), "warsaw": (52.23, 21.01)}


@pytest.fixture
def regions():
    Mirror.objects.all().delete()
    now = timezone.now()
    for region, (latitude, longitude) in PLACES.items():
        Mirror.objects.create(
            region=region, city=region.title(), country="DE", latitude=latitude, longitude=longitude,
            probed_at=now, answered_at=now, latencies=[4.0, 2.0, 8.0],
        )  # fmt: skip


def text_of(client, path="/status") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_a_healthy_page_says_so_first_and_names_every_region(regions, client):
    said = text_of(client)
    assert "All 3 regions answer and hold what is approved" in said
    for city in ("Frankfurt", "Paris", "Warsaw"):
        assert said.count(city) == 2, "on the map, and on its card"
    assert "p50 4.0 · p95 8.0" in said


def test_what_failed_word_for_word_is_for_maintainers(regions, client, bob):
    Mirror.objects.filter(region="paris").update(probe_error="/srv/secret/place: Read-only file system")
    said = text_of(client)
    assert "2 of 3 regions are healthy" in said
    assert "It does not answer." in said
    assert "/srv/secret" not in said
    client.force_login(bob)
    assert "/srv/secret" in text_of(client)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"probe_error": "no route"}, "No region answers. Installs go on from this portal"),
        ({"probed_at": None, "answered_at": None, "created_at": "2026-01-01T00:00Z"}, "because no worker runs"),
        ({"enabled": False}, "No region is set up: every file is served by this portal alone."),
        ({"window_opens": "22:00", "window_closes": "22:00"}, "at any time"),
    ],
)
def test_every_state_has_its_sentence(regions, client, fields, said):
    Mirror.objects.update(**fields)
    assert said in text_of(client)


def test_the_front_page_says_it_in_one_line(regions, client):
    Mirror.objects.filter(region="paris").update(paused_at=timezone.now())
    assert "2 of 3 regions are healthy" in text_of(client, "/")
    Mirror.objects.update(enabled=False)
    assert "How each of them stands" not in text_of(client, "/")


def test_the_page_costs_one_query_however_many_regions(regions, client, django_assert_num_queries):
    with django_assert_num_queries(1):
        client.get("/status")


def test_places_lie_where_they_should_on_the_map():
    x, y = europe.project(52, 11.5)
    assert (round(x), round(y)) == (235, 262), "the middle of the projection"
    places = {name: europe.project(*where) for name, where in PLACES.items()}
    assert places["paris"][0] < places["frankfurt"][0] < places["warsaw"][0]
    assert places["paris"][1] > places["frankfurt"][1] > places["warsaw"][1]


def test_a_line_needs_two_values_and_ends_at_the_newest():
    assert charts.line([5.0]) is None
    line = charts.line([1.0, 4.0, 2.0])
    assert line is not None
    assert line.points.split() == ["0,23.5", "4,1.0", "8,16.0"]
    assert charts.line([0.0, 0.0]) is not None, "no division by nothing"
