"""Probing: every region at once, with a hard limit, so that one that hangs delays nobody."""

import os
import socket
import threading

import pytest

from registry import documents, tasks
from registry.mirrors import patience, probing, stores
from registry.mirrors.models import Mirror
from registry.models import Job
from tests.mirrors import regions

pytestmark = pytest.mark.django_db


def fresh(mirror: Mirror) -> Mirror:
    """The row as it is now."""
    return Mirror.objects.get(pk=mirror.pk)


def test_what_answers_is_noted_with_its_round_trip_and_leaves_nothing(anywhere):
    for _ in range(2):
        probing.probe_all()
    told = fresh(anywhere)
    assert (told.probe_error, told.answered_at, len(told.latencies)) == ("", told.probed_at, 2)
    assert all(0 < one < 3000 for one in told.latencies)
    assert stores.of(anywhere).entries(".probe/") == []


def test_sixty_round_trips_are_kept(frankfurt):
    Mirror.objects.update(latencies=[1.0] * 60)
    probing.probe_all()
    latencies = fresh(frankfurt).latencies
    assert (len(latencies), latencies[-1] != 1.0) == (60, True)


def test_a_region_that_hangs_is_given_up_on_and_the_others_are_told_of(frankfurt, tmp_path, monkeypatch):
    """A listener that never answers stands for every server and disk that does not."""
    monkeypatch.setattr(probing, "LIMIT_SECONDS", 0.5)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "tests")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"s3://silent/x?endpoint_url=http://127.0.0.1:{silent.getsockname()[1]}&region_name=eu-central-1"
        paris = regions.region(url, "paris", country="FR")
        probing.probe_all()
        before = threading.active_count()
        probing.probe_all()
        assert threading.active_count() <= before  # the one that hangs is not asked twice at a time
    assert (fresh(frankfurt).probe_error, len(fresh(frankfurt).latencies)) == ("", 2)
    told = fresh(paris)
    assert (told.answered_at, told.latencies, "No answer" in told.probe_error) == (None, [], True)


def test_a_region_that_answers_again_is_caught_up_with_at_once(frankfurt, cast, tmp_path):
    place = stores.root_of(frankfurt)
    place.write_text("a file where a directory should be")
    probing.probe_all()
    release = regions.held(cast.acme, "core")
    regions.catch_up()
    assert (fresh(frankfurt).applied_seq, bool(fresh(frankfurt).probe_error)) == (0, True)
    assert not Job.objects.filter(kind="replicate", state="open").exists()
    place.unlink()
    probing.probe_all()
    tasks.drain()
    assert regions.differences(frankfurt) == []
    assert release.sha256 in {path.name for path in regions.files(place)}


def test_neither_paused_nor_disabled_regions_are_asked(frankfurt):
    Mirror.objects.update(enabled=False)
    probing.probe_all()
    assert fresh(frankfurt).probed_at is None


def test_a_directory_that_hangs_ends_the_run_and_not_the_worker(frankfurt, cast, monkeypatch):
    """A pipe that nobody writes to makes every reader wait, as a dead network disk does."""
    monkeypatch.setattr(patience, "SECONDS", 0.3)
    release = regions.held(cast.acme, "core")
    regions.catch_up()
    path = stores.root_of(frankfurt) / "packages/npm/-/core/package.json"
    path.unlink()
    os.mkfifo(path)
    store = patience.Patient(stores.of(frankfurt), 0.3)
    with pytest.raises(OSError, match="within 0 s"):
        store.open("packages/npm/-/core/package.json")
    documents.rebuild(release.package)
    regions.catch_up()
    assert path.is_file()  # what is written is put in its place, whatever stood there
