"""What bills of materials say of flaws and of waivers: valid CycloneDX, and never that nothing is wrong."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registry import documents
from registry.models import Release
from scanning.models import Finding, Scan
from tests import builders
from tests.api.clients import ApiClient
from tests.builders import Cast
from tests.scanning.conftest import load, osv

APP = "/packages/app/versions/1.0.0/sbom"
VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
VALIDATOR = JsonStrictValidator(SchemaVersion.V1_6)


def found(release: Release, identifier: str, **more: Any) -> Finding:
    """A finding of the release's current scan."""
    made = {"status": Scan.Status.FAILED, "finished_at": timezone.now()}
    scan, _ = Scan.objects.get_or_create(release=release, is_current=True, defaults=made)
    said = {"package": release.package.name, "version": release.version, "ecosystem": release.package.ecosystem}
    return Finding.objects.create(scan=scan, identifier=identifier, **said | {"severity": "critical", **more})


def app_with(cast: Cast, number: int) -> list[Release]:
    """An application of acme, and so many packages that it needs, each with a flaw; the application first."""
    app = builders.release(builders.package(cast.acme, "app"), "1.0.0")
    needed = []
    for index in range(number):
        needed.append(builders.release(builders.package(cast.acme, f"part-{index}"), "1.0.0"))
        part = f"part-{index}"
        app.dependencies.create(ecosystem="npm", name=part, normalized=part, range="^1.0.0")
        found(needed[-1], f"GHSA-{index}", aliases=[f"CVE-2026-{index}"], fixed_in="1.0.1", tools=["osv"])
    return [app, *needed]


def bill(client: ApiClient, path: str = APP) -> dict[str, Any]:
    """The bill, valid by the official schema."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    assert VALIDATOR.validate_str(answer.content.decode()) is None
    document: dict[str, Any] = answer.json()
    return document


def test_a_bill_tells_of_the_flaws_of_every_component(cast: Cast):
    load(
        osv(
            "GHSA-0",
            "part-0",
            aliases=["CVE-2026-0"],
            severity=[{"type": "CVSS_V3", "score": VECTOR}],
            database_specific={"cwe_ids": ["CWE-79", "nonsense"]},
        )
    )
    app, part = app_with(cast, 1)
    found(part, "app.js:secret", kind="secret")
    found(app, "MAL-2026-1", kind="malware", severity="unknown", summary="Bundled", package="inner", version="9")

    flaws = {one["id"]: one for one in bill(ApiClient())["vulnerabilities"]}

    assert sorted(flaws) == ["GHSA-0", "MAL-2026-1"]
    flaw = flaws["GHSA-0"]
    [rating] = flaw["ratings"]
    assert (rating["score"], rating["severity"], rating["method"]) == (9.8, "critical", "CVSSv31")
    assert rating["vector"] == VECTOR.partition("/")[2]  # the method says which CVSS it is
    assert [one["id"] for one in flaw["references"]] == ["CVE-2026-0"]
    assert (flaw["cwes"], flaw["recommendation"]) == ([79], "Use part-0 1.0.1 or later.")
    assert flaw["source"]["name"] == "GitHub Advisories"
    target = {"ref": "pkg:npm/part-0@1.0.0", "versions": [{"version": "1.0.0", "status": "affected"}]}
    assert flaw["affects"] == [target]
    assert "analysis" not in flaw
    assert flaws["MAL-2026-1"]["ratings"] == [{"severity": "unknown", "method": "other"}]
    assert {"name": "codesync:found-in", "value": "inner@9"} in flaws["MAL-2026-1"]["properties"]


def test_a_component_that_nobody_scanned_does_not_pass_for_clean(cast: Cast):
    app_with(cast, 1)
    document = bill(ApiClient())
    stated = {one["name"]: one["value"] for one in document["metadata"]["component"]["properties"]}
    assert stated["codesync:scan"] == "none"
    assert {"name": "codesync:scan", "value": "failed"} in document["components"][0]["properties"]


def test_an_accepted_risk_is_told_to_its_project_alone_and_never_as_not_affected(cast: Cast, waive):
    _, part = app_with(cast, 1)
    waive(part, "CVE-2026-0", reason="We never call it.")
    waive(part, "CVE-2026-0", project=cast.elsewhere, reason="Hush.")
    for person, sees in ((cast.alice, True), (cast.bob, True), (cast.mallory, False), (None, False)):
        client = ApiClient(builders.token(person, "read", *("review",) * (person == cast.bob)) if person else "")
        [flaw] = bill(client)["vulnerabilities"]
        assert ("analysis" in flaw) is sees, person
        if sees:
            analysis = flaw["analysis"]
            assert (analysis["state"], analysis["response"]) == ("exploitable", ["will_not_fix"])
            assert "We never call it." in analysis["detail"]
            assert "in the project acme until" in analysis["detail"]


def test_the_same_facts_give_the_same_bytes_and_other_facts_another_tag(cast: Cast, waive):
    """A scan that finds the same changes nothing; a finding, a waiver and the end of one do."""
    _, part = app_with(cast, 1)
    client = ApiClient(builders.token(cast.alice, "read"))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first = client.get(APP)
        assert client.get(APP, headers={"If-None-Match": first["ETag"]}).status_code == 304
        assert first["Cache-Control"] == "private, no-cache"
        assert "Authorization" in first["Vary"]
        Scan.objects.filter(release=part).update(finished_at=timezone.now() + timedelta(days=1))
        assert client.get(APP).content == first.content

        waive(part, "GHSA-0", expires_at=timezone.now() + timedelta(hours=1))
        waived = client.get(APP)
        assert waived["ETag"] != first["ETag"]
        assert waived.json()["serialNumber"] != first.json()["serialNumber"]
        clock.shift(timedelta(hours=1))
        assert client.get(APP)["ETag"] == first["ETag"]
    found(part, "GHSA-9")
    assert client.get(APP)["ETag"] not in (first["ETag"], waived["ETag"])


@pytest.mark.once
def test_a_bill_costs_the_same_number_of_queries_for_one_component_and_for_fifty(cast: Cast, waive):
    releases = app_with(cast, 50)
    for part in releases[1:]:
        waive(part, f"GHSA-{part.package.name.partition('-')[2]}")
    one = builders.release(builders.package(cast.acme, "small"), "1.0.0")
    one.dependencies.create(ecosystem="npm", name="part-0", normalized="part-0", range="^1.0.0")
    for release in (releases[0], one):
        documents.rebuild(release.package)
    client = ApiClient(builders.token(cast.alice, "read"))
    client.get(APP)
    asked = []
    for path, flaws in ((APP.replace("app", "small"), 1), (APP, 50)):
        with CaptureQueriesContext(connection) as queries:
            assert len(bill(client, path)["vulnerabilities"]) == flaws
        asked.append(len(queries))
    assert asked[0] == asked[1] < 25
