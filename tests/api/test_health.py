"""`GET /health`: every part under its real name, and 503 as soon as one is down."""

import shutil
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.conf import settings as project_settings
from django.db import OperationalError, connection
from django.utils import timezone

from registry.models import Job

PARTS = {"database", "cache", "broker", "storage", "worker"}


def test_every_part_is_named_as_what_it_is(db, client):
    answer = client.get("/health")
    assert answer.status_code == 200
    found = answer.json()
    assert found["status"] == "ok"
    assert {name for name, value in found.items() if isinstance(value, dict)} == PARTS
    database = "SQLite" if connection.vendor == "sqlite" else "PostgreSQL"
    assert found["database"]["detail"].startswith(database)
    assert found["mongo"] == f"Metadata store is fine ({database})"
    assert found["cache"]["detail"].startswith("Valkey" if project_settings.REDIS_URL else "in the memory")
    assert found["redis"].startswith("Cache is fine")
    assert answer["Cache-Control"] == "no-store"


def test_a_broker_that_is_away_makes_it_503(db, client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["status"] == "down"
    assert answer.json()["broker"] == {"status": "down", "detail": "Redis does not answer (ConnectionError)"}
    assert answer.json()["redis"] == "Cache is down (Redis)"


def test_a_database_that_is_away_is_said_and_not_thrown(db, client):
    def away(execute, sql, params, many, context):
        raise OperationalError("away")

    with connection.execute_wrapper(away):
        answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["database"]["status"] == "down"
    assert answer.json()["worker"]["status"] == "down"


def test_storage_that_is_away_makes_it_503(db, client, settings):
    settings.STORAGE_URL = "gopher://nowhere"
    assert client.get("/health").json()["storage"]["status"] == "down"


def test_a_full_disk_makes_it_503(db, client, settings, tmp_path, monkeypatch):
    settings.STAGING_DIR = tmp_path / "made" / "later"
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=3_000_000))
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["storage"] == {"status": "down", "detail": "the disk of uploads is full (2 MiB left)"}


def test_jobs_that_nobody_takes_mean_that_the_worker_is_down(db, client):
    Job.objects.create(kind="check", ref="1", dedupe_key="one", due_at=timezone.now() - timedelta(minutes=5))
    assert client.get("/health").json()["worker"]["status"] == "down"


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_is_only_for_reading(db, client, method: str):
    assert getattr(client, method)("/health").status_code == 405
