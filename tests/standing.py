"""What a whole file of tests stands on, built once: a transaction around the file, in which each takes its own back.

Not for files with a test that commits (`transactional_db`, `live_server`): it would end with emptied tables.
"""

import copy
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from django.db import transaction
from django.test import override_settings

T = TypeVar("T")


@contextmanager
def standing(blocker: Any, folder: Path, build: Callable[[], T]) -> Iterator[Callable[[Path], T]]:
    """Build it in a transaction that is rolled back at the end; `blocker` is pytest-django's.

    What comes is asked by each test with its `tmp_path`: it lays the stored bytes where the test looks for them, and
    gives a copy of what was built, so that nothing that a test does to a row in its memory reaches the next one.
    """
    around = transaction.atomic()
    around._from_testcase = True  # as Django's own: a durable block of the code may stand inside
    own = {
        "STORAGE_URL": f"file://{folder / 'blobs'}",
        "STAGING_DIR": folder / "staging",
        "COUNTERS_FILE": folder / "counters.sqlite3",
        "GRACE_BY_DATABASE_CLOCK": False,
    }
    with blocker.unblock(), around:
        with override_settings(**own):
            built = build()

        def enter(tmp_path: Path) -> T:
            if (folder / "blobs").exists():
                shutil.copytree(folder / "blobs", tmp_path / "blobs")
            return copy.deepcopy(built)

        yield enter
        transaction.set_rollback(True)
