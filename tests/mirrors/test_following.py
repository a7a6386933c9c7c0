"""Following the feed: what comes, what goes first, what is owed, what waits, and that nobody waits for another."""

import json
from datetime import time, timedelta

import pytest
import time_machine
from django.utils import timezone

from registry import documents, storage, tasks
from registry.mirrors import following, holding, layout, replicating, stores
from registry.mirrors.models import Debt, Mirror, Replica
from registry.models import Artifact, Change, Package
from tests import builders
from tests.mirrors import regions

pytestmark = pytest.mark.django_db


def document(mirror: Mirror, package: Package) -> dict | None:
    """What the region says of the package."""
    body = stores.of(mirror).read(layout.document_of(package))
    return None if body is None else json.loads(body)


def has(mirror: Mirror, release) -> bool:
    """Whether the region holds the version's bytes, whole."""
    return stores.of(mirror).digest_of(layout.file_of(release.sha256)) is not None


def test_what_is_approved_stands_there_named_and_whole(anywhere, cast):
    first, second = regions.held(cast.acme, "core"), regions.held(cast.acme, "@acme/wide", "2.0.0")
    regions.catch_up()
    store = stores.of(anywhere)
    for release in (first, second):
        artifact = release.artifacts.get()
        assert store.digest_of(layout.file_of(artifact.sha256)) == (artifact.size, artifact.sha256)
        told = document(anywhere, release.package)
        assert [row["version"] for row in told["versions"]] == [release.version] == [told["version"]]
        for name, target in layout.links_of(release.package, artifact, is_first=True).items():
            assert store.target_of(name) == target
        for name, target in layout.names_of(release.package).items():
            assert store.target_of(name) == target
    anywhere.refresh_from_db()
    assert anywhere.applied_seq == Change.objects.latest("seq").seq
    assert anywhere.last_success_at is not None


@pytest.mark.parametrize("kind", ["quarantined", "rejected", "purged", "private"])
def test_what_may_not_stand_goes_with_all_its_names(anywhere, cast, kind):
    gone, stays = regions.held(cast.acme, "core", "1.0.0"), regions.held(cast.acme, "core", "2.0.0")
    regions.catch_up()
    if kind == "private":
        Package.objects.filter(pk=gone.package_id).update(visibility="private")
        documents.rebuild(gone.package)
    else:
        how = {"purged_at": timezone.now()} if kind == "purged" else {"status": kind}
        regions.change(gone, kind, **how)
    regions.catch_up()
    left = [one.key for part in ("files/", "packages/", "names/") for one in stores.of(anywhere).entries(part)]
    assert not [key for key in left if gone.sha256 in key or "/1.0.0/" in key]
    if kind == "private":
        assert left == []
    else:
        assert [row["version"] for row in document(anywhere, stays.package)["versions"]] == ["2.0.0"]
        assert layout.file_of(stays.sha256) in left


def test_an_unlisted_version_stays_by_its_number_only(frankfurt, cast):
    release = regions.held(cast.acme, "core")
    regions.catch_up()
    regions.change(release, "unlisted", unlisted_at=timezone.now())
    regions.catch_up()
    told = document(frankfurt, release.package)
    assert (told["version"], told["dist_tags"], told["versions"][0]["unlisted"]) == ("", {}, True)
    assert has(frankfurt, release)


def test_bytes_that_two_versions_share_stay_for_the_other(frankfurt, cast):
    one, two = (regions.held(cast.acme, name, body=b"the same") for name in ("core", "twin"))
    regions.catch_up()
    regions.change(one, "quarantined", status="quarantined")
    regions.catch_up()
    assert has(frankfurt, two)
    assert regions.differences(frankfurt) == []


def test_removals_travel_ahead_of_everything_that_was_added_before_them(frankfurt, cast, monkeypatch):
    bad = regions.held(cast.acme, "bad")
    regions.catch_up()
    for number in range(3):
        regions.held(cast.acme, f"new-{number}")
    regions.change(bad, "quarantined", status="quarantined")
    order, real = [], replicating.bring_in_line

    def noted(to, package, **how):
        order.append(package.name)
        return real(to, package, **how)

    monkeypatch.setattr(replicating, "bring_in_line", noted)
    regions.catch_up()
    assert order[0] == "bad"
    assert regions.differences(frankfurt) == []


def test_a_closed_window_holds_back_what_is_new_and_nothing_that_must_go(frankfurt, cast):
    bad, noon = regions.held(cast.acme, "bad"), timezone.now().replace(hour=12)
    regions.catch_up()
    Mirror.objects.update(window_opens=time(22), window_closes=time(4))
    with time_machine.travel(noon, tick=False):
        new = regions.held(cast.acme, "new")
        regions.change(bad, "quarantined", status="quarantined")
        regions.catch_up()
        assert (has(frankfurt, bad), has(frankfurt, new)) == (False, False)
        following.catch_up()
        assert tasks.due() == []  # until it opens there is nothing to do
    with time_machine.travel(noon + timedelta(hours=11), tick=False):
        regions.catch_up()
        assert has(frankfurt, new)


def test_a_document_never_names_what_waits_for_the_window(frankfurt, cast):
    old, noon = regions.held(cast.acme, "core", "1.0.0"), timezone.now().replace(hour=12)
    bad = regions.held(cast.acme, "core", "1.5.0")
    regions.catch_up()
    Mirror.objects.update(window_opens=time(22), window_closes=time(4))
    with time_machine.travel(noon, tick=False):
        regions.held(cast.acme, "core", "2.0.0")
        regions.change(bad, "quarantined", status="quarantined")
        regions.catch_up()
    told = document(frankfurt, old.package)
    assert (told["version"], [row["version"] for row in told["versions"]]) == ("1.0.0", ["1.0.0"])


def test_a_paused_region_gets_nothing_and_catches_up_when_resumed(frankfurt, cast):
    from registry.mirrors import regions as verbs

    verbs.pause(frankfurt, builders.actor(cast.root))
    release = regions.held(cast.acme, "core")
    regions.catch_up()
    assert not has(frankfurt, release) if stores.root_of(frankfurt).is_dir() else True
    verbs.resume(frankfurt, builders.actor(cast.root))
    tasks.drain()
    assert has(frankfurt, release)


# --- faults --------------------------------------------------------------------------------------------------------
def test_a_package_that_cannot_be_read_here_is_owed_and_stops_nobody(frankfurt, cast):
    broken, sound = regions.held(cast.acme, "broken"), regions.held(cast.acme, "sound")
    path = storage.local_path(broken.artifacts.get().blob)
    body = path.read_bytes()
    path.write_bytes(b"?" * len(body))
    regions.catch_up()
    debt = Debt.objects.get()
    assert (debt.package, debt.attempts, "Mismatch" in debt.last_error) == (broken.package, 1, True)
    assert (has(frankfurt, broken), has(frankfurt, sound)) == (False, True)
    frankfurt.refresh_from_db()
    assert frankfurt.applied_seq == Change.objects.latest("seq").seq
    path.write_bytes(body)
    with time_machine.travel(debt.due_at + timedelta(seconds=1)):
        regions.catch_up()
    assert has(frankfurt, broken)
    assert not Debt.objects.exists()


def test_debts_are_tried_for_ever_and_ever_more_seldom(frankfurt, cast):
    broken = regions.held(cast.acme, "broken")
    storage.local_path(broken.artifacts.get().blob).unlink()
    regions.catch_up()
    rests = []
    for _ in range(14):
        debt = Debt.objects.get()
        with time_machine.travel(debt.due_at + timedelta(seconds=1), tick=False):
            regions.catch_up()
            rests.append(round((Debt.objects.get().due_at - timezone.now()).total_seconds()))
    assert rests[:4] == [4, 8, 16, 32]
    assert rests[-1] == 300
    assert Debt.objects.get().attempts == 15


def test_a_region_that_fails_rests_and_the_others_go_on(frankfurt, cast, tmp_path):
    (tmp_path / "in the way").write_text("a file where a directory should be")
    warsaw = regions.region(tmp_path / "in the way", "warsaw", country="PL")
    release = regions.held(cast.acme, "core")
    regions.catch_up()
    assert has(frankfurt, release)
    warsaw.refresh_from_db()
    assert (warsaw.applied_seq, warsaw.strikes) == (0, 1)
    assert warsaw.retry_at > timezone.now()
    assert warsaw.last_error
    (tmp_path / "in the way").unlink()
    with time_machine.travel(warsaw.retry_at + timedelta(seconds=1)):
        regions.catch_up()
    warsaw.refresh_from_db()
    assert (has(warsaw, release), warsaw.strikes, warsaw.last_error) == (True, 0, "")


def test_a_region_is_written_to_by_one_at_a_time_and_nothing_is_missed(frankfurt, cast):
    with holding.hold(frankfurt.pk) as first:
        assert first is not None
        release = regions.held(cast.acme, "core")
        regions.catch_up()
        assert not stores.root_of(frankfurt).exists()
    with time_machine.travel(timezone.now() + timedelta(seconds=1)):
        regions.catch_up()
    assert has(frankfurt, release)
    later = time_machine.travel(timezone.now() + timedelta(seconds=holding.SECONDS + 1))
    with holding.hold(frankfurt.pk), later, holding.hold(frankfurt.pk) as second:
        assert second is not None  # the first one is dead, as far as anybody can tell


def test_what_was_half_noted_is_withdrawn_like_the_rest(frankfurt, cast):
    """A crash after the copy and before it was noted as standing."""
    release = regions.held(cast.acme, "core")
    regions.catch_up()
    Replica.objects.update(state=Replica.State.PENDING)
    regions.change(release, "quarantined", status="quarantined")
    regions.catch_up()
    assert not has(frankfurt, release)


def test_a_rebuild_copies_everything_again(frankfurt, cast):
    from registry.mirrors import regions as verbs

    release = regions.held(cast.acme, "core")
    regions.catch_up()
    path = stores.root_of(frankfurt) / layout.file_of(release.sha256)
    path.write_bytes(b"rotten")
    verbs.rebuild(frankfurt, builders.actor(cast.root))
    tasks.drain()
    frankfurt.refresh_from_db()
    assert regions.differences(frankfurt) == []
    assert (frankfurt.drift["corrupt"], frankfurt.comparing) == (0, {})


def test_many_versions_cost_few_queries(frankfurt, cast, django_assert_max_num_queries):
    for number in range(6):
        regions.held(cast.acme, "core", f"1.{number}.0")
    following.catch_up()
    with django_assert_max_num_queries(45):
        tasks.drain()
    assert Artifact.objects.count() == Replica.objects.filter(state="present").count() == 6
