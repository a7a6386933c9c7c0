"""The audit trail leaving the portal: as files for others, and for good when its time is over."""

import csv
import hashlib
import io
import json
from datetime import UTC, datetime, timedelta

import orjson
import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from accounts import audit_export, auditing
from accounts.actors import SYSTEM
from accounts.models import AuditEvent, AuditHead
from tests.builders import PASSWORD

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2026, 1, 10, tzinfo=UTC)
TODAY = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def trail() -> list[AuditEvent]:
    """Five old events, five new ones."""
    made = []
    for start in (LONG_AGO, TODAY):
        with time_machine.travel(start, tick=False):
            made += [auditing.record("x.done", f"x:{n}", SYSTEM, details={"n": n, "why": "a, “b”"}) for n in range(5)]
    return made


@pytest.fixture
def unguarded():
    """The database without its triggers."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER audit_events_stay")
            cursor.execute("DROP TRIGGER audit_events_last")
        else:
            cursor.execute("ALTER TABLE accounts_auditevent DISABLE TRIGGER audit_events_stay")
    yield
    if connection.vendor != "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE accounts_auditevent ENABLE TRIGGER audit_events_stay")


def exported(form: str, **bounds) -> str:
    return b"".join(audit_export.lines(audit_export.between(**bounds), form)).decode()


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command("audit", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


# --- files --------------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("trail")
def test_csv_is_rfc_4180_and_reads_back():
    text = exported("csv")
    assert text.count("\r\n") == 11
    assert text.replace("\r\n", "").count("\n") == 0
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["seq"] for row in rows] == [str(n) for n in range(1, 11)]
    assert json.loads(rows[3]["details"]) == {"n": 3, "why": "a, “b”"}


def test_an_empty_trail_is_a_header():
    assert exported("csv") == ",".join(audit_export.COLUMNS) + "\r\n"
    assert exported("jsonl") == ""


@pytest.mark.parametrize(
    "evil", ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "＝1", "|calc", "%0A=1", "=HYPERLINK(1)"]
)
def test_no_cell_is_a_formula(evil):
    auditing.record(evil[:64], evil, SYSTEM, project=evil)
    row = next(csv.DictReader(io.StringIO(exported("csv"), newline="")))
    for column in ("action", "object", "project"):
        assert row[column] == "'" + evil


@pytest.mark.parametrize("plain", ["release.approved", "npm:left-pad@1.0.0", "203.0.113.0/24", "3-4", "a=b"])
def test_a_plain_cell_stays_as_it_is(plain):
    assert audit_export.harmless(plain) == plain


@pytest.mark.usefixtures("trail")
def test_json_lines_hold_all_that_the_chain_is_made_of():
    link = "0" * 64
    for line in exported("jsonl").splitlines():
        event = json.loads(line)
        assert event["previous_hash"] == link
        hashed = [event[name] for name in (*auditing.HASHED, "previous_hash")]
        link = hashlib.sha256(orjson.dumps(hashed, option=orjson.OPT_SORT_KEYS)).hexdigest()
        assert event["hash"] == link
    assert auditing.head().hash == link


@pytest.mark.usefixtures("trail")
def test_the_command_writes_both_forms_between_two_times():
    assert len(printed("export", "--format", "jsonl", "--since", "2026-02-01").splitlines()) == 5
    assert len(printed("export", "--format", "csv", "--until", "2026-02-01T00:00:00+00:00").splitlines()) == 6
    with pytest.raises(CommandError, match="no time"):
        printed("export", "--since", "yesterday")


@pytest.mark.usefixtures("trail")
def test_an_export_takes_one_query_whatever_its_length(django_assert_num_queries):
    with django_assert_num_queries(1):
        exported("csv")


@pytest.mark.usefixtures("trail")
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_the_admin_exports_what_its_filters_leave(cast, form):
    client = Client()
    client.login(username="root", password=PASSWORD)
    auditing.record("y.done", "y:1", SYSTEM)
    pressed = {"action": f"export_{form}", "_selected_action": ["1"], "select_across": "1", "index": "0"}
    answer = client.post("/admin/accounts/auditevent/?q=x.done", pressed)
    body = b"".join(answer).decode()
    assert answer.headers["Content-Disposition"] == f'attachment; filename="audit.{form}"'
    assert body.count("x.done") == 10
    assert "y.done" not in body


# --- retention ----------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("trail")
def test_nothing_is_cut_unless_a_setting_says_so(settings):
    assert settings.AUDIT_RETENTION_DAYS == 0
    assert auditing.cut_by_age() == 0
    assert AuditEvent.objects.count() == 10


@pytest.fixture
def cut_trail(trail, settings) -> None:
    """The old half dropped on the day of the new half; one event says so."""
    settings.AUDIT_RETENTION_DAYS = 30
    with time_machine.travel(TODAY + timedelta(hours=1), tick=False):
        assert auditing.cut_by_age() == 5
        assert auditing.cut_by_age() == 0


@pytest.mark.usefixtures("cut_trail")
def test_a_cut_trail_verifies_and_names_its_cut():
    assert auditing.verify() == []
    assert list(AuditEvent.objects.order_by("seq").values_list("seq", flat=True)) == [6, 7, 8, 9, 10, 11]
    assert AuditEvent.objects.get(seq=11).action == "audit.cut"
    assert printed("verify").startswith("6 events, an unbroken chain.")


@pytest.mark.usefixtures("trail")
def test_many_events_are_cut_in_several_steps_and_the_chain_holds(monkeypatch):
    monkeypatch.setattr(auditing, "CUT_AT_ONCE", 2)
    assert auditing.cut(TODAY + timedelta(days=3650)) == 10
    assert auditing.verify() == []
    assert set(AuditEvent.objects.values_list("action", flat=True)) == {"audit.cut"}
    auditing.record("x.done", "x:after", SYSTEM)
    assert auditing.verify() == []


@pytest.mark.usefixtures("cut_trail", "unguarded")
@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (lambda: AuditEvent.objects.filter(seq=7).update(object="x:99"), (7, "altered")),
        (lambda: AuditEvent.objects.filter(seq=8).delete(), (8, "missing")),
        (lambda: AuditEvent.objects.filter(seq=6).delete(), (6, "missing")),
        (lambda: AuditEvent.objects.filter(seq=11).delete(), (5, "cut")),
    ],
)
def test_tampering_after_a_cut_is_found(tamper, found):
    tamper()
    first = auditing.verify()[0]
    assert (first.seq, first.kind) == found


@pytest.mark.usefixtures("cut_trail", "unguarded")
def test_events_that_change_places_after_a_cut_are_found():
    one, two = AuditEvent.objects.get(seq=7), AuditEvent.objects.get(seq=8)
    AuditEvent.objects.filter(seq__in=(7, 8)).delete()
    one.seq, two.seq = two.seq, one.seq
    AuditEvent.objects.bulk_create([one, two])
    assert auditing.verify()[0].seq == 7


@pytest.mark.usefixtures("cut_trail")
def test_whoever_moves_the_cut_and_drops_more_is_found():
    last = AuditEvent.objects.get(seq=7)
    AuditHead.objects.update(cut_seq=7, cut_hash=last.hash)
    AuditEvent.objects.filter(seq__lte=7).delete()
    assert [(problem.seq, problem.kind) for problem in auditing.verify()] == [(7, "cut")]


@pytest.mark.usefixtures("cut_trail")
@pytest.mark.parametrize("seq", [7, 8, 11])
def test_the_database_still_refuses_to_drop_what_was_not_cut(seq):
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEvent.objects.filter(seq=seq).delete()
