"""One flaw, many names, and matching thousands of packages by them."""

import pytest
from django.db import transaction

from scanning import advisories, disagreeing, matching, naming, rescanning
from scanning.models import Advisory, AdvisoryName
from tests.api.clients import ApiClient
from tests.scanning.conftest import SAMPLES, load, osv

pytestmark = pytest.mark.django_db


def three_names() -> None:
    """GHSA knows the CVE, PYSEC knows the CVE, and a fourth name is known to PYSEC alone."""
    load(
        osv(id="GHSA-aaaa", aliases=["CVE-2026-1"]),
        osv(id="PYSEC-2026-1", ecosystem="PyPI", aliases=["CVE-2026-1", "SNYK-1"]),
        osv(id="GHSA-bbbb", aliases=["CVE-2026-2"]),
        osv(id="GHSA-gone", aliases=["CVE-2026-2", "CVE-2026-1"], withdrawn="2026-02-01T00:00:00Z"),
    )


@pytest.mark.parametrize("name", ["GHSA-aaaa", "ghsa-AAAA", "CVE-2026-1", "cve-2026-1"])
def test_a_flaw_is_found_under_every_name(name: str):
    three_names()
    assert naming.find(name).osv_id == "GHSA-aaaa"


def test_names_are_joined_over_aliases_but_not_by_what_was_withdrawn():
    three_names()
    joined = naming.joined(Advisory.objects.filter(osv_id__in=["GHSA-aaaa", "GHSA-bbbb"]))
    assert joined == {"GHSA-aaaa": ("PYSEC-2026-1", "CVE-2026-1", "SNYK-1"), "GHSA-bbbb": ("CVE-2026-2",)}


def test_an_alias_that_is_taken_back_no_longer_leads_there():
    load(osv(aliases=["CVE-1"]))
    load(osv(aliases=["CVE-2"], modified="2026-05-01T00:00:00Z"))
    assert set(AdvisoryName.objects.values_list("name", flat=True)) == {"GHSA-0000", "CVE-2"}


def test_the_api_answers_to_aliases_and_filters(django_assert_max_num_queries):
    three_names()
    nobody = ApiClient()
    with django_assert_max_num_queries(7):
        found = nobody.get("/api/v1/advisories/CVE-2026-1").json()
    assert found["id"] == "GHSA-aaaa"
    assert found["database_specific"]["known_as"] == ["PYSEC-2026-1", "CVE-2026-1", "SNYK-1"]
    ids = {}
    for query in ("id=cve-2026-1", "id=SNYK-1", "withdrawn=true", "withdrawn=false&ecosystem=npm"):
        with django_assert_max_num_queries(2):
            ids[query] = {one["id"] for one in nobody.get(f"/api/v1/advisories?{query}").json()["advisories"]}
    assert ids == {
        "id=cve-2026-1": {"GHSA-aaaa", "PYSEC-2026-1", "GHSA-gone"},
        "id=SNYK-1": {"PYSEC-2026-1"},
        "withdrawn=true": {"GHSA-gone"},
        "withdrawn=false&ecosystem=npm": {"GHSA-aaaa", "GHSA-bbbb"},
    }
    assert nobody.get("/api/v1/advisories?withdrawn=perhaps").status_code == 400


# --- parts, and telling of changes --------------------------------------------------------------------------------
def test_parts_are_put_together_in_one_file_or_two_and_again_change_nothing():
    npm, maven = osv(aliases=["CVE-1"]), osv(ecosystem="Maven", name="org.example:left-pad", aliases=["CVE-2"])
    assert load(npm, maven).updated == 1
    held = Advisory.objects.get()
    assert (held.aliases, len(held.raw["affected"]), held.affected.count()) == (["CVE-1", "CVE-2"], 2, 2)
    again = [load(maven, npm), load(npm), load(maven)]
    assert [(one.added, one.updated) for one in again] == [(0, 0)] * 3


def test_only_what_changed_is_told_of(monkeypatch):
    told: list[set[tuple[str, str]]] = []
    monkeypatch.setattr(rescanning, "packages_touched", lambda pairs: told.append(set(pairs)))
    load(osv(), osv(id="GHSA-1", name="Right.Pad", ecosystem="PyPI"))
    load(osv(), osv(id="GHSA-1", name="Right.Pad", ecosystem="PyPI"))
    load(osv(), osv(id="GHSA-1", name="up-pad", modified="2026-03-01T00:00:00Z"))
    assert told == [{("npm", "left-pad"), ("pypi", "right-pad")}, {("pypi", "right-pad"), ("npm", "up-pad")}]


# --- matching many ------------------------------------------------------------------------------------------------
def test_many_are_matched_like_one_by_one(django_assert_max_num_queries):
    advisories.import_from(SAMPLES)
    packages = [("npm", "lodash"), ("npm", "minimist"), ("pypi", "Jinja2"), ("pypi", "requests"), ("npm", "unknown")]
    versions = ["0.0.8", "1.2.5", "1.2.6", "2.11.2", "2.11.3", "2.19.1", "2.20.0", "4.17.15", "4.17.21", "nonsense"]
    wanted = [(*package, version) for package in packages for version in versions]
    wanted += [("npm", f"package-{number}", "1.0.0") for number in range(300)]
    matching.forget()
    with django_assert_max_num_queries(9):
        found = matching.match_many(wanted)
    for slug, name, version in wanted:
        expected = set()
        for one in Advisory.objects.filter(affected__ecosystem=slug, affected__name__iexact=name):
            entries = one.affected.filter(ecosystem=slug, name__iexact=name)
            if any(matching.match(slug, version, entry.ranges, entry.versions) for entry in entries):
                expected.add(one.osv_id)
        assert {hit.advisory.osv_id for hit in found.get((slug, name, version), ())} == expected
    lodash = found["npm", "lodash", "4.17.15"][0]
    assert lodash.match.fixed_in
    assert any(name.startswith("CVE-") for name in lodash.names)


def test_what_was_read_is_not_believed_after_a_change():
    def hits() -> list[str]:
        return [hit.match.fixed_in for hit in matching.match_many([("npm", "left-pad", "1.0.0")]).get(pair, [])]

    pair = ("npm", "left-pad", "1.0.0")
    load(osv())
    assert hits() == ["2.0.0"]
    ranges = [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "3.0.0"}]}]
    load(osv(modified="2026-02-01T00:00:00Z", ranges=ranges))
    assert hits() == ["3.0.0"]
    load(osv(modified="2026-03-01T00:00:00Z", withdrawn="2026-03-01T00:00:00Z"))
    assert hits() == []


def test_keys_that_are_given_out_twice_do_not_mix_packages_up():
    def names() -> list[list[str]]:
        wanted = [("npm", "left-pad", "1.0.0"), ("npm", "right-pad", "1.0.0")]
        return [[hit.advisory.osv_id for hit in hits] for hits in matching.match_many(wanted).values()]

    with transaction.atomic():
        load(osv())
        assert names() == [["GHSA-0000"]]
        transaction.set_rollback(True)
    load(osv(id="GHSA-9999", name="right-pad"))
    assert names() == [["GHSA-9999"]]


# --- lists and ranges that differ ---------------------------------------------------------------------------------
def test_each_disagreement_has_a_reason():
    def between(first: str, last: str) -> list[dict[str, object]]:
        return [{"type": "ECOSYSTEM", "events": [{"introduced": first}, {"fixed": last}]}]

    more = {"ecosystem": "PyPI", "name": "left-pad"}
    load(
        osv(id="A-1", ranges=between("4.2", "5.0"), versions=["4.2rc1", "4.2", "4.2-oops"], **more),
        osv(id="A-2", ranges=between("1.0", "9.0"), versions=["1.0", "4.2", "9.0"], **more),
        osv(id="A-3", ranges=between("1.0", "3.0.patch-of-somebody"), versions=["1.0"], **more),
        osv(
            id="A-4", ranges=[{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}], versions=["1.0", "2.0"], **more
        ),
    )
    told = {(one.osv_id, one.version): one.reason for one in disagreeing.find()}
    assert told == {
        ("A-1", "4.2rc1"): "before the bound",
        ("A-1", "4.2-oops"): "no version",
        ("A-2", "4.2rc1"): "pre-release left out",
        ("A-2", "9.0"): "outside",
        ("A-2", "2.0"): "left out",
        ("A-3", "1.0"): "broken bound",
        ("A-4", "4.2rc1"): "pre-release left out",
        ("A-4", "4.2"): "newer than the list",
        ("A-4", "4.2-oops"): "no version",
        ("A-4", "9.0"): "newer than the list",
    }
