"""`manage.py work`: the same jobs, found by looking instead of by being told."""

import io
import threading

from django.core.management import call_command
from django.db import OperationalError, connection

from registry.management.commands import work
from registry.models import Job


def test_once_runs_what_is_due(db, acme, alice, tmp_path):
    from tests.builders import key_pair, published

    release = published(alice, key_pair(tmp_path), checks=False)
    out = io.StringIO()
    call_command("work", "--once", stdout=out)
    release.refresh_from_db()
    assert release.status == "approved"
    assert Job.objects.filter(state=Job.State.OPEN, due_at__lte=release.submitted_at).count() == 0


def test_a_database_that_is_away_for_a_moment_is_survived(transactional_db, caplog):
    stopping = threading.Event()
    asked: list[str] = []

    def away_at_first(execute, sql, params, many, context):
        asked.append(sql)
        if len(asked) == 1:
            raise OperationalError("the database is away")
        stopping.set()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(away_at_first):
        work.work(stopping, pause=0.01)
    assert "the database is away" in caplog.text
    assert len(asked) > 1
