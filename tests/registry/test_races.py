"""Races: many at once, one wins, the others are told so, and nothing is left of them.

RACE_ROUNDS=200 makes the long run. Real threads with connections of their own, on a real database file or server.
"""

import io
import os
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle, islice

import pytest
from django.db import connection

from accounts.actors import ANONYMOUS, Actor
from accounts.errors import RegistryError
from accounts.models import AuditEvent
from registry import approving, counting, publishing, resolving, retiring, storage, tasks
from registry.models import Blob, Decision, DownloadCount, Package, Release
from tests import builders
from tests.registry import invariants

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = int(os.environ.get("RACE_ROUNDS", "2"))
RACERS = 64


def race(attempts: list[Callable[[], object]]) -> Counter[str]:
    """Start every attempt at the same moment, each in a thread of its own; returns how they ended, by code."""
    gate = threading.Barrier(len(attempts))

    def run(attempt: Callable[[], object]) -> str:
        try:
            connection.ensure_connection()
            gate.wait(60)
            attempt()
        except RegistryError as refusal:
            return refusal.code
        finally:
            connection.close()
        return "won"

    with ThreadPoolExecutor(len(attempts)) as pool:
        return Counter(pool.map(run, attempts))


def sending(archive: tuple[bytes, str], actor: Actor) -> Callable[[], object]:
    """One client that publishes a signed archive."""
    body, signature = archive

    def send() -> None:
        with publishing.receive(io.BytesIO(body)) as staged:
            publishing.publish_upload(staged, actor, signature=signature)

    return send


@pytest.fixture
def signed(cast, keys):
    """`signed(name, version, filler)`: an archive and its signature by alice."""
    builders.registered_key(cast.alice, keys["alice"])

    def signed(name: str, version: str, filler: str = "") -> tuple[bytes, str]:
        body = builders.npm_tarball(name, version, files={"filler.js": filler})
        return body, keys["alice"].sign(body)

    return signed


def test_the_same_archive_sent_by_sixty_four_at_once_is_published_once(signed, alice):
    actor = builders.actor(alice)
    for round_ in range(ROUNDS):
        ended = race([sending(signed("left-pad", f"1.0.{round_}"), actor)] * RACERS)
        assert ended == {"won": 1, "version_exists": RACERS - 1}
        assert Blob.objects.count() == Release.objects.count() == round_ + 1
        invariants.assert_bytes_are_those_that_rows_name(settled=True)
    tasks.drain()
    invariants.hold()


def test_sixty_four_different_archives_of_one_version_leave_the_bytes_of_one(signed, alice):
    actor = builders.actor(alice)
    for round_ in range(ROUNDS):
        contenders = [signed("left-pad", f"1.0.{round_}", str(number)) for number in range(RACERS)]
        ended = race([sending(one, actor) for one in contenders])
        assert ended == {"won": 1, "version_exists": RACERS - 1}
        assert Blob.objects.count() == Release.objects.count() == round_ + 1
        invariants.assert_bytes_are_those_that_rows_name(settled=True)
    assert AuditEvent.objects.filter(action="release.publish", outcome="done").count() == ROUNDS
    assert AuditEvent.objects.filter(action="release.publish", outcome="refused").count() == ROUNDS * (RACERS - 1)
    tasks.drain()
    invariants.hold()


def test_different_versions_of_a_new_package_all_stand(signed, alice):
    actor = builders.actor(alice)
    contenders = [signed("fresh", f"1.0.{number}") for number in range(16)]
    assert race([sending(one, actor) for one in contenders]) == {"won": 16}
    assert Package.objects.count() == 1
    tasks.drain()
    assert Package.objects.get().latest_version == "1.0.15"
    invariants.hold()


def test_two_strangers_who_take_a_name_at_once_do_not_share_it(signed, cast, keys):
    builders.registered_key(cast.mallory, keys["mallory"])
    for round_ in range(ROUNDS):
        ours = signed(f"name-{round_}", "1.0.0")
        theirs = builders.npm_tarball(f"name-{round_}", "2.0.0")
        by_alice = sending(ours, builders.actor(cast.alice))
        by_mallory = sending((theirs, keys["mallory"].sign(theirs)), builders.actor(cast.mallory))
        ended = race(list(islice(cycle([by_alice, by_mallory]), 16)))
        assert ended["won"] == 1, ended
        assert ended["NAME_TAKEN"] >= 8, ended
        assert Release.objects.filter(package__name=f"name-{round_}").count() == 1
    tasks.drain()
    invariants.hold()


@pytest.mark.parametrize("against", ["approve", "reject"])
def test_of_sixty_four_decisions_exactly_one_is_made(alice, bob, root, against):
    judges = [builders.actor(bob), builders.actor(root)]
    for round_ in range(ROUNDS):
        release = builders.submitted(alice, version=f"1.{round_}.0")
        tasks.drain()
        decide = {"approve": approving.approve, "reject": approving.reject}
        attempts = [
            partial(decide[word], release, judge, reason="seen")
            for word, judge in islice(cycle(zip(["approve", against], judges, strict=True)), RACERS)
        ]
        assert race(attempts) == {"won": 1, "not_decidable": RACERS - 1}
        assert release.decisions.count() == 1
    assert Decision.objects.count() == ROUNDS
    invariants.hold()


def test_of_two_confusable_names_taken_at_once_exactly_one_passes(signed, alice):
    actor = builders.actor(alice)
    for round_ in range(ROUNDS):
        words = [f"pad-{round_}-one", f"pad{round_}one", f"pad_{round_}_one", f"p-ad{round_}o-ne"]
        contenders = [signed(word, "1.0.0") for word in words]

        def publish_and_check(one: tuple[bytes, str]) -> None:
            sending(one, actor)()
            tasks.run_due()

        attempts = [partial(publish_and_check, one) for one in contenders]
        assert race(attempts) == {"won": 4}
        tasks.drain()
        served = Release.objects.filter(package__name__in=words, status="approved")
        assert [one.package.name for one in served.order_by("submitted_at")] != []
        assert served.count() == 1, list(served.values_list("package__name", flat=True))
    invariants.hold()


def test_many_unlist_at_once_and_one_does(signed, alice, root):
    sending(signed("left-pad", "1.0.0"), builders.actor(alice))()
    tasks.drain()
    release = Release.objects.select_related("package__project", "project").get()
    assert race([lambda: retiring.unlist(release, builders.actor(root))] * 16) == {"won": 1, "already_unlisted": 15}
    assert race([lambda: retiring.restore(release, builders.actor(root))] * 16) == {"won": 1, "not_restorable": 15}
    tasks.drain()
    invariants.hold()


def test_workers_that_race_for_jobs_run_each_once(signed, alice):
    actor = builders.actor(alice)
    for number in range(8):
        sending(signed(f"package-number-{'abcdefgh'[number]}x", "1.0.0"), actor)()
    assert race([tasks.drain] * 8) == {"won": 8}
    tasks.drain()
    assert Decision.objects.count() == Release.objects.count() == 8
    invariants.hold()


def test_publishing_checking_deciding_and_retiring_one_package_at_once_keeps_its_document_right(
    signed, alice, bob, root
):
    actor = builders.actor(alice)
    for number in range(6):
        sending(signed("busy", f"1.0.{number}"), actor)()
    tasks.drain()
    releases = list(Release.objects.select_related("package__project", "project").order_by("pk"))
    attempts: list[Callable[[], object]] = [sending(signed("busy", f"2.0.{number}"), actor) for number in range(6)]
    attempts += [partial(approving.quarantine, one, builders.actor(bob), reason="a worm") for one in releases[:3]]
    attempts += [partial(retiring.unlist, one, builders.actor(root)) for one in releases[3:]]
    attempts += [tasks.drain] * 4
    ended = race(attempts)
    assert ended == {"won": len(attempts)}
    tasks.drain()
    invariants.hold()
    assert Package.objects.get().latest_version == "2.0.5"


def test_downloads_counted_at_once_are_all_counted(signed, alice):
    sending(signed("left-pad", "1.0.0"), builders.actor(alice))()
    tasks.drain()
    release = resolving.find_release(Package.objects.get(), "1.0.0", builders.actor(alice))
    assert race([lambda: counting.count(release, ANONYMOUS)] * 32) == {"won": 32}
    counting.fold()
    assert DownloadCount.objects.get().count == 32


def test_cleaning_up_while_sixty_four_publish_takes_nothing_away(signed, alice):
    actor = builders.actor(alice)
    contenders = [signed("left-pad", f"3.0.{number}") for number in range(16)]
    cleaners: list[Callable[[], object]] = [storage.reconcile] * 8
    ended = race([sending(one, actor) for one in contenders] + cleaners)
    assert ended == {"won": 24}
    tasks.drain()
    invariants.hold()
