"""What the registry's own checks find, and what happens when they cannot look."""

import json

import pytest
from django.db import OperationalError

from registry import approving, blobstores, checking, documents, storage, tasks
from registry.ecosystems.confusables import one_edit_away
from registry.models import Check, Job, Package
from tests import builders
from tests.registry import invariants

pytestmark = pytest.mark.django_db


def result(release, name: str) -> Check:
    """The check of that name, as it stands."""
    return release.checks.get(name=name)


def test_a_manifest_that_runs_code_at_installation_is_warned_of(publish):
    check = result(publish(builders.npm_tarball(scripts={"postinstall": "node steal.js"})), "manifest")
    assert check.status == "warned"
    assert check.details["install_scripts"]["postinstall"] == "node steal.js"


def test_a_manifest_without_a_description_is_warned_of_and_approved_all_the_same(publish):
    release = publish(builders.npm_tarball(description=None))
    assert result(release, "manifest").status == "warned"
    assert release.status == "approved"


def damage(release) -> None:
    """Turn one bit of the stored file."""
    path = storage.local_path(release.artifacts.get().blob)
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.unlink()
    path.write_bytes(body)


def test_bytes_that_rot_before_the_checks_are_held_back_and_the_version_waits(publish):
    release = publish(checks=False)
    damage(release)
    tasks.drain()
    release.refresh_from_db()
    assert (release.status, release.artifacts.get().blob.state) == ("pending", "quarantined")
    assert "Damaged" in Job.objects.get(kind="check").last_error
    for _ in range(checking.PATIENCE):
        Job.objects.filter(kind="check").update(due_at=release.submitted_at)
        tasks.run_due()
    release.refresh_from_db()
    assert (result(release, "integrity").status, release.status) == ("errored", "pending")


def test_bytes_that_rot_later_are_held_back_by_a_rescan_and_say_nothing_against_the_version(publish, bob):
    release = publish()
    damage(release)
    checking.rescan(release, builders.actor(bob))
    tasks.drain()
    release.refresh_from_db()
    assert (release.status, release.artifacts.get().blob.state) == ("approved", "quarantined")
    assert Job.objects.filter(kind="mend", state="open").exists()


def test_a_file_that_cannot_be_read_now_is_read_later(publish):
    release = publish(checks=False)
    path = storage.local_path(release.artifacts.get().blob)
    hidden = path.rename(path.with_name("hidden"))
    tasks.drain()
    job = Job.objects.get(kind="check")
    assert (job.state, job.attempts) == ("open", 1)
    assert "Damaged" in job.last_error
    hidden.rename(path)
    Job.objects.update(due_at=job.created_at)
    tasks.drain()
    release.refresh_from_db()
    assert release.status == "approved"
    invariants.hold()


def test_a_file_that_cannot_be_read_for_long_is_an_error_and_never_a_pass(publish):
    release = publish(checks=False)
    storage.local_path(release.artifacts.get().blob).unlink()
    for _ in range(checking.PATIENCE):
        Job.objects.update(due_at=release.submitted_at)
        tasks.run_due()
    release.refresh_from_db()
    assert result(release, "archive").status == "errored"
    assert release.status == "pending"
    assert "could not be carried out" in release.held_because


def lose_the_database(release):
    """A check whose connection breaks; the next one is whole again."""
    raise OperationalError("server closed the connection unexpectedly")


def test_a_check_whose_connection_broke_is_asked_again(publish, settings):
    whole = settings.REGISTRY_CHECKS
    settings.REGISTRY_CHECKS = {**whole, "name": f"{__name__}.lose_the_database"}
    release = publish()
    assert result(release, "name").status == "running"
    settings.REGISTRY_CHECKS = whole
    Job.objects.update(due_at=release.submitted_at)
    tasks.drain()
    release.refresh_from_db()
    assert (result(release, "name").status, release.status) == ("passed", "approved")


def break_down(release):
    """A check that is broken."""
    raise ZeroDivisionError("secret details")


def test_a_check_that_breaks_is_an_error_and_the_others_run_on(publish, settings):
    settings.REGISTRY_CHECKS = {**settings.REGISTRY_CHECKS, "manifest": f"{__name__}.break_down"}
    release = publish()
    assert result(release, "manifest").status == "errored"
    assert "secret details" not in result(release, "manifest").summary
    assert result(release, "name").status == "passed"
    assert release.status == "pending"


def test_a_check_that_no_longer_exists_holds_the_version_back(publish, settings):
    settings.REGISTRY_CHECKS = {**settings.REGISTRY_CHECKS, "name": "registry.nowhere.check_name"}
    assert publish().status == "pending"


def test_a_check_that_a_dead_worker_left_running_is_run_again(publish):
    release = publish(checks=False)
    release.checks.filter(name="archive").update(status="running")
    tasks.drain()
    release.refresh_from_db()
    assert release.status == "approved"


# --- names --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("older", "younger"),
    [("left-pad", "leftpad"), ("left-pad", "left_pad"), ("left-pad", "1eft-pad"), ("colors", "c0lors"),
     ("lodash", "Iodash".lower()), ("node-ipc", "nodeipc"), ("foo.js", "foo-js"), ("pixel5", "pixels")],
)  # fmt: skip
def test_a_name_that_reads_like_another_is_held_back(publish, older, younger):
    publish(builders.npm_tarball(older))
    release = publish(builders.npm_tarball(younger))
    assert result(release, "name").status == "failed"
    assert result(release, "name").details["confusable_with"] == older
    assert release.status == "pending"


@pytest.mark.parametrize("younger", ["expres", "expresss", "exprses", "exqress"])
def test_a_typing_slip_is_warned_of(publish, younger):
    publish(builders.npm_tarball("express"))
    release = publish(builders.npm_tarball(younger))
    assert result(release, "name").status == "warned"
    assert release.status == "approved"


def test_the_older_name_does_not_suffer_from_the_younger(publish, bob):
    older = publish(builders.npm_tarball("left-pad"))
    publish(builders.npm_tarball("leftpad"))
    checking.rescan(older, builders.actor(bob))
    tasks.drain()
    older.refresh_from_db()
    assert (result(older, "name").status, older.status) == ("passed", "approved")


def test_a_scoped_name_is_not_confused_with_a_bare_one_beyond_a_warning(publish):
    publish(builders.npm_tarball("acme-core"))
    release = publish(builders.npm_tarball("@acme/core"))
    assert result(release, "name").status == "warned"


def test_the_same_name_in_another_ecosystem_is_no_confusion(publish):
    publish(builders.npm_tarball("demo-pkg"))
    assert result(publish(builders.sdist("demo-pkg")), "name").status == "passed"


def test_further_versions_of_a_package_are_not_confused_with_it(publish):
    publish()
    assert result(publish(builders.npm_tarball(version="1.1.0")), "name").status == "passed"


def test_short_names_are_not_compared_by_slips():
    assert list(one_edit_away("core")) == []


def test_the_name_check_costs_the_same_among_many_packages(publish, cast, django_assert_max_num_queries):
    Package.objects.bulk_create(
        Package(ecosystem="npm", name=f"p-{n}", normalized=f"p-{n}", skeleton=f"p{n}", project=cast.acme)
        for n in range(2_000)
    )
    release = publish(checks=False)
    with django_assert_max_num_queries(3):
        checking.check_name(release)


def test_the_store_of_the_moment_is_asked(settings, tmp_path):
    settings.STORAGE_URL = f"file://{tmp_path / 'elsewhere'}"
    assert isinstance(storage.store(), blobstores.DirectoryStore)
    assert storage.store().root == tmp_path / "elsewhere"


def warn_while_somebody_rejects(release):
    """A check during which a maintainer decides."""
    approving.reject(release, builders.actor(release.project.memberships.get(user__username="bob").user), reason="No.")
    return checking.Result("warned", "Odd.", {"high": 3})


def test_what_checks_find_is_told_though_somebody_has_decided_meanwhile(publish, settings, bob):
    settings.REGISTRY_CHECKS = {"vulnerabilities": f"{__name__}.warn_while_somebody_rejects"}
    release = publish()
    release.refresh_from_db()
    assert release.status == "rejected"
    [told] = json.loads(documents.read(release.package.name).body)["versions"]
    assert (told["status"], told["scan"]["status"], told["scan"]["high"]) == ("rejected", "warned", 3)
