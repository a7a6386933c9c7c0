"""What is taken back stays away: no rebuild, comparison or write that was given up brings it back or forgets it."""

import hashlib
import os
import threading
from datetime import time

import pytest
import time_machine
from django.utils import timezone

from registry import tasks
from registry.mirrors import comparing, following, holding, layout, stores
from registry.mirrors import regions as verbs
from registry.mirrors.models import Mirror
from registry.mirrors.patience import Patient
from registry.mirrors.replicating import Destination
from registry.models import Job
from tests import builders
from tests.mirrors import regions

pytestmark = pytest.mark.django_db


def test_what_is_quarantined_while_a_region_is_rebuilt_leaves_it(frankfurt, cast):
    first, taken_back = regions.held(cast.acme, "core"), regions.held(cast.acme, "wide")
    regions.catch_up()
    verbs.rebuild(frankfurt, builders.actor(cast.root))
    regions.change(taken_back, "quarantined", status="quarantined")
    Job.objects.filter(kind="rebuild").delete()  # its comparison has passed the file by already
    regions.catch_up()
    assert regions.differences(frankfurt) == []
    store = stores.of(frankfurt)
    assert [store.digest_of(layout.file_of(one.sha256)) is None for one in (first, taken_back)] == [False, True]


def test_what_stands_keeps_being_served_while_a_rebuild_waits_for_its_window(frankfurt, cast):
    both = [regions.held(cast.acme, "core", version) for version in ("1.0.0", "2.0.0")]
    regions.change(both[0], "changed")
    regions.catch_up()
    Mirror.objects.update(window_opens=time(22), window_closes=time(4))
    with time_machine.travel(timezone.now().replace(hour=12), tick=False):
        verbs.rebuild(frankfurt, builders.actor(cast.root))
        Job.objects.filter(kind="rebuild").delete()  # its comparison would mend what it finds gone
        following.catch_up()
        tasks.enqueue("replicate", frankfurt.pk)
        tasks.drain()
        assert regions.differences(frankfurt) == []
        regions.change(both[0], "quarantined", status="quarantined")
        regions.catch_up()
        assert regions.differences(frankfurt) == []


def test_what_a_comparison_took_away_comes_back_when_it_may_stand_again_at_once(frankfurt, cast):
    release = regions.held(cast.acme, "core")
    regions.catch_up()
    regions.change(release, "quarantined", status="quarantined")
    with holding.hold(frankfurt.pk) as hold:
        mirror = Mirror.objects.get()
        comparing.ask_for(mirror)
        comparing.go_on(Destination(mirror, Patient(stores.of(mirror)), hold), 1e12)
    regions.change(release, "approved", status="approved")
    Mirror.objects.update(comparing={})
    regions.catch_up()
    assert regions.differences(frankfurt) == []


def test_a_write_that_was_given_up_ends_without_its_file(tmp_path):
    body = b"bytes that came too late"
    sha256 = hashlib.sha256(body).hexdigest()
    os.mkfifo(tmp_path / "slow")
    store = Patient(stores.Directory(tmp_path / "region"), seconds=0.05)
    before = set(threading.enumerate())
    with pytest.raises(TimeoutError):
        store.put(layout.file_of(sha256), tmp_path / "slow", len(body), sha256)
    (given_up,) = set(threading.enumerate()) - before
    (tmp_path / "slow").write_bytes(body)
    given_up.join()
    assert list(regions.files(tmp_path / "region")) == []
