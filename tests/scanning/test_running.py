"""What counts of several tools that answer, fail, come late or never end."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.actors import SYSTEM
from registry import tasks
from registry.models import Check, Job
from scanning import running
from scanning.gates import is_safe
from scanning.models import Finding, Scan, ToolResult
from scanning.scanners.base import Flaw, Target


class Tool:
    """Says what it is told to say: flaws by id, or an exception."""

    def __init__(self, name: str, *answers) -> None:
        self.name, self.answers = name, list(answers)
        self.asked: Callable[[], object] = lambda: None

    def scan(self, target: Target) -> list[Flaw]:
        self.asked()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return [
            Flaw(one, target.ecosystem, target.name, target.version, severity="high", tools=(self.name,))
            for one in answer
        ]


def found(scan: Scan) -> set[str]:
    return set(scan.findings.values_list("identifier", flat=True))


def test_what_a_failing_tool_said_before_counts_on(held):
    release, tools = held(), [Tool("trivy", ["CVE-1"], OSError()), Tool("osv", [], [])]
    running.scan(release, tools)
    scan = running.scan(release, tools)
    assert (scan.status, found(scan), scan.tools_used) == ("failed", {"CVE-1"}, ["osv"])
    [excuse] = scan.tools_unavailable
    assert (excuse["tool"], excuse["failed"], "counts on" in excuse["reason"]) == ("trivy", True, True)
    assert is_safe(release, SYSTEM).code == "VULNERABLE"


def test_a_clean_answer_of_yesterday_passes_nothing_where_today_every_tool_fails(held):
    release, tools = held(), [Tool("osv", [], ValueError("nonsense"))]
    assert running.scan(release, tools).status == "passed"
    assert running.scan(release, tools).status == "errored"
    assert (is_safe(release, SYSTEM).answer, is_safe(release, SYSTEM).code) == ("hold", "SCAN_ERRORED")


def test_a_newer_good_answer_replaces_the_older_one_of_its_own_tool_alone(held):
    release, tools = held(), [Tool("trivy", ["CVE-1"], []), Tool("osv", ["CVE-2"], ["CVE-3"])]
    running.scan(release, tools)
    assert found(running.scan(release, tools[1:])) == {"CVE-1", "CVE-3"}
    assert found(running.scan(release, tools[:1])) == {"CVE-3"}


def test_an_old_answer_that_arrives_last_displaces_no_newer_one(held):
    """The slow one began first, and ends after the quick one: a clean bill from before the flaw was known."""
    release, slow, quick = held(), Tool("osv", []), Tool("osv", ["CVE-1"])
    slow.asked = lambda: running.scan(release, [quick])
    scan = running.scan(release, [slow])
    assert (scan.status, found(scan), running.current(release)) == ("failed", {"CVE-1"}, scan)


def test_there_is_one_current_scan_and_a_bounded_history(held, settings):
    settings.SCAN_HISTORY = 3
    release, rare, often = held(), Tool("trivy", ["CVE-1"]), Tool("osv", *[[]] * 8)
    first = running.scan(release, [rare])
    for _ in range(8):
        running.scan(release, [often])
    kept = Scan.objects.filter(release=release)
    assert kept.filter(is_current=True).get() == running.latest(release)
    assert kept.count() == 3 + 2  # and the one that trivy's answer is in, and the one that osv's newest is in
    assert kept.contains(first)
    assert found(running.latest(release)) == {"CVE-1"}


def test_a_finding_remembers_since_when_it_is_known(held):
    release, tool = held(), Tool("osv", ["CVE-1"], ["CVE-1", "CVE-2"])
    with time_machine.travel(timezone.now() - timedelta(days=9), tick=False):
        before = running.scan(release, [tool]).findings.get().first_seen_at
    seen = dict(running.scan(release, [tool]).findings.values_list("identifier", "first_seen_at"))
    assert seen["CVE-1"] == before
    assert seen["CVE-2"] > before


# --- deadlines ----------------------------------------------------------------------------------------------------
@pytest.fixture
def abandoned(held, time_machine) -> Scan:
    """A scan whose worker died for good, an hour ago."""
    release = held()
    Check.objects.create(release=release, name="vulnerabilities", status="running")
    time_machine.move_to(timezone.now() - timedelta(hours=1))
    row = running._begin(release, Scan.Trigger.ARRIVAL)  # where a killed worker leaves it
    time_machine.move_to(timezone.now() + timedelta(hours=1))
    return row


def test_a_scan_past_its_deadline_is_errored_and_never_passed(abandoned):
    tasks.sweep()
    abandoned.refresh_from_db()
    release = abandoned.release
    assert abandoned.status == "errored"
    assert "did not end in time" in abandoned.tools_unavailable[0]["reason"]
    assert release.checks.get().status == "errored"
    assert is_safe(release, SYSTEM).answer == "hold"


def test_a_check_that_a_job_will_come_back_to_stays_open(abandoned):
    later = timezone.now() + timedelta(hours=1)
    Job.objects.create(kind="check", ref="1", dedupe_key=f"check:{abandoned.release_id}", due_at=later)
    tasks.sweep()
    assert abandoned.release.checks.get().status == "running"


def test_a_good_answer_after_the_deadline_still_counts(abandoned):
    release, slow = abandoned.release, Tool("osv", [])
    Scan.objects.filter(pk=abandoned.pk).update(deadline_at=None)
    slow.asked = lambda: (Scan.objects.update(deadline_at=timezone.now()), tasks.sweep())
    scan = running.scan(release, [slow])
    assert (scan.pk, scan.status, scan.tools_used) == (abandoned.pk, "passed", ["osv"])


def test_answers_are_kept_for_each_tool(held):
    running.scan(held(), [Tool("osv", ["CVE-1"]), Tool("trivy", OSError())])
    assert list(ToolResult.objects.order_by("tool").values_list("tool", "status")) == [
        ("osv", "good"),
        ("trivy", "failed"),
    ]
    assert Finding.objects.get().tools == ["osv"]
