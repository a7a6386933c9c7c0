"""What every test stands on: folders of its own, a database, a cast of people."""

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Set before the settings are read. Nothing that a test does may touch the developer's own `var/`.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
ROOM = Path(tempfile.mkdtemp(prefix="registry-tests-"))
FILE = ROOM / "test.sqlite3"
atexit.register(shutil.rmtree, ROOM, ignore_errors=True)
for name in ("SECRET_KEY", "STORAGE_URL", "STAGING_DIR", "PUBLIC_URL", "DEBUG", "DEMO", "TRUSTED_PROXIES"):
    os.environ.pop(name, None)
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
os.environ["DATA_DIR"] = str(ROOM)
os.environ["SECRET_KEY"] = "a secret that only the tests know, long enough to pass"
os.environ["LOG_LEVEL"] = "WARNING"
os.environ["EMAIL_URL"] = "memorymail://"
os.environ["SCANNERS"] = "osv"  # whatever is installed here; tests of the others name them
# Tests hammer the API on purpose; those of the limits set their own.
for name in ("RATE_LIMIT_ANONYMOUS", "RATE_LIMIT_FREE", "RATE_LIMIT_ENTERPRISE"):
    os.environ[name] = "1000000/h"
for given, used in (("TEST_DATABASE_URL", "DATABASE_URL"), ("TEST_REDIS_URL", "REDIS_URL")):
    os.environ.pop(used, None)
    if os.environ.get(given):
        os.environ[used] = os.environ[given]
if os.environ.get("REDIS_URL") and WORKER:
    os.environ["REDIS_URL"] = os.environ["REDIS_URL"].rstrip("/") + "/" + WORKER.removeprefix("gw")

import django  # noqa: E402  # only after the environment stands
import pytest  # noqa: E402  # likewise
from django.conf import settings  # noqa: E402  # likewise
from django.core.cache import cache  # noqa: E402  # likewise


def configure_database() -> None:
    """A file instead of Django's in-memory database, so that WAL, threads and real locks are what the tests see."""
    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith("sqlite3"):
        database["CONN_MAX_AGE"] = 0
        return
    database["TEST"] = {**database.get("TEST", {}), "NAME": str(FILE)}
    options = database["OPTIONS"]
    options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=OFF")
    sys.addaudithook(leave_the_file_to_sqlite)


def leave_the_file_to_sqlite(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse to open the database's files past SQLite: whoever closes them again drops all locks of this process.

    The next process to come then takes itself for the first, and cuts the shared memory off under this one: SIGBUS.
    """
    if event == "open" and not isinstance(arguments[0], int) and os.fsdecode(arguments[0]).startswith(str(FILE)):
        raise PermissionError(f"{arguments[0]} belongs to SQLite while this process has it open: use its backup().")


configure_database()
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
django.setup()
# workers of xdist inherit the environment: with this in it, they would read the settings before they come here
del os.environ["DJANGO_SETTINGS_MODULE"]
if Path(settings.DATA_DIR) != ROOM:
    raise RuntimeError("The settings were read before tests/conftest.py: unset DJANGO_SETTINGS_MODULE and run again.")

from registry.upstreams.through import allowing  # noqa: E402  # needs the apps
from tests.builders import Cast, assemble_cast  # noqa: E402  # likewise


@pytest.hookimpl(wrapper=True, tryfirst=True)  # what stands after the yield comes after pytest-django's own order
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """The second run, on PostgreSQL, leaves out what no database can change: see `says_something_again`.

    What stands for a whole file stands in one worker, not in each; what takes long begins first.
    """
    if os.environ.get("SKIP_ONCE"):
        left_out = [item for item in items if not says_something_again(item)]
        items[:] = [item for item in items if says_something_again(item)]
        config.hook.pytest_deselected(items=left_out)
    yield
    groups = [group_of(item) or item.nodeid for item in items]
    turns: dict[str, int] = {}
    for item, group in zip(items, groups, strict=True):
        turns[group] = max(turns.get(group, 0), turn(item))
        if group != item.nodeid and config.getoption("loadgroup", default=False):
            name_group(item, group)
    ordered = sorted(zip(items, groups, strict=True), key=lambda one: turns[one[1]])
    items[:] = [item for item, _ in ordered]


def group_of(item: pytest.Item) -> str:
    """The tests that one worker takes: by their mark, or since they share a room; empty for a test by itself."""
    if mark := item.get_closest_marker("xdist_group"):
        return str(mark.args[0])
    return f"{item.nodeid.partition('::')[0]} {turn(item)}" if shares_a_room(item) else ""


def name_group(item: pytest.Item, group: str) -> None:
    """Say it as xdist 3.8 reads it; it writes it where pytest 9.2 no longer looks, so that no group would hold."""
    if not item.nodeid.endswith(f"@{group}"):
        item._id = type(item._id).parse(f"{item.nodeid}@{group}")


def shares_a_room(item: pytest.Item) -> bool:
    """Whether it asks for a fixture of ours that is made once for a file."""
    fixtures = getattr(item, "_fixtureinfo", None)
    made = fixtures.name2fixturedefs.values() if fixtures else ()
    return any(one[-1].scope in ("module", "package") and one[-1].baseid for one in made)


def turn(item: pytest.Item) -> int:
    """Whole portals first, beside all else; then whoever commits nothing; of the others the long ones first."""
    if item.nodeid.startswith("tests/end_to_end"):
        return 0
    database, names = item.get_closest_marker("django_db"), set(getattr(item, "fixturenames", ()))
    commits = names & {"transactional_db", "live_server"} or (database and database.kwargs.get("transaction"))
    if (database or "db" in names) and not commits:
        return 1
    return 2 if is_long(item) else 3


def is_long(item: pytest.Item) -> bool:
    """Whether its marks say so."""
    return any(item.get_closest_marker(name) for name in ("slow", "crash", "browser"))


def says_something_again(item: pytest.Item) -> bool:
    """Whether the test touches the database, and is not marked as saying the same on each of them."""
    fixtures = getattr(item, "fixturenames", ())
    touches = item.get_closest_marker("django_db") or {"db", "transactional_db", "django_db_setup"} & set(fixtures)
    return bool(touches) and not item.get_closest_marker("once")


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path: Path) -> None:
    """Each test stores its bytes in folders of its own."""
    settings.STORAGE_URL = f"file://{tmp_path / 'blobs'}"
    settings.STAGING_DIR = tmp_path / "staging"
    settings.COUNTERS_FILE = tmp_path / "counters.sqlite3"
    settings.GRACE_BY_DATABASE_CLOCK = False  # tests move the clock of this process, not that of the database


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """No count, cached figure or upstream survives from the test before."""
    cache.clear()
    allowing.know(())


@pytest.fixture
def cast(db) -> Cast:
    """Alice owns, bob maintains, mallory is a stranger, root is admin."""
    return assemble_cast()


@pytest.fixture
def alice(cast: Cast):
    """The developer who owns the project `acme`."""
    return cast.alice


@pytest.fixture
def bob(cast: Cast):
    """The maintainer."""
    return cast.bob


@pytest.fixture
def mallory(cast: Cast):
    """A developer with nothing in common with the others."""
    return cast.mallory


@pytest.fixture
def root(cast: Cast):
    """The admin."""
    return cast.root


@pytest.fixture
def acme(cast: Cast):
    """The project of alice and bob."""
    return cast.acme
