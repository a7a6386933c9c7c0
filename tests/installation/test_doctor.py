"""The doctor: says what is wrong, and the command that mends it."""

import io
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from registry.management import diagnosis
from registry.models import Job
from tests.builders import user


def findings() -> dict[str, diagnosis.Finding]:
    """What is found, by its subject."""
    return {finding.what: finding for finding in diagnosis.examine()}


def test_a_healthy_installation_is_well(db, root, settings, tmp_path: Path):
    settings.STATIC_ROOT = tmp_path
    (tmp_path / "staticfiles.json").write_text("{}")
    ill = {what: finding for what, finding in findings().items() if not finding.is_well}
    assert ill == {}


def test_an_installation_without_an_admin_is_told_how_to_make_one(db):
    finding = findings()["admin"]
    assert "nobody" in finding.how
    assert "user create" in finding.remedy


def test_an_admin_without_a_password_cannot_sign_in(db):
    lonely = user("lonely", "admin")
    lonely.set_unusable_password()
    lonely.save()
    assert "changepassword lonely" in findings()["admin"].remedy


def test_missing_static_files_are_noticed(db, settings, tmp_path: Path):
    settings.STATIC_ROOT = tmp_path
    assert "prepare" in findings()["pages"].remedy


def test_a_secret_that_others_may_read_is_noticed(db, settings, tmp_path: Path):
    settings.DATA_DIR = tmp_path
    (tmp_path / "secret_key").touch(mode=0o644)
    (tmp_path / "secret_key").chmod(0o644)
    assert "chmod 600" in findings()["data"].remedy


def test_jobs_that_wait_too_long_mean_that_no_worker_runs(db):
    Job.objects.create(kind="check", ref="1", dedupe_key="one", due_at=timezone.now() - 2 * diagnosis.OVERDUE_AFTER)
    assert "no worker" in findings()["jobs"].how


def test_jobs_that_were_given_up_are_named(db):
    Job.objects.create(kind="check", ref="7", dedupe_key="one", state=Job.State.DEAD, last_error="Boom: it broke")
    assert "check 7: Boom" in findings()["jobs"].how


def test_a_broker_that_is_away_is_noticed(db, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": settings.REDIS_URL}
    }
    assert "does not answer" in findings()["broker"].how


def test_debug_in_production_is_noticed(db, settings):
    settings.DEBUG = True
    assert "DEBUG" in findings()["settings"].how


def test_the_command_ends_with_status_one_when_something_needs_mending(db, settings, tmp_path: Path):
    settings.STATIC_ROOT = tmp_path
    out = io.StringIO()
    with pytest.raises(SystemExit) as ending:
        call_command("doctor", stdout=out)
    assert ending.value.code == 1
    assert "-> " in out.getvalue()
