"""The tests' own ground: they touch nothing outside their room, and see the database that they say they see."""

import os
from pathlib import Path

from django.conf import settings
from django.db import connection


def test_the_developers_own_data_is_out_of_reach():
    assert Path(settings.DATA_DIR) != settings.BASE_DIR / "var"
    assert str(settings.DATA_DIR) in str(connection.settings_dict["NAME"]) or os.environ.get("TEST_DATABASE_URL")


def test_the_database_is_a_real_one(db):
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA journal_mode")
            assert cursor.fetchone() == ("wal",)
        else:
            cursor.execute("SHOW server_version_num")
            assert int(cursor.fetchone()[0]) >= 150000
