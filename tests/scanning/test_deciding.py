"""What the two gates make of releases that come the real way."""

from pathlib import Path

import pytest

from licensing import recognizing
from registry import approving, checking, tasks
from registry.errors import RegistryError
from tests import builders
from tests.builders import Cast, KeyPair
from tests.scanning.conftest import load, osv, rated


@pytest.fixture
def pair(tmp_path: Path) -> KeyPair:
    return builders.key_pair(tmp_path)


def statuses(release) -> dict[str, str]:
    return dict(release.checks.values_list("name", "status"))


def test_a_clean_release_is_approved_without_a_person(cast: Cast, pair: KeyPair, samples):
    release = builders.published(cast.alice, pair)
    assert release.status == "approved"
    assert (statuses(release)["license"], statuses(release)["vulnerabilities"]) == ("passed", "passed")
    assert release.license == "MIT"


def test_an_instance_without_advisories_approves_and_says_it_did_not_look(cast: Cast, pair: KeyPair):
    release = builders.published(cast.alice, pair)
    assert (release.status, statuses(release)["vulnerabilities"]) == ("approved", "skipped")


def test_a_known_grave_flaw_keeps_a_release_back(cast: Cast, pair: KeyPair, samples):
    release = builders.published(cast.alice, pair, builders.npm_tarball("lodash", "4.17.15"))
    assert (release.status, statuses(release)["vulnerabilities"]) == ("pending", "failed")
    assert "GHSA-35jh-r3h4-6jhm" in release.held_because
    with pytest.raises(RegistryError):
        approving.approve(release, builders.actor(cast.bob))
    assert (
        approving.approve(release, builders.actor(cast.bob), override=True, reason="Only in tests.").status
        == "approved"
    )


def test_a_waiver_and_a_new_scan_let_it_pass(cast: Cast, pair: KeyPair, samples, waive):
    release = builders.published(cast.alice, pair, builders.npm_tarball("lodash", "4.17.15"))
    waive(release, "CVE-2021-23337")
    checking.rescan(release, builders.actor(cast.bob), names=["vulnerabilities"])
    tasks.drain()
    release.refresh_from_db()
    assert (release.status, statuses(release)["vulnerabilities"]) == ("approved", "warned")


def test_an_advisory_that_arrives_later_withdraws_at_the_next_scan(cast: Cast, pair: KeyPair):
    release = builders.published(cast.alice, pair)
    load(osv(**rated("CRITICAL")))
    checking.rescan(release, builders.actor(cast.bob), names=["vulnerabilities"])
    tasks.drain()
    release.refresh_from_db()
    assert release.status == "quarantined"


@pytest.mark.parametrize(
    ("declared", "status"),
    [
        ("MIT", "approved"),
        (None, "approved"),
        ("UNLICENSED", "approved"),
        ("GPL-3.0-only", "pending"),
        ("SSPL-1.0", "pending"),
    ],
)
def test_the_license_decides_over_a_published_release(cast: Cast, pair: KeyPair, samples, declared, status: str):
    release = builders.published(cast.alice, pair, builders.npm_tarball("ours", "1.0.0", license=declared))
    assert release.status == status


def test_the_declaration_is_held_against_the_file_in_the_archive(cast: Cast, pair: KeyPair, samples):
    text = (recognizing.TEXTS / "GPL-3.0.txt").read_text()
    archive = builders.npm_tarball("ours", "1.0.0", files={"LICENSE": text})
    release = builders.published(cast.alice, pair, archive)
    assert (release.status, statuses(release)["license"]) == ("pending", "warned")
    assert "GPL-3.0" in release.held_because
