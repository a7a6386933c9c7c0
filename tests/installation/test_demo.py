"""The demo content: real packages, told through the same activities that people use."""

import io

import pytest
from django.db import transaction

from accounts import auditing
from accounts.models import User
from registry import demo
from registry.demo.story import STORY
from registry.mirrors.models import Mirror
from registry.models import Release

pytestmark = pytest.mark.xdist_group("demo")  # one worker tells it, once


@pytest.fixture(scope="module")
def story(django_db_setup, django_db_blocker):
    """The demo, told once for all of these tests, and taken back after them."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield demo.load(io.StringIO())
        transaction.set_rollback(True)


@pytest.fixture
def told(story: str, db) -> str:
    """How telling it ended; what a test changes is taken back after it."""
    return story


def statuses() -> dict[tuple[str, str], str]:
    """The status of each version by name and version."""
    rows = Release.objects.values_list("package__name", "version", "status")
    return {(name, version): status for name, version, status in rows}


def test_everything_goes_as_told(told: str):
    assert told == f"{len(STORY)} versions"
    found = statuses()
    for step in STORY:
        expected = {"approve": {"approved"}, "reject": {"rejected"}}.get(step.decision, {"approved", "pending"})
        assert found[step.name, step.version] in expected, step


def test_there_is_something_of_everything(told: str):
    found = statuses()
    assert {"approved", "pending", "rejected"} <= set(found.values())
    assert found["qs", "6.5.2"] == "pending"
    assert found["minimist", "1.2.5"] == "rejected"
    assert found["@codesync/sdk", "1.0.0"] == "approved"
    held = Release.objects.get(package__name="qs")
    assert "GHSA-hrpp-h998-j3pp" in held.held_because
    licenses = set(Release.objects.values_list("license", flat=True))
    assert {"MIT", "ISC", "Apache-2.0", "MPL-2.0"} <= licenses


def test_what_is_published_is_signed_by_its_person(told: str):
    for release in Release.objects.filter(origin="published"):
        artifact = release.artifacts.get()
        assert artifact.signer == release.submitted_by.username
        assert release.checks.get(name="signature").status == "passed"


def test_it_stands_in_four_regions_on_the_map(told: str):
    places = Mirror.objects.exclude(latitude=None).values_list("region", "country")
    assert dict(places) == {"frankfurt": "DE", "paris": "FR", "stockholm": "SE", "warsaw": "PL"}


def test_telling_it_twice_changes_nothing(told: str):
    before = statuses()
    assert demo.load(io.StringIO()) == f"{len(STORY)} versions, up to date"
    assert statuses() == before


def test_nobody_can_sign_in_as_a_person_of_the_demo(told: str):
    assert not any(person.has_usable_password() for person in User.objects.all())


def test_the_audit_trail_tells_the_same_story(told: str):
    assert auditing.verify() == []
