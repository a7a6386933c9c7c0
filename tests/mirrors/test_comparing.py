"""Comparing: what is missing, rotten or too much is found, mended and counted; what is not ours stays."""

import pytest
from django.utils import timezone

from registry import storage, tasks
from registry.mirrors import comparing, layout, stores
from registry.mirrors import regions as verbs
from registry.mirrors.models import Debt, Mirror
from registry.models import Blob
from tests import builders
from tests.mirrors import regions

pytestmark = pytest.mark.django_db


def compared(mirror: Mirror, cast) -> dict[str, int]:
    """What a full comparison, asked for by an admin, reports."""
    verbs.verify(mirror, builders.actor(cast.root))
    tasks.drain()
    mirror.refresh_from_db()
    assert (mirror.comparing, mirror.compared_at is not None) == ({}, True)
    return mirror.drift


def sound(checked: int) -> dict[str, int]:
    """The report on a region without drift."""
    return {"missing": 0, "corrupt": 0, "extra": 0, "mended": 0, "checked": checked}


@pytest.fixture
def filled(anywhere, cast) -> Mirror:
    """A region that holds three packages."""
    for name in ("core", "@acme/wide", "third"):
        regions.held(cast.acme, name)
    regions.catch_up()
    return anywhere


def test_what_is_in_line_is_reported_as_such(filled, cast):
    assert compared(filled, cast) == sound(3 * (1 + 1 + 2 + 2))  # the file, the document, two names for each


def test_drift_of_every_kind_is_mended_and_counted(filled, cast):
    store, before = stores.of(filled), contents(filled)
    files = sorted(key for key in before if key.startswith("files/"))
    store.delete(files[0])
    store.write(files[1], b"rotten")
    store.write(files[2], before[files[2]][:-1] + b"?")  # of the right size
    said = "packages/npm/-/core/package.json"
    store.write(said, b"{}")
    store.delete("packages/npm/@acme/wide/package.json")
    store.link("names/any/-/core", "packages/npm/-/third")
    store.delete("packages/npm/-/third/versions/1.0.0/download")
    store.write(layout.file_of("ab" * 32), b"nobody knows it")
    store.write("packages/npm/-/gone/package.json", b"{}")
    store.link("names/npm/-/gone", "packages/npm/-/gone")
    report = compared(filled, cast)
    assert {name: report[name] for name in ("missing", "corrupt", "extra")} == {"missing": 3, "corrupt": 4, "extra": 3}
    assert report["mended"] == 10
    assert contents(filled) == before
    assert compared(filled, cast) == sound(18)


def contents(mirror: Mirror) -> dict[str, bytes]:
    """Everything that the region holds, links by where they lead."""
    store, found = stores.of(mirror), {}
    for part in ("files/", "packages/", "names/"):
        for one in store.entries(part, limit=1000):
            target = store.target_of(one.key)
            found[one.key] = target.encode() if target else store.read(one.key)
    return found


def test_what_is_not_ours_by_the_form_of_its_name_is_left_alone(filled, cast):
    store = stores.of(filled)
    foreign = ["index.html", "files/readme.txt", "files/sha256/ab/cd/short", "packages/other/x.json", "names/npm/flat"]
    for key in foreign:
        store.write(key, b"theirs")
    assert compared(filled, cast)["extra"] == 0
    assert [store.read(key) for key in foreign] == [b"theirs"] * len(foreign)


def test_what_is_only_behind_is_no_drift(frankfurt, cast):
    regions.held(cast.acme, "core")
    regions.catch_up()
    Mirror.objects.update(window_opens="00:00", window_closes="00:01", withdrawn_seq=10**9)
    if timezone.now().time().hour == 0:
        Mirror.objects.update(window_opens="12:00", window_closes="12:01")
    regions.held(cast.acme, "late")
    assert compared(frankfurt, cast) == sound(6)


def test_what_rots_there_and_is_held_back_here_goes_until_it_can_be_mended(frankfurt, cast):
    release = regions.held(cast.acme, "core")
    regions.catch_up()
    blob, key = release.artifacts.get().blob, layout.file_of(release.sha256)
    body = storage.local_path(blob).read_bytes()
    storage.local_path(blob).unlink()
    Blob.objects.filter(pk=blob.pk).update(state=Blob.State.QUARANTINED)
    stores.of(frankfurt).write(key, b"rotten")
    report = compared(frankfurt, cast)
    assert (report["corrupt"], report["mended"], stores.of(frankfurt).read(key)) == (1, 0, None)
    assert Debt.objects.get().package == release.package
    storage.local_path(blob).write_bytes(body)
    Blob.objects.filter(pk=blob.pk).update(state=Blob.State.READY)
    Debt.objects.update(due_at=timezone.now())
    regions.catch_up()
    assert stores.of(frankfurt).read(key) == body


def test_a_comparison_goes_on_where_it_was_cut_off(filled, cast, monkeypatch):
    monkeypatch.setattr(comparing, "AT_ONCE", 2)
    stores.of(filled).delete("packages/npm/-/third/package.json")
    Mirror.objects.update(comparing={**comparing._fresh(), "part": "packages", "after": "1"})
    regions.catch_up()
    filled.refresh_from_db()
    assert (filled.comparing, filled.drift["missing"]) == ({}, 1)
    assert compared(filled, cast) == sound(18)


def test_every_followed_region_is_compared_once_a_day(frankfurt, cast):
    tasks.run_periodic("daily")
    tasks.drain()
    frankfurt.refresh_from_db()
    assert frankfurt.drift == sound(0)
