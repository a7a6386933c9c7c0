"""Walking through keys page by page loses none and repeats none, however they were made."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import close_old_connections, connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.models import Project
from licensing import keys
from licensing.models import LicenseKey
from tests import builders

START = keys.from_ms(1_700_000_000_000)


def rows_at(project: Project, *milliseconds: int) -> None:
    """Keys made at these milliseconds, as an import could; microseconds set them apart for nobody."""
    LicenseKey.objects.bulk_create(
        LicenseKey(
            project=project,
            name=str(number),
            digest=f"{LicenseKey.objects.count()}-{number}",
            sealed="",
            ending="",
            created_at=START + timedelta(milliseconds=at, microseconds=number * 37 % 1000),
        )
        for number, at in enumerate(milliseconds)
    )


def walk(project: Project, limit: int, since: Any, until: Any) -> tuple[list[Any], list[Any]]:
    """What is met from the first page on, and then on the way back from the last page to the oldest key."""
    page = keys.page(project, since, until, limit)
    there = [row.pk for row in page.keys]
    is_first = page.after is None and since is None
    while page.after is not None:
        page = keys.page(project, page.after, until, limit)
        assert page.keys
        there += [row.pk for row in page.keys]
    back = [row.pk for row in page.keys]
    assert (page.before is None) or not is_first
    while page.before is not None:
        page = keys.page(project, page.before, until, limit)
        assert page.keys
        back = [row.pk for row in page.keys] + back
    return there, back


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@example(moments=[0, 1], limit=2, bounds=(1, None))
@given(
    moments=st.lists(st.integers(0, 6), max_size=12),
    limit=st.integers(1, 5),
    bounds=st.tuples(st.none() | st.integers(-1, 7), st.none() | st.integers(-1, 8)),
)
def test_every_key_between_the_bounds_is_met_once_and_on_the_way_back_too(cast, moments, limit, bounds):
    LicenseKey.objects.all().delete()
    rows_at(cast.acme, *moments)
    rows_at(cast.elsewhere, *moments)
    since, until = (None if one is None else START + timedelta(milliseconds=one) for one in bounds)
    every = LicenseKey.objects.filter(project=cast.acme).order_by("created_at", "pk")
    before_the_end = [row for row in every if until is None or row.created_at < until]
    there, back = walk(cast.acme, limit, since, until)
    assert there == [row.pk for row in before_the_end if since is None or row.created_at >= since]
    assert list(dict.fromkeys(back)) == [row.pk for row in before_the_end]
    if len(moments) == len(set(moments)):  # else a millisecond that is left as a whole is met again
        early = sum(since is not None and row.created_at < since for row in before_the_end) % limit
        again = min(limit, len(before_the_end)) - early if early else 0  # the oldest page is full, wherever one began
        assert len(back) - len(set(back)) == again


def test_a_page_ends_with_the_whole_of_its_last_millisecond(cast):
    rows_at(cast.acme, 0, 1, 1, 1, 2)
    page = keys.page(cast.acme, None, None, 2)
    assert ([keys.to_ms(one.created_at) % 1000 for one in page.keys], keys.to_ms(page.after)) == (
        [0, 1, 1, 1],
        1_700_000_000_002,
    )


@pytest.mark.django_db(transaction=True)
def test_whoever_walks_while_others_sell_misses_nothing():
    """Four sellers make keys at once; a walker who goes on from `next`, or from where they stood, meets each one once.

    A key that appeared with an earlier time than one that was met already would be lost for ever.
    """
    cast = builders.assemble_cast()
    package = builders.package(cast.acme, "@acme/secret", visibility="private")
    actor = builders.actor(cast.alice)
    failed: list[BaseException] = []

    def sell() -> None:
        try:
            for _ in range(8):
                keys.create(keys.Wanted(packages=(package.name,)), actor)
        except BaseException as error:  # told to the test below
            failed.append(error)
        finally:
            connection.close()

    sellers = [threading.Thread(target=sell) for _ in range(4)]
    for one in sellers:
        one.start()
    met: list[Any] = []
    since = None
    while any(one.is_alive() for one in sellers) or since is None:
        page = keys.page(cast.acme, since, None, 3)
        met += [row.pk for row in page.keys]
        if page.keys:
            since = keys.from_ms(keys.to_ms(page.keys[-1].created_at) + 1)
        close_old_connections()
    for one in sellers:
        one.join()
    while True:
        page = keys.page(cast.acme, since, None, 3)
        met += [row.pk for row in page.keys]
        if page.after is None:
            break
        since = page.after
    assert failed == []
    made = list(LicenseKey.objects.order_by("created_at").values_list("pk", "created_at"))
    assert met == [pk for pk, _ in made]
    assert len({keys.to_ms(at) for _, at in made}) == 32
