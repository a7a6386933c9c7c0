"""Recalling: who took what an advisory touches, who is told of it, and that nobody is told the same twice."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import privacy, tokens
from accounts.actors import ANONYMOUS, Actor
from accounts.errors import Forbidden
from accounts.models import AuditEvent, Membership, User
from registry import counting, tasks
from registry.models import DownloadRecord, Release
from scanning import recalling, telling
from scanning.models import Advisory, Notice, RecallLetter
from tests import builders
from tests.api.clients import ApiClient
from tests.builders import Cast
from tests.scanning.conftest import load, osv, rated

URL = "/advisories/CVE-2026-0001/recall"
FLAW = osv("GHSA-1", aliases=["CVE-2026-0001"], **rated("LOW"))  # which warns: no letters of quarantines between


@pytest.fixture
def taken(cast: Cast, held) -> Release:
    """left-pad 1.0.0 of acme, approved; 2.0.0 mends it."""
    release = held(status="approved")
    builders.release(release.package, "2.0.0")
    return release


def take(release: Release, person: User, project: Any = None, token: str = "") -> None:
    """One download, as the activity counts it; by the token that begins like this, or by the person signed in."""
    credential = str(tokens.resolve(token).pk) if token else ""
    kind = "token" if token else "session"
    counting.count(release, Actor(kind, user=person, project=project, credential_id=credential))


def notify(cast: Cast) -> telling.Told:
    """The click, and what the worker makes of it."""
    told = telling.notify(Advisory.objects.get(osv_id="GHSA-1"), builders.actor(cast.bob))
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        tasks.drain()
    return told


def letters() -> dict[str, str]:
    """What each person was sent since the last time."""
    sent = {letter.to[0]: f"{letter.subject}\n{letter.body}" for letter in mail.outbox}
    assert len(sent) == len(mail.outbox)
    mail.outbox.clear()
    return sent


def test_a_recall_names_versions_takers_and_days_and_no_secret(cast: Cast, taken: Release):
    load(FLAW)
    raw = builders.token(cast.mallory, "read", name="ci")
    with time_machine.travel(timezone.now() - timedelta(days=3)):
        take(taken, cast.mallory, cast.elsewhere, raw)
    take(taken, cast.mallory, cast.elsewhere, raw)
    take(taken, cast.alice)
    counting.count(taken, ANONYMOUS)
    counting.fold()

    answer = ApiClient(builders.token(cast.bob, "review", "read")).get(f"{URL}?limit=1&offset=1")

    found = answer.json()
    [version] = found["versions"]
    assert (found["advisory"], found["known_as"], found["total"]) == ("GHSA-1", ["CVE-2026-0001"], 2)
    assert (version["version"], version["fixed_in"], version["downloads"], version["credentials"]) == (
        "1.0.0", "2.0.0", 4, 2,
    )  # fmt: skip
    [row] = found["taken"]
    assert (row["user"], row["project"], row["count"]) == ("mallory", "elsewhere", 2)
    assert row["first_day"] < row["last_day"]
    assert row["credential"] == {"kind": "token", "name": "ci", "prefix": tokens.resolve(raw).prefix}
    assert raw not in answer.content.decode()
    assert row["notified_at"] is None


def test_one_click_tells_takers_and_owners_once_and_again_only_what_is_new(cast: Cast, taken: Release, settings):
    settings.PUBLIC_URL = "https://packages.example"
    load(FLAW, osv("PYSEC-1", aliases=["CVE-2026-0001"]))
    carol = builders.user("carol")
    take(taken, carol, cast.acme, builders.token(carol, "read", name="laptop"))
    take(taken, cast.bob, cast.elsewhere)

    assert notify(cast) == telling.Told(people=4, versions=1)

    sent = letters()
    assert sorted(sent) == sorted(one.email for one in (cast.alice, cast.bob, carol, cast.mallory))
    assert "your token “laptop”" in sent[carol.email]
    assert "Use 2.0.0 or later." in sent[carol.email]
    assert "https://packages.example/profile/notices" in sent[carol.email]
    assert "by carol for the project acme" in sent[cast.alice.email]
    assert "elsewhere" not in sent[carol.email]
    event = AuditEvent.objects.get(action="advisory.recalled")
    assert (event.object, event.details["people"]) == ("GHSA-1", 4)

    other = telling.notify(Advisory.objects.get(osv_id="PYSEC-1"), builders.actor(cast.bob))
    assert (notify(cast), other, letters()) == (telling.Told(0, 0), telling.Told(0, 0), {})
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        take(taken, carol, cast.acme, builders.token(carol, "read", name="server"))
        assert notify(cast).people == 2
    sent = letters()
    assert sorted(sent) == sorted([carol.email, cast.alice.email])
    assert "“laptop”" not in sent[carol.email]
    assert AuditEvent.objects.filter(action="advisory.recalled").count() == 2


def test_a_mail_server_that_is_away_delays_the_letter_and_loses_none(cast: Cast, taken: Release, settings):
    load(FLAW)
    take(taken, cast.mallory)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    notify(cast)
    assert Notice.objects.get().sent_at is None
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        tasks.drain()
    assert list(letters()) == [cast.mallory.email]


def test_nobody_learns_the_name_of_a_private_package_they_may_not_see(cast: Cast):
    """Mallory took it while she was a member; the owner of her project never was."""
    package = builders.package(cast.acme, "hush", visibility="private")
    release = builders.release(package)
    load(osv("GHSA-1", "hush"))
    take(release, cast.mallory, cast.elsewhere)
    assert notify(cast) == telling.Told(0, 0)
    assert not Notice.objects.exists()
    assert b"hush" not in page(cast.mallory).content

    Membership.objects.create(project=cast.acme, user=cast.mallory, role=Membership.Role.READER)
    assert notify(cast).people == 1
    assert list(letters()) == [cast.mallory.email]
    assert b"hush" in page(cast.mallory).content


def test_those_who_are_confined_to_a_project_learn_of_its_downloads_alone(cast: Cast, taken: Release):
    load(FLAW)
    take(taken, cast.mallory, cast.elsewhere)
    take(taken, cast.alice, cast.acme)
    bound = ApiClient(builders.token(cast.bob, "review", "read", project=cast.acme))
    assert [row["user"] for row in bound.get(URL).json()["taken"]] == ["alice"]
    with pytest.raises(Forbidden):
        recalling.recall(Advisory.objects.get(), builders.actor(cast.alice))


def test_a_removed_version_is_recalled_and_a_withdrawn_advisory_recalls_nothing(cast: Cast, taken: Release):
    load(FLAW)
    take(taken, cast.alice)
    Release.objects.filter(pk=taken.pk).update(purged_at=timezone.now())
    bob = ApiClient(builders.token(cast.bob, "review"))
    assert [one["removed"] for one in bob.get(URL).json()["versions"]] == [True]
    assert bob.get("/advisories/GHSA-1").json()["database_specific"]["held_here"] == []
    load({**FLAW, "modified": "2026-06-01T00:00:00Z", "withdrawn": "2026-06-01T00:00:00Z"})
    gone = bob.get(URL).json()
    assert (gone["versions"], gone["taken"]) == ([], [])
    assert notify(cast).people == 0


@pytest.mark.once
def test_the_number_of_queries_grows_neither_with_versions_nor_with_takers(cast: Cast, held):
    load(FLAW)
    package = held().package
    bob = ApiClient(builders.token(cast.bob, "review"))
    bob.get(URL)
    asked = []
    client = Client()
    client.force_login(cast.alice)
    for number in (1, 20):
        for index in range(number):
            person = builders.user(f"p{number}-{index}")
            take(builders.release(package, f"1.{number}.{index}"), person, cast.acme, builders.token(person, "read"))
        with CaptureQueriesContext(connection) as queries:
            assert len(bob.get(f"{URL}?limit=100").json()["taken"]) >= number
            assert client.get("/profile/notices").content.count(b"<tr>") > number
        asked.append(len(queries))
    assert asked[0] == asked[1]


# --- pages ---------------------------------------------------------------------------------------------------------
def page(person: User, path: str = "/profile/notices") -> Any:
    client = Client()
    client.force_login(person)
    return client.get(path)


def test_the_profile_shows_what_to_replace_and_what_one_was_told(cast: Cast, taken: Release, held):
    load(FLAW, osv("GHSA-2", aliases=["CVE-2026-0001"]))
    bad = held("evil", status="quarantined", held_because="It phones home.")
    for release in (taken, bad, held("fine", status="approved")):
        take(release, cast.mallory, cast.acme)
    notify(cast)
    shown = page(cast.mallory).content.decode()
    assert all(word in shown for word in ("left-pad", "GHSA-1", "Fixed in 2.0.0.", "It phones home.", "Recall: "))
    assert "GHSA-2" not in shown.partition("What you were told")[0]
    assert "/packages/npm/fine" not in shown
    assert "by others" in page(cast.alice).content.decode()
    assert "Nothing to replace" in page(cast.bob).content.decode()


def test_a_maintainer_recalls_from_the_page_of_the_advisory(cast: Cast, taken: Release):
    load(FLAW)
    take(taken, cast.mallory, cast.elsewhere, builders.token(cast.mallory, "read", name="ci"))
    advisory = Advisory.objects.get()
    path = f"/admin/scanning/advisory/{advisory.pk}/recall/"
    client = Client()
    client.force_login(cast.bob)
    assert path in client.get(f"/admin/scanning/advisory/{advisory.pk}/change/").content.decode()
    shown = client.get(path).content.decode()
    assert all(word in shown for word in ("left-pad", "mallory", "elsewhere", "2.0.0", "not yet"))
    assert "1 person is being told." in client.post(path, follow=True).content.decode()
    assert "not yet" not in client.get(path).content.decode()
    assert "Nobody was told" in client.post(path, follow=True).content.decode()
    assert client.get("/admin/scanning/advisory/none/recall/").status_code == 404


# --- what is kept --------------------------------------------------------------------------------------------------
def test_who_was_told_is_kept_as_long_as_who_took_it(cast: Cast, taken: Release, settings):
    settings.DOWNLOAD_RECORD_DAYS = 30
    load(FLAW)
    take(taken, cast.mallory)
    notify(cast)
    told = privacy.export(cast.mallory, builders.actor(cast.mallory))["scanning"]["recalls"]
    assert [row["advisory__osv_id"] for row in told] == ["GHSA-1"]
    for days, left in ((30, 1), (31, 0)):
        with time_machine.travel(timezone.now() + timedelta(days=days)):
            tasks.daily()
            assert (DownloadRecord.objects.count(), RecallLetter.objects.count()) == (left, left)
