"""The routes of contract section 7."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from registry import tasks
from registry.models import Check
from scanning import running
from tests import builders
from tests.api.clients import ApiClient
from tests.scanning.conftest import load, osv, rated, sample


@pytest.fixture
def nobody(db) -> ApiClient:
    return ApiClient()


def client_of(person: User, *scopes: str) -> ApiClient:
    return ApiClient(builders.token(person, *scopes))


# --- reading scans ------------------------------------------------------------------------------------------------
def test_a_scan_is_public_for_public_packages(samples, held, nobody):
    running.scan(held("lodash", "4.17.15"))
    found = nobody.get("/api/v1/security/scans/lodash?version=4.17.15").json()
    assert (found["package"], found["version"], found["status"]) == ("lodash", "4.17.15", "failed")
    assert found["severity"] == {"critical": 0, "high": 1, "medium": 1, "low": 0, "unknown": 0}
    assert (found["tools_used"], found["tools_unavailable"]) == (["osv"], [])
    worst = found["vulnerabilities"][0]
    assert (worst["id"], worst["severity"], worst["cvss"]) == ("GHSA-35jh-r3h4-6jhm", "high", 7.2)
    assert (worst["package"], worst["fixed_in"], worst["waived"]) == ("lodash", "4.17.21", False)
    assert found["scan_date"].endswith("Z")


def test_a_scoped_name_may_have_its_slash_encoded(samples, held, nobody):
    running.scan(held("@acme/core", "1.0.0"))
    paths = ["@acme/core", "@acme%2Fcore"]
    answers = [nobody.get(f"/v1/security/scans/{path}?version=1.0.0").json() for path in paths]
    assert [answer["package"] for answer in answers] == ["@acme/core", "@acme/core"]
    assert answers[0]["status"] == "passed"


def test_a_release_that_was_never_scanned_is_pending(held, nobody):
    held()
    found = nobody.get("/api/v1/security/scans/left-pad?version=1.0.0&ecosystem=npm").json()
    assert (found["status"], found["scan_date"], found["vulnerabilities"]) == ("pending", None, [])


def test_a_scan_that_waits_is_pending_and_still_shows_what_was_found(samples, held, nobody):
    release = held("lodash", "4.17.15")
    running.scan(release)
    Check.objects.create(release=release, name="vulnerabilities", status="pending")
    found = nobody.get("/api/v1/security/scans/lodash?version=4.17.15").json()
    assert (found["status"], len(found["vulnerabilities"])) == ("pending", 2)


def test_without_advisories_a_scan_is_errored_and_never_passed(held, nobody):
    running.scan(held())
    found = nobody.get("/api/v1/security/scans/left-pad?version=1.0.0").json()
    assert (found["status"], found["tools_used"], found["tools_unavailable"]) == ("errored", [], ["osv"])
    assert "No advisories are loaded" in found["notes"]["osv"]


def test_waivers_are_compared_when_it_is_asked(samples, held, waive, nobody):
    release = held("minimist", "1.2.5")
    running.scan(release)
    waiver = waive(release, "GHSA-xvch-5gv4-984h")
    address = "/api/v1/security/scans/minimist?version=1.2.5"
    waived = nobody.get(address).json()
    assert (waived["status"], waived["vulnerabilities"][0]["waived"]) == ("passed", True)
    type(waiver).objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert nobody.get(address).json()["status"] == "failed"


def test_a_strangers_scan_of_a_private_package_is_not_found(cast, nobody):
    package = builders.package(cast.acme, "secret", visibility="private")
    running.scan(builders.release(package))
    path = "/api/v1/security/scans/secret?version=1.0.0"
    assert nobody.get(path).status_code == 404
    assert client_of(cast.mallory).get(path).status_code == 404
    assert client_of(cast.alice).get(path).status_code == 200


@pytest.mark.parametrize("query", ["?ecosystem=cobol", "?version=" + "1" * 129, "?version=%00"])
def test_bad_parameters_are_refused(held, nobody, query: str):
    held()
    assert nobody.get(f"/api/v1/security/scans/left-pad{query}").status_code == 400


def test_reading_a_scan_costs_the_same_however_much_was_found(held, nobody, django_assert_max_num_queries):
    load(*(osv(id=f"GHSA-{number}", **rated("HIGH")) for number in range(40)))
    running.scan(held())
    with django_assert_max_num_queries(7):
        assert len(nobody.get("/api/v1/security/scans/left-pad?version=1.0.0").json()["vulnerabilities"]) == 40


# --- asking for one -----------------------------------------------------------------------------------------------
def test_a_maintainer_asks_for_another_scan(cast, held):
    release = held()
    Check.objects.create(release=release, name="vulnerabilities", status="skipped")
    load(osv(**rated("HIGH")))
    bob = client_of(cast.bob, "review", "read")
    answer = bob.send("POST", "/api/v1/security/scans", {"name": "left-pad", "version": "1.0.0", "ecosystem": "npm"})
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert bob.get(answer["Location"]).json()["status"] == "pending"
    tasks.drain()
    assert bob.get(answer["Location"]).json()["status"] == "failed"


def test_a_developer_cannot_ask_for_a_scan(cast, held):
    held()
    wanted = {"name": "left-pad", "version": "1.0.0", "ecosystem": "npm"}
    assert client_of(cast.alice).send("POST", "/api/v1/security/scans", wanted).status_code == 403
    assert ApiClient().send("POST", "/api/v1/security/scans", wanted).status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"name": 5}, 400),
        ({"name": "left-pad", "colour": "red"}, 400),
        ({"name": "left-pad", "ecosystem": "cobol"}, 400),
        ({"name": "nowhere"}, 404),
        ({"name": "left-pad", "version": "9.9.9"}, 404),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(cast, held, body, status: int):
    held()
    assert client_of(cast.bob, "review").send("POST", "/api/v1/security/scans", body).status_code == status


def test_a_removed_version_is_not_scanned_again(cast, held):
    held(purged_at=timezone.now())
    wanted = {"name": "left-pad", "version": "1.0.0"}
    assert client_of(cast.bob, "review").send("POST", "/api/v1/security/scans", wanted).status_code == 409


# --- advisories ---------------------------------------------------------------------------------------------------
def test_advisories_are_listed_the_last_changed_first(samples, nobody):
    page = nobody.get("/api/v1/advisories?limit=3").json()
    assert (page["total"], page["limit"], page["pages"]) == (7, 3, 3)
    changed = [row["modified"] for row in page["advisories"]]
    assert changed == sorted(changed, reverse=True)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("package=Jinja2&ecosystem=pypi", {"PYSEC-2021-66"}),
        ("package=jinja2", {"PYSEC-2021-66"}),
        ("package=minimist&ecosystem=npm", {"GHSA-xvch-5gv4-984h"}),
        ("package=minimist&ecosystem=pypi", set()),
        ("severity=critical", {"GHSA-xvch-5gv4-984h"}),
        ("ecosystem=npm&severity=high", {"GHSA-35jh-r3h4-6jhm"}),
    ],
)
def test_advisories_are_filtered(samples, nobody, query: str, ids: set[str]):
    assert {row["id"] for row in nobody.get(f"/api/v1/advisories?{query}").json()["advisories"]} == ids


@pytest.mark.parametrize("query", ["severity=dire", "ecosystem=cobol", "limit=0", "limit=101", "page=0", "page=x"])
def test_bad_filters_are_refused(samples, nobody, query: str):
    assert nobody.get(f"/api/v1/advisories?{query}").status_code == 400


def test_the_list_never_loads_the_documents(samples, nobody, django_assert_max_num_queries):
    with django_assert_max_num_queries(2):
        nobody.get("/api/v1/advisories?package=jinja2")


def test_an_advisory_is_its_osv_document_with_the_versions_held_here(samples, held, nobody):
    held("lodash", "4.17.15", status="approved")
    release = held("lodash-es", "4.17.21")
    builders.release(release.package, "4.17.20", status="rejected")
    found = nobody.get("/api/v1/advisories/GHSA-35jh-r3h4-6jhm").json()
    held_here = found["database_specific"].pop("held_here")
    original = sample("GHSA-35jh-r3h4-6jhm")
    assert {**found, "database_specific": {}} == {**original, "database_specific": {}}
    assert [(one["name"], one["version"], one["status"], one["fixed_in"]) for one in held_here] == [
        ("lodash", "4.17.15", "approved", "4.17.21"),
        ("lodash-es", "4.17.20", "rejected", "4.17.21"),
    ]


def test_what_an_advisory_touches_is_told_only_to_those_who_may_see_it(samples, cast, nobody):
    package = builders.package(cast.acme, "minimist", visibility="private")
    builders.release(package, "1.2.5")
    path = "/api/v1/advisories/GHSA-xvch-5gv4-984h"
    assert nobody.get(path).json()["database_specific"]["held_here"] == []
    assert client_of(cast.mallory).get(path).json()["database_specific"]["held_here"] == []
    assert len(client_of(cast.alice).get(path).json()["database_specific"]["held_here"]) == 1


def test_a_withdrawn_advisory_is_shown_and_touches_nothing(held, nobody):
    held()
    load(osv(withdrawn="2026-02-01T00:00:00Z"))
    found = nobody.get("/api/v1/advisories/GHSA-0000").json()
    assert (found["withdrawn"], found["database_specific"]["held_here"]) == ("2026-02-01T00:00:00Z", [])


def test_an_unknown_advisory_is_not_found(samples, nobody):
    assert nobody.get("/api/v1/advisories/GHSA-nope").status_code == 404


def test_one_advisory_costs_as_many_queries_however_much_it_touches(cast, nobody):
    load(osv())
    package = builders.package(cast.acme)
    costs = []
    for first, count in ((0, 1), (1, 29)):
        for number in range(first, first + count):
            builders.release(package, f"1.0.{number}")
        with CaptureQueriesContext(connection) as queries:
            found = nobody.get("/api/v1/advisories/GHSA-0000").json()
        costs.append(len(queries))
    assert len(found["database_specific"]["held_here"]) == 30
    assert costs[1] <= costs[0] <= 8


@pytest.mark.parametrize(
    "path", ["advisories/%00", "advisories/a%00b", "security/scans/@a/b%00", "security/scans/%00/b"]
)
def test_control_characters_in_an_address_lead_nowhere(samples, nobody, path: str):
    assert nobody.get(f"/api/v1/{path}").status_code == 404
