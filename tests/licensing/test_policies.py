"""The policy of the instance and of projects: which line counts, who changed it, and what is judged again."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEvent
from licensing import policies, spdx
from licensing.judging import Policies, Policy
from licensing.models import LicensePolicy
from registry import tasks
from registry.models import Check, Job, Release
from tests import builders


@pytest.fixture
def say(cast):
    """Set a line as an admin would."""

    def write(key: str, status: str, project=None) -> LicensePolicy:
        kind = "license" if spdx.is_known(key) else "category"
        line = LicensePolicy.objects.filter(kind=kind, key=key, project=project).first()
        line = line or LicensePolicy(kind=kind, key=key, project=project)
        line.status = status
        policies.write(line, builders.actor(cast.root))
        return line

    return write


@pytest.fixture
def license_alone(settings) -> None:
    """Only the licence is asked about."""
    settings.REGISTRY_GATES = {**settings.REGISTRY_GATES, "approving": ["licensing.gates.license_is_allowed"]}


def status(text: str, project=None) -> str:
    return Policy.load(project.pk if project else None).judge(spdx.parse(text)).status


def test_a_project_has_a_policy_of_its_own_and_the_finer_word_counts(say, cast):
    say("permissive", "denied", cast.acme)
    assert (status("MIT"), status("MIT", cast.acme), status("MIT", cast.elsewhere)) == (
        "approved",
        "denied",
        "approved",
    )
    say("MIT", "review")
    assert (status("MIT"), status("MIT", cast.acme)) == ("review", "review")
    say("MIT", "approved", cast.acme)
    assert (status("MIT"), status("MIT", cast.acme), status("ISC", cast.acme)) == ("review", "approved", "denied")


def test_a_change_is_signed_dated_and_audited_with_what_it_was_before(say, cast):
    say("MIT", "denied", cast.acme)
    line = say("MIT", "review", cast.acme)
    policies.drop(line, builders.actor(cast.root))
    first, second, third = AuditEvent.objects.filter(action="license_policy.changed").order_by("pk")
    assert (line.changed_by, first.object, second.project) == (cast.root, "license:MIT", "acme")
    assert (first.details["from"], first.details["to"]["status"]) == ({}, "denied")
    assert (second.details["from"]["status"], second.details["to"]["status"]) == ("denied", "review")
    assert (third.details["from"]["status"], third.details["to"]) == ("review", {})
    assert not LicensePolicy.objects.filter(key="MIT").exists()


@pytest.mark.parametrize(
    ("kind", "key", "details", "touches"),
    [
        ("license", "MIT", {"expression": "MIT OR ISC"}, True),
        ("license", "MIT", {"expression": "MIT-0"}, False),
        ("license", "GPL-2.0-only", {"expression": "GPL-2.0-only WITH Classpath-exception-2.0"}, True),
        ("license", "BSD-2-Clause", {"candidates": ["BSD-3-Clause", "BSD-2-Clause"]}, True),
        ("license", "GPL-3.0-only", {"expression": "MIT", "undeclared": ["GPL-3.0-only"]}, True),
        ("category", "permissive", {"expression": "MIT"}, True),
        ("category", "permissive", {"expression": "GPL-3.0-only"}, False),
        ("category", "source-available", {"expression": "SSPL-1.0"}, False),
        ("category", "proprietary", {"proprietary": True}, True),
        ("category", "unknown", {"declared": "our own"}, True),
        ("category", "unknown", {"expression": "MIT"}, False),
    ],
)
@pytest.mark.django_db
def test_a_line_decides_over_what_it_names_unless_a_finer_one_does(kind, key, details, touches):
    assert Policies.load().of(None).decides(kind, key, 0, details) is touches


def test_a_line_of_the_instance_leaves_alone_what_a_project_says_itself(say, cast):
    say("MIT", "approved", cast.acme)
    lines = Policies.load()
    assert not lines.of(cast.acme.pk).decides("license", "MIT", 0, {"expression": "MIT"})
    assert lines.of(cast.elsewhere.pk).decides("license", "MIT", 0, {"expression": "MIT"})


def test_check_status_and_decision_follow_the_policy_of_the_project(checked, say, cast, license_alone):
    release = checked("MIT")
    Release.objects.filter(pk=release.pk).update(status="approved")
    say("MIT", "denied", cast.elsewhere)
    tasks.drain()
    release.refresh_from_db()
    assert (release.status, release.checks.get().status) == ("approved", "passed")
    line = say("MIT", "denied", cast.acme)
    tasks.drain()
    release.refresh_from_db()
    assert (release.status, release.checks.get().status) == ("quarantined", "failed")
    assert "The policy denies MIT" in release.checks.get().summary
    policies.drop(line, builders.actor(cast.root))
    tasks.drain()
    release.refresh_from_db()
    assert (release.status, release.checks.get().status) == ("approved", "passed")


def test_of_a_thousand_versions_only_those_that_a_line_decides_over_are_judged(say, cast, license_alone):
    package = builders.package(cast.acme)
    made = Release.objects.bulk_create(
        Release(package=package, project=cast.acme, version=f"{n}.0.0", canonical=f"{n}.0.0", origin="submitted",
                status="pending", license="MIT") for n in range(1000)
    )  # fmt: skip
    rare = {made[7].pk, made[990].pk}
    Check.objects.bulk_create(
        Check(release=one, name="license", status="passed",
              details={"expression": "ISC OR WTFPL" if one.pk in rare else "MIT", "declared": "?"}) for one in made
    )  # fmt: skip

    def queries(key: str, word: str) -> int:
        Job.objects.all().delete()
        say(key, word)
        with CaptureQueriesContext(connection) as asked:
            tasks.drain()
        return len(asked)

    untouched = queries("Zlib", "denied")
    touched = queries("WTFPL", "denied")
    judged = Check.objects.exclude(summary="").values_list("release_id", flat=True)
    assert set(judged) == rare
    assert untouched < 60
    assert touched < untouched + 2 * 60
    assert Job.objects.filter(kind=policies.CHANGED, state="done").count() == 3
