"""The contract of every scanner: whatever its program does, it says what it found, or that it could not look."""

import tempfile
from collections.abc import Iterator

import pytest

from accounts.actors import SYSTEM
from scanning import running, scanners
from scanning.checks import report as check_report
from scanning.diagnosing import look_at_scanners
from scanning.gates import is_safe
from scanning.models import Finding
from scanning.policies import Rules
from scanning.scanners import tools
from scanning.scanners.base import Flaw, NothingToConsult, Target, Unavailable, looks_for
from scanning.scanners.osv import Osv
from tests.scanning import toolbox as boxes
from tests.scanning.conftest import load, osv, rated
from tests.scanning.toolbox import BINARIES, OF_ANOTHER, RIGHT, WRONG_TYPES, Toolbox

pytestmark = pytest.mark.once
FLAW_TOOLS = ("trivy", "grype", "osv-scanner")
FILE_TOOLS = ("trivy-files", "guarddog")
TOOLS = {tool.name: tool for tool in scanners.TOOLS}

# What the program does, and what is said of it.
MISBEHAVIOURS = {
    "hangs": ("sleep {mark} & setsid sleep {mark} & sleep {mark}", "It took longer than"),
    "crashes": ("echo '[' ; kill -SEGV $$", "SIGSEGV"),
    "fails": ("echo 'no such thing' >&2; exit 3", "status 3 (no such thing)"),
    "chatters": ("echo 'All is well.'", "no complete JSON"),
    "answers otherwise": ("echo '{{\"fine\": true}}'", "what is not a report"),
    "floods": ("yes 'All is well.' | head -c 500000000", "more than 16 MB"),
    "says nothing": ("exit 0", "nothing at all"),
    "breaks off": ("{right} | head -c 90", "no complete JSON"),
    "prints other types": ("{wrong}", "what is not a report"),
    "speaks of another": ("{other}", "what is not a report"),
    "nests too deep": ("yes '[' | head -n 100000", "no complete JSON"),
}


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch, settings) -> Iterator[Toolbox]:
    with boxes.opened() as box:
        box.databases()
        monkeypatch.setenv("PATH", f"{box.bin}:/usr/bin:/bin")
        monkeypatch.setattr(tempfile, "tempdir", str(box.temp))
        settings.SCANNERS = ["osv", *TOOLS]
        settings.SCANNER_DATA_DIR, settings.SCANNER_PATHS = box.data, {}
        yield box
        assert (box.left_running(), box.left_lying()) == ([], [])


def misbehave(box: Toolbox, name: str, way: str, settings) -> str:
    """Make the tool's program do that; returns what must be said of it."""
    body, said = MISBEHAVIOURS[way]
    if way == "hangs":
        settings.SCANNER_TIMEOUT_SECONDS = 0.5
    binary = BINARIES[name]
    right, wrong, other = (
        box.report(f"{name}-{number}", one[name]) for number, one in enumerate((RIGHT, WRONG_TYPES, OF_ANOTHER))
    )
    box.put(binary, body.format(mark=box.mark, right=right, wrong=wrong, other=other))
    return said


@pytest.mark.parametrize("way", MISBEHAVIOURS)
@pytest.mark.parametrize("name", FILE_TOOLS)
def test_a_tool_that_misbehaves_is_unavailable_and_leaves_nothing(box: Toolbox, settings, name: str, way: str):
    said = misbehave(box, name, way, settings)
    with boxes.target() as target, pytest.raises(Unavailable) as refusal:
        TOOLS[name].scan(target)
    assert said in str(refusal.value)


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_that_is_missing_is_unavailable(box: Toolbox, settings, name: str):
    with boxes.target() as target:
        with pytest.raises(Unavailable, match="is not installed"):
            TOOLS[name].scan(target)
        settings.SCANNERS = []
        with pytest.raises(NothingToConsult, match="is not installed"):
            TOOLS[name].scan(target)


@pytest.mark.parametrize("name", FLAW_TOOLS)
def test_a_tool_without_a_database_has_nothing_to_consult(box: Toolbox, settings, name: str):
    box.put(name, box.report(name, RIGHT[name]))
    settings.SCANNER_DATA_DIR = box.data / "elsewhere"
    with boxes.target() as target, pytest.raises(NothingToConsult, match="no vulnerability database"):
        TOOLS[name].scan(target)


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_that_works_says_what_it_found(box: Toolbox, name: str):
    box.put(BINARIES[name], box.report(name, RIGHT[name]))
    with boxes.target() as target:
        found = TOOLS[name].scan(target)
    assert {(flaw.ecosystem, flaw.package, flaw.version, flaw.tools) for flaw in found} == {
        ("npm", "left-pad", "1.0.0", (name,))
    }
    assert {flaw.kind for flaw in found} == looks_for(TOOLS[name])
    assert [(flaw.identifier, flaw.severity) for flaw in found] == {
        "trivy": [("CVE-2026-0001", "high")],
        "grype": [("GHSA-aaaa-bbbb-cccc", "critical")],
        "osv-scanner": [("GHSA-aaaa-bbbb-cccc", "medium")],
        "trivy-files": [("github-pat@package/index.js", "critical"), ("GPL-3.0@package/COPYING", "medium")],
        "guarddog": [("download-exec@package/index.js", "critical")],
    }[name]


# --- the embedded one ----------------------------------------------------------------------------------------------
def test_the_embedded_scanner_says_what_it_found(db):
    load(osv(id="MAL-1", aliases=["GHSA-1"]))
    [found] = Osv().scan(Target("npm", "left-pad", "left-pad", "1.0.0"))
    assert (found.identifier, found.kind, found.severity, found.tools) == ("MAL-1", "malware", "critical", ("osv",))
    assert looks_for(Osv()) == {"vulnerability"}


def test_the_embedded_scanner_without_advisories_has_nothing_to_consult(db):
    with pytest.raises(NothingToConsult):
        Osv().scan(Target("npm", "left-pad", "left-pad", "1.0.0"))


# --- the scan ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("way", MISBEHAVIOURS)
def test_if_every_tool_misbehaves_the_scan_is_errored_and_never_passed(box: Toolbox, settings, held, way: str):
    """Each of the three is unavailable for the right reason, too, and leaves nothing."""
    said = {name: misbehave(box, name, way, settings) for name in FLAW_TOOLS}
    scan = running.scan(held(), [TOOLS[name] for name in FLAW_TOOLS])
    assert (scan.status, scan.tools_used, scan.findings.count()) == ("errored", [], 0)
    assert {one["tool"] for one in scan.tools_unavailable if one["failed"]} == set(FLAW_TOOLS)
    assert all(said[one["tool"]] in one["reason"] for one in scan.tools_unavailable)


def test_a_tool_that_misbehaves_spoils_nothing_else(box: Toolbox, settings, held):
    load(osv(id="GHSA-other", name="other"))
    misbehave(box, "trivy", "chatters", settings)
    box.put("grype", box.report("grype", RIGHT["grype"]))
    scan = running.scan(held(), [Osv(), TOOLS["trivy"], TOOLS["grype"]])
    assert (scan.status, sorted(scan.tools_used)) == ("failed", ["grype", "osv"])
    assert [one["tool"] for one in scan.tools_unavailable] == ["trivy"]


def test_what_several_tools_say_of_one_flaw_is_one_finding(box: Toolbox, held):
    load(osv(id="PYSEC-9", aliases=["CVE-2026-0001"], **rated("LOW")))
    for name in FLAW_TOOLS:
        box.put(name, box.report(name, RIGHT[name]))
    [finding] = running.scan(held(), [Osv(), *(TOOLS[name] for name in FLAW_TOOLS)]).findings.all()
    assert (finding.identifier, finding.aliases) == ("GHSA-aaaa-bbbb-cccc", ["CVE-2026-0001", "PYSEC-9"])
    assert (finding.severity, finding.fixed_in, set(finding.tools)) == ("critical", "2.0.0", {"osv", *FLAW_TOOLS})


def test_looking_into_files_alone_passes_nothing(box: Toolbox, held):
    box.put("guarddog", box.report("guarddog", {**RIGHT["guarddog"], "risk_score": {"label": "low"}}))
    with boxes.target() as target:
        assert TOOLS["guarddog"].scan(target) == []
    silent = tools.Tool("guarddog", "guarddog", lambda target, material: tools.Question((), {}), lambda raw: [])
    assert running.scan(held(), [silent]).status == "errored"


# --- which are on --------------------------------------------------------------------------------------------------
def test_without_a_setting_the_three_are_named_and_others_only_where_they_are_found(box: Toolbox, settings):
    settings.SCANNERS = []
    assert [one.name for one in scanners.at_hand()] == ["osv", *FLAW_TOOLS]
    box.put("guarddog", "exit 0")
    assert [one.name for one in scanners.at_hand()] == ["osv", *FLAW_TOOLS, "guarddog"]


def test_the_setting_says_which_are_on(settings):
    settings.SCANNERS = ["grype", "osv"]
    assert [one.name for one in scanners.at_hand()] == ["osv", "grype"]


def test_the_doctor_says_which_were_found(box: Toolbox, settings):
    settings.SCANNERS = []
    box.put("grype", "exit 0")
    found = look_at_scanners()
    assert found.is_well
    assert found.how.startswith("osv (built in), grype; not installed: trivy, osv-scanner; ")
    settings.SCANNERS = ["osv", "trivy"]
    assert (look_at_scanners().is_well, look_at_scanners().how) == (False, "trivy not found")


# --- what each kind does -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "answer"),
    [("vulnerability", "warn"), ("malware", "block"), ("secret", "block"), ("license", "warn")],
)
def test_that_nothing_fixes_it_makes_only_a_flaw_milder_and_a_license_never_blocks(kind: str, answer: str):
    assert Rules(unfixed="warn").answer(Finding(kind=kind, severity="critical")) == answer
    assert Rules().answer(Finding(kind="license", severity="critical")) == "warn"


def test_a_secret_is_to_be_revoked_and_is_told_from_a_flaw(box: Toolbox, held):
    load(osv(id="GHSA-other", name="other"))
    box.put("trivy", box.report("trivy-files", RIGHT["trivy-files"]))
    release = held()
    with boxes.target() as target:
        flaws = TOOLS["trivy-files"].scan(target)
    running.scan(release, [Osv(), Said("trivy-files", flaws)])
    verdict = is_safe(release, SYSTEM)
    assert (verdict.answer, verdict.remedy) == ("deny", "Revoke it, and publish a version without it.")
    assert "fixed version" not in check_report(running.current(release), release).summary


class Said:
    """A scanner that said its word before."""

    def __init__(self, name: str, flaws: list[Flaw]) -> None:
        self.name, self.flaws = name, flaws

    def scan(self, target: Target) -> list[Flaw]:
        return self.flaws
