"""The tests' own ground: they touch nothing outside their room, and see the database that they say they see."""

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection


def test_the_developers_own_data_is_out_of_reach():
    assert Path(settings.DATA_DIR) != settings.BASE_DIR / "var"
    assert str(settings.DATA_DIR) in str(connection.settings_dict["NAME"]) or os.environ.get("TEST_DATABASE_URL")


@pytest.mark.parametrize("end", ["", "-wal", "-shm"])
def test_none_but_sqlite_opens_the_files_of_the_database(db, end: str):
    """Closing them again would drop this process's locks, and the next opener would truncate what it has mapped."""
    if connection.vendor != "sqlite":
        pytest.skip("a server's files are out of reach")
    path = Path(f"{connection.settings_dict['NAME']}{end}")
    assert path.is_file()
    with pytest.raises(PermissionError, match="belongs to SQLite"):
        path.read_bytes()
    with pytest.raises(PermissionError, match="belongs to SQLite"):
        os.open(path, os.O_RDONLY)


def test_the_database_is_a_real_one(db):
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            told = [("journal_mode", "wal"), ("foreign_keys", 1), ("busy_timeout", 20_000), ("mmap_size", 0)]
            for name, value in told:
                assert cursor.execute(f"PRAGMA {name}").fetchone() == (value,), name
        else:
            cursor.execute("SHOW server_version_num")
            assert int(cursor.fetchone()[0]) >= 150000


@pytest.mark.xdist_group("room")
def test_what_belongs_together_stays_with_one_worker(request):
    """Groups stand at the end of a test's id; xdist 3.8 writes them where pytest 9.2 no longer looks."""
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("a single process has all tests")
    assert request.node.nodeid.endswith("@room")
