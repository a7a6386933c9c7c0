"""POST /audit: which of the packages in use are vulnerable, and never clean because nobody looked."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registry.models import Package
from tests import builders
from tests.api.clients import ApiClient
from tests.scanning.conftest import load, osv, rated

LOCK = Path(__file__).resolve().parent.parent / "samples" / "lockfiles" / "package-lock.v3.json"
LEFT_PAD = {"purls": ["pkg:npm/left-pad@1.0.0"]}


@pytest.fixture
def nobody(db) -> ApiClient:
    return ApiClient()


def audit(client: ApiClient, status: int = 200, headers: dict[str, str] | None = None, **body):
    answer = client.send("POST", "/audit", body, headers=headers or {})
    assert answer.status_code == status, answer.content
    return answer.json()


def statuses(answer) -> dict[str, str]:
    return {row["purl"]: row["status"] for row in answer["results"]}


def test_vulnerable_clean_and_unknown_are_told_apart(nobody):
    load(osv("GHSA-1", **rated("HIGH")))
    names = ["left-pad@1.0.0", "left-pad@2.0.0", "other@1.0.0", "left-pad@latest", "left-pad"]
    purls = [f"pkg:npm/{name}" for name in names] + ["pkg:pypi/flask@1.0", "pkg:docker/nginx@1", "pkg:cargo/serde@1.0"]
    answer = audit(nobody, purls=purls)
    assert list(statuses(answer).values()) == ["vulnerable", "clean", "clean", *["unknown"] * 5]
    reasons = [row["reason"] or "" for row in answer["results"]]
    for reason, said in zip(reasons[3:], ("no npm version", "No version", "loaded", "Docker", "cargo"), strict=True):
        assert said in reason
    [flaw] = answer["results"][0]["vulnerabilities"]
    assert (flaw["id"], flaw["severity"], flaw["fixed_in"], flaw["waived"]) == ("GHSA-1", "high", "2.0.0", False)
    assert answer["summary"] == {"critical": 0, "high": 1, "medium": 0, "low": 0, "unknown": 0, "waived": 0}
    assert answer["packages"] == {"total": 8, "vulnerable": 1, "unknown": 5, "waived": 0, "clean": 2}


def test_without_any_advisory_nothing_is_clean(nobody):
    assert statuses(audit(nobody, **LEFT_PAD)) == {"pkg:npm/left-pad@1.0.0": "unknown"}
    load(osv(withdrawn="2026-01-03T00:00:00Z"))
    assert statuses(audit(nobody, **LEFT_PAD)) == {"pkg:npm/left-pad@1.0.0": "unknown"}


def test_packages_purls_and_a_lockfile_say_the_same(nobody, samples):
    asked = {"ecosystem": "npm", "name": "lodash", "version": "4.17.15"}
    by_name = audit(nobody, packages=[asked])["results"][0]
    by_purl = audit(nobody, purls=["pkg:npm/lodash@4.17.15"])["results"][0]
    whole = audit(nobody, lockfile=LOCK.read_text(), format="package-lock.json")
    told = audit(nobody, lockfile=LOCK.read_text())
    assert by_name == by_purl
    assert by_name in whole["results"]
    assert whole == told
    assert by_name["status"] == "vulnerable"
    assert whole["not_judged"][0]["text"] == "tools/ours"
    assert statuses(whole)["pkg:npm/minimist@0.0.8"] == "vulnerable"


def test_two_advisories_about_one_flaw_are_one(nobody):
    load(osv("GHSA-1", aliases=["CVE-2026-1"]), osv("PYSEC-1", aliases=["CVE-2026-1"]))
    answer = audit(nobody, **LEFT_PAD)
    [flaw] = answer["results"][0]["vulnerabilities"]
    assert (flaw["id"], flaw["aliases"]) == ("GHSA-1", ["CVE-2026-1", "PYSEC-1"])
    assert answer["summary"]["unknown"] == 1


def test_what_came_from_a_repository_may_be_vulnerable_but_never_clean(nobody):
    load(osv())
    entry = {"version": "1.0.0", "resolved": "git+ssh://git@host.example/x.git#abc"}
    packages = {"node_modules/left-pad": entry, "node_modules/other": entry}
    answer = audit(nobody, lockfile=json.dumps({"lockfileVersion": 3, "packages": packages}))
    assert list(statuses(answer).values()) == ["vulnerable", "unknown"]


def test_waivers_of_the_callers_project_are_honoured_until_they_end(cast, nobody, held, waive, time_machine):
    load(osv("GHSA-1", aliases=["CVE-2026-1"], **rated("CRITICAL")))
    waiver = waive(held("left-pad", "0.9.0"), "CVE-2026-1")
    alice, mallory = (ApiClient(builders.token(one, "read")) for one in (cast.alice, cast.mallory))
    answer = audit(alice, **LEFT_PAD)
    assert answer["results"][0]["status"] == "waived"
    assert answer["results"][0]["vulnerabilities"][0]["waiver"]["reason"] == waiver.reason
    assert (answer["summary"]["critical"], answer["summary"]["waived"], answer["project"]) == (0, 1, "acme")
    for other in (nobody, mallory, ApiClient(builders.token(cast.alice, "publish"))):
        answer = audit(other, **LEFT_PAD)
        assert (answer["results"][0]["status"], answer["summary"]["waived"]) == ("vulnerable", 0)
        assert waiver.reason not in json.dumps(answer)
    audit(mallory, 403, {"X-Project-ID": "acme"}, **LEFT_PAD)
    time_machine.move_to(timezone.now() + timedelta(days=1, seconds=1))
    assert audit(alice, **LEFT_PAD)["results"][0]["status"] == "vulnerable"


def test_what_is_held_here_is_told_to_those_who_may_know_of_it(cast, nobody, held):
    load(osv())
    held("left-pad", "1.0.0", status="quarantined")
    held("secret", "1.0.0", status="approved")
    Package.objects.filter(name="secret").update(visibility="private")
    asked = [
        "pkg:npm/left-pad@1.0.0",
        "pkg:npm/secret@1.0.0",
        "pkg:npm/left-pad@v1.0.0+build",
        "pkg:npm/nowhere@1.0.0",
    ]
    here = {
        name: [row["here"] for row in audit(client, purls=asked)["results"]]
        for name, client in {"nobody": nobody, "alice": ApiClient(builders.token(cast.alice))}.items()
    }
    assert here["nobody"] == ["quarantined", None, "quarantined", None]
    assert here["alice"] == ["quarantined", "approved", "quarantined", None]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "packages"),
        ({"purls": [], "packages": []}, "purls"),
        ({"purls": ["pkg:npm/a@1"], "format": "uv.lock"}, "format"),
        ({"purls": ["pkg:npm/a@1", "lodash"]}, "purls.1"),
        ({"purls": ["pkg:npm/a%00@1"]}, "purls.0"),
        ({"purls": ["pkg:npm/a@1"] * 5_001}, "purls"),
        ({"packages": [{"ecosystem": "cargo", "name": "a", "version": "1"}]}, "packages.0.ecosystem"),
        ({"packages": [{"ecosystem": "npm", "name": "a"}]}, "packages.0.version"),
        ({"lockfile": "what is this?"}, "format"),
        ({"lockfile": "what is this?", "format": "requirements.txt"}, "lockfile"),
        ({"lockfile": "a==1", "format": "Gemfile.lock"}, "format"),
        ({"lockfile": ""}, "lockfile"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_its_field(nobody, body, field):
    assert field in audit(nobody, 400, **body)["details"]


def test_more_than_a_lockfile_can_be_is_refused(nobody):
    audit(nobody, 413, lockfile="x" * (12 * 1024 * 1024))


def test_thousands_of_packages_cost_a_few_queries(nobody, held):
    load(*(osv(f"GHSA-{number}", f"p{number}") for number in range(30)))
    held("p1", "1.0.0")
    numbers = {}
    for count in (20, 2_000):
        packages = [{"ecosystem": "npm", "name": f"p{number}", "version": "1.0.0"} for number in range(count)]
        with CaptureQueriesContext(connection) as seen:
            assert audit(nobody, packages=packages)["packages"]["vulnerable"] == min(count, 30)
        numbers[count] = len(seen)
    assert numbers[20] <= 9
    assert numbers[2_000] <= numbers[20] + 2 * 3  # a query for names and one for versions, for each 500 more
